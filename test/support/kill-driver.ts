/**
 * Drives containers of a KillWorld by random commands, kills random processes meanwhile, and compares what is there
 * afterwards with what was acknowledged. A seed decides what is done and when is killed; what the kill meets is chance.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type DiskRecord, type Ended, type KillWorld, kill, type Running } from './kill-world.ts';

export const IMAGE = 'busybox:test';
const FOREVER = ['sleep', '1000000000000'];
const SETTLED_WITHIN_MS = 15_000;
/** What a guard does after a kill takes about as long. */
const RECONCILED_WITHIN_MS = 500;
const MOST_CONTAINERS = 7;
const FEWEST_CONTAINERS = 3;
const VICTIMS = ['cli', 'daemon', 'shim', 'guard', 'guard and shim', 'shim, then guard', 'everything'] as const;
type Victim = (typeof VICTIMS)[number];

/** A container that was acknowledged, or was found. */
interface Known {
  readonly id: string;
  name: string;
  readonly policy: string;
  readonly autoRemove: boolean;
  /** What guests have fsynced, and what was copied in, by path. */
  readonly files: Map<string, string>;
  status: string;
}

interface Operation {
  readonly what: string;
  readonly args: readonly string[];
  readonly target?: Known;
  /** The container may be gone afterwards, whether or not it was acknowledged. */
  readonly removes?: boolean;
  readonly creates?: { readonly name: string; readonly policy: string; readonly autoRemove: boolean };
  readonly renames?: string;
  /** Its status may be another one afterwards. */
  readonly changesStatus?: boolean;
  acknowledged?(ended: Ended): void;
  /** Exit codes other than 0 that are no failure of the command. */
  readonly mayEndWith?: readonly number[];
}

interface Started {
  readonly operation: Operation;
  readonly running: Running;
}

export class KillDriver {
  readonly violations: string[] = [];
  readonly killed: Record<string, number> = {};
  readonly done: Record<string, number> = {};
  readonly refused: Record<string, number> = {};
  readonly #world: KillWorld;
  readonly #random: () => number;
  readonly #report: (line: string) => void;
  readonly #known = new Map<string, Known>();
  readonly #images = new Set<string>();
  readonly #durations = new Map<string, number>();
  #count = 0;
  #log: string[] = [];

  constructor(world: KillWorld, seed: number, report: (line: string) => void = () => {}) {
    this.#world = world;
    this.#random = mulberry32(seed);
    this.#report = report;
  }

  get kills(): number {
    return Object.values(this.killed).reduce((sum, count) => sum + count, 0);
  }

  async round(): Promise<void> {
    this.#count += 1;
    this.#log = [];
    const operations = [this.#operation()];
    if (this.#chance(0.3)) {
      const second = this.#operation();
      // Whatever else is asked of a container that is paused meanwhile waits until it goes on.
      const together = [operations[0]!, second];
      const isHeld = operations[0]!.target === second.target && together.some(({ what }) => what === 'pause');
      if (!isHeld) operations.push(second);
    }
    const victim = this.#pick(VICTIMS);
    const before = new Set(this.#world.processes().map(({ pid }) => pid));
    const recordsBefore = new Map(this.#world.records().map((record) => [record.key, record]));
    const started = operations.map((operation) => this.#start(operation));
    const usual = this.#durations.get(operations[0]!.what) ?? 400;
    // Most commands are gone by then: a kill of the command itself has to be sooner.
    const delay = this.#random() * usual * (victim === 'cli' ? 0.8 : 1.3);
    const fallen = this.#after(delay, victim, started, before, recordsBefore);
    const begun = Date.now();
    const ends = await Promise.all(started.map(({ running }) => running.ended));
    if (victim !== 'cli' && victim !== 'everything') {
      const known = this.#durations.get(operations[0]!.what) ?? 400;
      this.#durations.set(operations[0]!.what, Math.min(2000, known * 0.8 + (Date.now() - begun) * 0.2));
    }
    const victims = await fallen;
    // What is found by the next command, and by the next daemon.
    let restarted = this.#world.daemonPid === undefined;
    if (restarted && this.#chance(0.7)) await this.#startDaemon();
    await this.#settle();
    if (this.#world.daemonPid === undefined) {
      restarted = true;
      await this.#startDaemon();
      await this.#settle();
    }
    await this.#compare(started, ends, victims, restarted);
    await this.#use(operations.map(({ target }) => target));
  }

  /** Removes everything with the commands of a user. */
  async clear(): Promise<void> {
    const ids = this.#world.records().map(({ key }) => key);
    this.#log = [`clear ${ids.length}`];
    if (ids.length > 0) await this.#must(['rm', '-f', '-v', ...ids], 'local', 120_000);
    await this.#must(['network', 'prune', '-f'], 'local');
    await this.#must(['volume', 'prune', '-a', '-f'], 'local');
    await this.#must(['system', 'prune', '-a', '-f', '--volumes'], 'local');
    this.#known.clear();
    this.#images.clear();
  }

  #operation(): Operation {
    const all = [...this.#known.values()];
    const running = all.filter(({ status }) => status === 'running');
    const name = `c${this.#count}-${Math.floor(this.#random() * 1e6)}`;
    if (all.length < FEWEST_CONTAINERS) return this.#creation(name);
    const target = this.#pick(all);
    const live = running.length > 0 ? this.#pick(running) : undefined;
    const path = `/f${this.#count}-${Math.floor(this.#random() * 1e6)}`;
    const choices: (() => Operation)[] = [
      () => ({ what: 'start', args: ['start', target.name], target, changesStatus: true }),
      () => ({ what: 'stop', args: ['stop', '-t', '0', target.name], target, changesStatus: true, removes: true }),
      () => ({
        what: 'restart',
        args: ['restart', '-t', '0', target.name],
        target,
        changesStatus: true,
        removes: target.autoRemove,
      }),
      () => ({
        what: 'rename',
        args: ['rename', target.name, `${name}r`],
        target,
        renames: `${name}r`,
        acknowledged: () => {
          target.name = `${name}r`;
        },
      }),
      () => ({
        what: 'commit',
        args: ['commit', target.name, `kept:${this.#count}`],
        target,
        acknowledged: () => this.#images.add(`kept:${this.#count}`),
      }),
      () => ({ what: 'rm -f', args: ['rm', '-f', '-v', target.name], target, removes: true, changesStatus: true }),
      () => ({
        what: 'commit',
        args: ['commit', target.name, `kept:${this.#count}`],
        target,
        acknowledged: () => this.#images.add(`kept:${this.#count}`),
      }),
      () => ({ what: 'export', args: ['export', '-o', 'root.tar', target.name], target }),
      () => ({
        what: 'cp',
        args: ['cp', 'busybox/index.json', `${target.name}:${path}`],
        target,
        acknowledged: () => target.files.set(path, 'schemaVersion'),
      }),
      () => ({ what: 'rm -f', args: ['rm', '-f', target.name], target, removes: true, changesStatus: true }),
      () => ({ what: 'run --rm', args: ['run', '--rm', IMAGE, 'sleep', '300'], mayEndWith: [137] }),
      () => ({
        what: 'kill',
        args: ['kill', target.name],
        target,
        changesStatus: true,
        removes: target.autoRemove,
      }),
    ];
    if (live !== undefined) {
      choices.push(
        () => ({ what: 'exec', args: ['exec', live.name, '/busybox.wasm', 'hello'], target: live }),
        () => ({
          what: 'keep',
          args: ['exec', live.name, '/busybox.wasm', 'keep', path, path],
          target: live,
          acknowledged: () => live.files.set(path, path),
        }),
        () => ({
          what: 'keep',
          args: ['exec', live.name, '/busybox.wasm', 'keep', path, path],
          target: live,
          acknowledged: () => live.files.set(path, path),
        }),
        () => ({ what: 'pause', args: ['pause', live.name], target: live, changesStatus: true }),
      );
    }
    if (all.length < MOST_CONTAINERS) choices.push(...Array(4).fill(() => this.#creation(name)));
    return this.#pick(choices)();
  }

  #creation(name: string): Operation {
    const policy = this.#pick(['no', 'no', 'always', 'on-failure:100', 'unless-stopped']);
    const isRun = this.#chance(0.6);
    const autoRemove = policy === 'no' && this.#chance(0.2);
    const args = [
      ...(isRun ? ['run', '-d'] : ['create']),
      '--name',
      name,
      ...(policy === 'no' ? [] : ['--restart', policy]),
      ...(autoRemove ? ['--rm'] : []),
      ...(this.#chance(0.3) ? ['-v', 'shared:/shared'] : []),
      ...(this.#chance(0.3) ? ['-v', '/own'] : []),
      ...(this.#chance(0.3) ? ['--network', 'net'] : []),
      IMAGE,
      ...FOREVER,
    ];
    return { what: isRun ? 'run -d' : 'create', args, creates: { name, policy, autoRemove }, changesStatus: true };
  }

  #start(operation: Operation): Started {
    const isRemote = operation.what !== 'run --rm' && this.#chance(0.5);
    this.#log.push(`${isRemote ? 'remote' : 'local'} ${operation.args.join(' ')}`);
    const running = isRemote ? this.#world.remote(operation.args) : this.#world.wctr(operation.args);
    return { operation, running };
  }

  /** Resolves with the ids of containers whose processes were killed. */
  async #after(
    delayMs: number,
    victim: Victim,
    started: readonly Started[],
    before: ReadonlySet<number>,
    recordsBefore: ReadonlyMap<string, DiskRecord>,
  ): Promise<Set<string>> {
    await sleep(delayMs);
    const hit = new Set<string>();
    const all = this.#world.processes();
    const shims = all.filter(({ kind }) => kind === 'shim');
    const records = this.#world.records();
    const wanted = started.flatMap(({ operation: { target, creates } }) =>
      records.filter(({ key, name }) => key === target?.id || name === creates?.name),
    );
    const shim =
      shims.find(({ pid }) => wanted.some(({ state }) => state.pid === pid)) ??
      shims.find(({ pid }) => !before.has(pid)) ??
      (shims.length > 0 ? this.#pick(shims) : undefined);
    const guard = shim === undefined ? undefined : all.find(({ pid, kind }) => kind === 'guard' && pid === shim.parent);
    const pids: number[] = [];
    const isAll = victim === 'everything';
    if (victim === 'cli' || isAll) pids.push(started[0]!.running.child.pid ?? 0);
    if ((victim === 'daemon' || isAll) && this.#world.daemonPid !== undefined) pids.push(this.#world.daemonPid);
    if (victim === 'guard' || victim === 'guard and shim' || isAll) pids.push(guard?.pid ?? 0);
    if (victim.includes('shim') || isAll) {
      pids.push(shim?.pid ?? 0);
      // A process that is being started has no record yet: any of these operations may be its own.
      for (const record of [...records, ...recordsBefore.values()]) {
        if (record.state.pid === shim?.pid) hit.add(record.key);
      }
      if (shim !== undefined) for (const { key } of wanted) hit.add(key);
    }
    let count = pids.filter((pid) => pid > 0 && kill(pid)).length;
    if (victim === 'shim, then guard' && guard !== undefined) {
      // By then it is putting the record right, or starts the container again.
      await sleep(this.#random() * RECONCILED_WITHIN_MS);
      if (kill(guard.pid)) count += 1;
    }
    this.#log.push(`${Math.round(delayMs)} ms: kill ${victim} (${count})`);
    if (count > 0) this.killed[victim] = (this.killed[victim] ?? 0) + 1;
    return hit;
  }

  async #startDaemon(): Promise<void> {
    try {
      await this.#world.startDaemon();
    } catch (error) {
      this.#violate(`the daemon does not start: ${(error as Error).message}`);
      throw error;
    }
  }

  /** The next command finds what was left; after a few seconds nothing is under way any more. */
  async #settle(): Promise<void> {
    const { code, stderr, late } = await this.#world.wctr(['ps', '-a']).ended;
    if (code !== 0) this.#violate(`ps: ${late ? 'late' : stderr}`);
    const deadline = Date.now() + SETTLED_WITHIN_MS;
    for (;;) {
      const unsettled = this.#unsettled();
      if (unsettled.length === 0) return;
      if (Date.now() > deadline) {
        this.#violate(`stuck: ${unsettled.join('; ')}`);
        return;
      }
      await sleep(30);
    }
  }

  #unsettled(): string[] {
    const processes = this.#world.processes();
    const records = this.#world.records();
    const live = new Set(processes.map(({ pid }) => pid));
    const found = records.flatMap((record) => {
      const { key, name, managed, state } = record;
      const text = `${name} (${key.slice(0, 12)}) ${state.status} ${state.pid ?? ''}`;
      if (['running', 'paused', 'restarting'].includes(state.status)) {
        return state.pid !== undefined && live.has(state.pid) && state.status !== 'restarting' ? [] : [text];
      }
      const { RestartPolicy, AutoRemove } = record.hostConfig;
      const isWanted = !['', 'no', undefined].includes(RestartPolicy?.Name) && !record.stoppedByUser;
      if (managed && state.status === 'exited') {
        return AutoRemove === true || (isWanted && state.error === undefined) ? [text] : [];
      }
      // A foreground run that was killed goes with the next list.
      return managed || (state.pid !== undefined && live.has(state.pid)) ? [] : [text];
    });
    // Processes kept ready by the daemon wait for their orders; all others belong to a container.
    const owned = new Set(records.map(({ state }) => state.pid));
    const idle = processes.filter(({ kind, pid }) => kind === 'shim' && !owned.has(pid));
    const strays = idle.filter(({ parent }) => !this.#isWarm(parent));
    // A daemon goes on with what a client has asked for and does not wait for any more.
    const busy = this.#world.locks().filter(({ pid }) => live.has(pid));
    const commands = processes.filter(({ kind, command }) => kind === 'other' && !command.includes('run --rm'));
    return [
      ...found,
      ...strays.map(({ pid }) => `process ${pid} of no container`),
      ...busy.map(({ name }) => `lock ${name}`),
      ...commands.map(({ pid, command }) => `command ${pid} ${command}`),
    ];
  }

  /** The guard of one kept ready is a child of the daemon's. */
  #isWarm(guard: number): boolean {
    const { daemonPid } = this.#world;
    if (daemonPid === undefined) return false;
    return this.#world.processes().some(({ pid, parent }) => pid === guard && parent === daemonPid);
  }

  async #compare(
    started: readonly Started[],
    ends: readonly Ended[],
    hit: ReadonlySet<string>,
    restarted: boolean,
  ): Promise<void> {
    const records = new Map(this.#world.records().map((record) => [record.key, record]));
    const removed = new Set<string>();
    const mayBeGone = new Set<string>(hit);
    const touched = new Set<string>();
    const names = new Map<string, Set<string>>();
    started.forEach(({ operation }, index) => {
      const { code, stderr, stdout, late } = ends[index]!;
      const { what, target, creates } = operation;
      this.#log.push(`${what}: ${code ?? 'killed'} ${stderr.trim()}`);
      if (late) this.#violate(`${operation.args.join(' ')} never ended`);
      const isAcknowledged = code === 0;
      this.done[what] = (this.done[what] ?? 0) + (isAcknowledged ? 1 : 0);
      if (!isAcknowledged && code !== undefined) this.refused[what] = (this.refused[what] ?? 0) + 1;
      if (/internal error|TypeError|ReferenceError|RangeError|at .*\.(cjs|js):\d+/.test(stderr)) {
        this.#violate(`${operation.args.join(' ')}: ${stderr}`);
      }
      if (target !== undefined) {
        if (operation.changesStatus === true) touched.add(target.id);
        if (operation.removes === true && (what === 'rm -f' || target.autoRemove)) mayBeGone.add(target.id);
        // With force there is no container of that name by then: nothing to remove is no failure.
        if (what === 'rm -f' && isAcknowledged && !/no such container/i.test(stderr)) removed.add(target.id);
        if (operation.renames !== undefined) {
          const possible = names.get(target.id) ?? new Set([target.name]);
          possible.add(operation.renames);
          if (isAcknowledged && started.length === 1) possible.delete(target.name);
          names.set(target.id, possible);
        }
      }
      if (creates !== undefined) this.#created(creates, isAcknowledged ? stdout.trim() : undefined, what, hit);
      if (isAcknowledged) operation.acknowledged?.(ends[index]!);
    });
    // Found by their names, whether or not their creation was acknowledged.
    for (const { operation } of started) {
      const { creates } = operation;
      if (creates === undefined) continue;
      const record = [...records.values()].find(({ name }) => name === creates.name);
      if (record === undefined || this.#known.has(record.key)) continue;
      const { policy, autoRemove, name } = creates;
      this.#known.set(record.key, { id: record.key, name, policy, autoRemove, files: new Map(), status: '?' });
      touched.add(record.key);
    }
    for (const known of [...this.#known.values()]) {
      const record = records.get(known.id);
      if (record === undefined) {
        const allowed = removed.has(known.id) || (mayBeGone.has(known.id) && (known.autoRemove || !hit.has(known.id)));
        const asked = started.some(({ operation }) => operation.what === 'rm -f' && operation.target === known);
        if (!allowed && !asked) this.#violate(`lost: ${known.name} (${known.id.slice(0, 12)})`);
        this.#known.delete(known.id);
        continue;
      }
      if (removed.has(known.id)) this.#violate(`${known.name} was removed and is there`);
      const possible = names.get(known.id) ?? new Set([known.name]);
      if (!possible.has(record.name)) {
        this.#violate(`${known.name} is called ${record.name}, not ${[...possible].join(' or ')}`);
      }
      known.name = record.name;
      const { status, exit, error } = record.state;
      if (hit.has(known.id) && !touched.has(known.id)) {
        const restarts = known.policy !== 'no' && ['running', 'paused'].includes(known.status);
        if (restarts && !['running', 'paused'].includes(status) && !this.#wasStopped(known)) {
          this.#violate(`${known.name} (${known.policy}) was not restarted: ${status} ${error ?? ''}`);
        }
        if (known.status === 'running' && known.policy === 'no' && status === 'exited' && exit?.exitCode !== 137) {
          this.#violate(`${known.name} ended with ${exit?.exitCode} after a kill`);
        }
      }
      // A daemon that begins starts those whose policy is `always`, also where somebody had stopped them, and others whose
      // last start was cut off.
      const isWanted = known.policy === 'always' || known.policy === 'unless-stopped';
      const isStartedAgain = restarted && isWanted && status === 'running';
      if (
        !isStartedAgain &&
        known.status !== '?' &&
        !touched.has(known.id) &&
        !hit.has(known.id) &&
        status !== known.status
      ) {
        this.#violate(`${known.name} was ${known.status} and is ${status} although nobody asked: ${error ?? ''}`);
      }
      known.status = status;
    }
    await this.#lists(records);
  }

  #wasStopped({ id }: Known): boolean {
    return this.#world.records().find(({ key }) => key === id)?.stoppedByUser === true;
  }

  #created(
    { name, policy, autoRemove }: NonNullable<Operation['creates']>,
    id: string | undefined,
    what: string,
    hit: ReadonlySet<string>,
  ): void {
    if (id === undefined) return;
    if (!/^[0-9a-f]{64}$/.test(id)) {
      this.#violate(`${what} printed ${JSON.stringify(id)}`);
      return;
    }
    const record = this.#world.records().find(({ key }) => key === id);
    if (record === undefined) {
      if (!autoRemove || hit.size === 0) this.#violate(`${name} was made and is not there`);
      return;
    }
    this.#known.set(id, { id, name, policy, autoRemove, files: new Map(), status: '?' });
  }

  /** The command, the daemon and the disk say the same. */
  async #lists(records: ReadonlyMap<string, DiskRecord>): Promise<void> {
    const expected = [...records.values()].map(({ key, name, state }) => `${key} ${name} ${state.status}`).sort();
    const format = '{{.ID}} {{.Names}} {{.State}}';
    const [local, remote] = await Promise.all([
      this.#world.wctr(['ps', '-a', '--no-trunc', '--format', format]).ended,
      this.#world.get('/v1.47/containers/json?all=1') as Promise<{ Id: string; Names: string[]; State: string }[]>,
    ]).catch((error: Error) => {
      this.#violate(`list: ${error.message}`);
      return [undefined, undefined] as const;
    });
    if (local === undefined || remote === undefined) return;
    const lines = local.stdout.split('\n').filter((line) => line !== '');
    const listed = remote.map(({ Id, Names, State }) => `${Id} ${Names.join().slice(1)} ${State}`);
    for (const [who, list] of [
      ['wctr ps', lines],
      ['the daemon', listed],
    ] as const) {
      const wrong = difference(expected, list.toSorted());
      if (wrong !== '') this.#violate(`${who} lists ${wrong}`);
    }
    for (const { key, name, state } of records.values()) {
      if (!this.#known.has(key)) this.#violate(`${name} (${key.slice(0, 12)}, ${state.status}) was never asked for`);
    }
  }

  /** What is there can be used: those that were hit always, sometimes another one; all the way now and then. */
  async #use(targets: readonly (Known | undefined)[]): Promise<void> {
    const all = [...this.#known.values()];
    if (all.length === 0) return;
    const some = new Set(
      [...targets, this.#pick(all)].filter((known) => known !== undefined && this.#known.has(known.id)),
    );
    for (const known of some) {
      const one = known as Known;
      if (one.status === 'paused') {
        await this.#must(['unpause', one.name]);
        one.status = 'running';
      }
      if (one.status === 'running') await this.#check(one);
      if (one.autoRemove || !this.#chance(0.3)) continue;
      await this.#must(['stop', '-t', '0', one.name]);
      // One that has never run stays as it is.
      this.#expectStatus(one, one.status === 'created' ? 'created' : 'exited');
      await this.#must(['start', one.name]);
      this.#expectStatus(one, 'running');
      await this.#check(one);
      if (!this.#chance(0.4)) continue;
      await this.#must(['rm', '-f', one.name]);
      if (this.#world.records().some(({ key }) => key === one.id)) this.#violate(`${one.name} is there after rm`);
      this.#known.delete(one.id);
    }
    for (const image of this.#images) {
      if (!this.#chance(0.3)) continue;
      await this.#must(['run', '--rm', image, 'hello'], 'local');
      await this.#must(['rmi', image], 'local');
      this.#images.delete(image);
    }
  }

  async #check(one: Known): Promise<void> {
    const hello = await this.#must(['exec', one.name, '/busybox.wasm', 'hello']);
    if (hello !== undefined && !hello.includes('Hello from the guest'))
      this.#violate(`exec in ${one.name} said ${hello}`);
    for (const [path, text] of [...one.files].slice(-4)) {
      const content = await this.#must(['exec', one.name, '/busybox.wasm', 'read', path]);
      if (content !== undefined && !content.includes(text)) {
        this.#violate(`${path} of ${one.name} holds ${JSON.stringify(content)}`);
      }
    }
  }

  #expectStatus(one: Known, status: string): void {
    const record = this.#world.records().find(({ key }) => key === one.id);
    one.status = record?.state.status ?? 'gone';
    if (one.status !== status)
      this.#violate(`${one.name} is ${one.status}, not ${status}: ${record?.state.error ?? ''}`);
  }

  async #must(args: readonly string[], route?: 'local', timeoutMs?: number): Promise<string | undefined> {
    const isRemote = route !== 'local' && this.#chance(0.5);
    const { code, stdout, stderr, late } = await (isRemote
      ? this.#world.remote(args, timeoutMs)
      : this.#world.wctr(args, timeoutMs)
    ).ended;
    if (code === 0) return stdout;
    this.#violate(
      `${isRemote ? 'remote' : 'local'} ${args.join(' ')}: ${late ? 'never ended' : code} ${stderr.trim()}`,
    );
    return undefined;
  }

  #violate(text: string): void {
    const line = `round ${this.#count}: ${text}\n    ${this.#log.join('\n    ')}`;
    this.violations.push(line);
    this.#report(line);
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)]!;
  }

  #chance(of: number): boolean {
    return this.#random() < of;
  }
}

function difference(expected: readonly string[], found: readonly string[]): string {
  const short = (line: string) => line.replace(/^([0-9a-f]{12})[0-9a-f]{52}/, '$1');
  const more = found.filter((line) => !expected.includes(line)).map((line) => `+${short(line)}`);
  const less = expected.filter((line) => !found.includes(line)).map((line) => `-${short(line)}`);
  return [...more, ...less].join(', ');
}

function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
