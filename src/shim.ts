/**
 * The process of a managed container (dist/bin/shim-main.cjs; shim-launch.ts loads it with its compiled code). Descriptor
 * 4 says what to run: one line, a LaunchDocument, then `go`; its end before `go` means that nobody wants it any more.
 * Descriptor 3 takes the reports. The guard, its parent, notices when it ends by a signal (containers/node/shim-launcher.ts).
 */
import { createReadStream, writeSync } from 'node:fs';
import { described } from './containers/control/server.ts';
import { EventLog } from './containers/events.ts';
import { KernelFiles } from './containers/files/kernel-files.ts';
import type { BuildRunDocument, LaunchDocument, LaunchReport } from './containers/launch.ts';
import { ContainerRecords } from './containers/records.ts';
import { volumeNames } from './containers/removal.ts';
import { BuildRun } from './containers/shim/build-run.ts';
import { ContainerShim } from './containers/shim/shim.ts';
import { localDriver } from './containers/volumes/directory-driver.ts';
import { VolumeStore } from './containers/volumes/volume-store.ts';
import { openContainerNetwork } from './host/network/container-network.ts';
import type { NetworkPlan } from './host/network/port.ts';
import { createContainerHost } from './host/node/container-host.ts';
import { directFileSystem } from './host/node/direct-file-system.ts';
import { isAlive, processStart, randomBytes } from './host/node/engine-host.ts';
import { nodeHasher } from './host/node/hasher.ts';
import { nodeLocalSockets } from './host/node/local-sockets.ts';
import { FileLocks } from './host/node/locks.ts';
import { nodeSockets } from './host/node/network-sockets.ts';
import { DIST } from './host/node/package-files.ts';

const REPORTS = 3;
const ORDERS = 4;

interface Orders {
  /** Undefined when the launcher went away first. */
  readonly document: Promise<LaunchDocument | BuildRunDocument | undefined>;
  /** False when it went away without saying it. */
  readonly go: Promise<boolean>;
  /** It is gone, or wants no more. */
  readonly ended: Promise<void>;
}

function readOrders(): Orders {
  const orders = createReadStream('', { fd: ORDERS, autoClose: true, encoding: 'utf8' });
  const told: ((line: string | undefined) => void)[] = [];
  const next = () => new Promise<string | undefined>((resolve) => told.push(resolve));
  const lines = [next(), next()] as const;
  let text = '';
  orders.on('data', (chunk) => {
    const whole = (text + chunk).split('\n');
    text = whole.pop()!;
    for (const line of whole) told.shift()?.(line);
  });
  const ended = new Promise<void>((resolve) => {
    for (const end of ['error', 'end']) {
      orders.once(end, () => {
        for (const tell of told.splice(0)) tell(undefined);
        resolve();
      });
    }
  });
  return {
    document: lines[0].then((line) => (line === undefined ? undefined : JSON.parse(line))),
    go: lines[1].then((line) => line === 'go'),
    ended,
  };
}

function report(value: LaunchReport): void {
  try {
    writeSync(REPORTS, `${JSON.stringify(value)}\n`);
  } catch {
    // Whoever started this is gone; the container goes on.
  }
}

async function main(): Promise<void> {
  const orders = readOrders();
  const document = await orders.document;
  if (document === undefined) return;
  const live = 'kind' in document ? buildRun(document, orders) : container(document, orders);
  await live.catch((error: unknown) => report({ report: 'failed', error: described(error) }));
}

/** What both kinds need. */
function host() {
  return {
    guests: createContainerHost({
      threadEntry: `${DIST}bin/guest-thread.cjs`,
      files: (access) => new KernelFiles(access),
    }),
    sockets: nodeLocalSockets,
    openNetwork: (plan: NetworkPlan) => openContainerNetwork(plan, nodeSockets()),
    pid: process.pid,
    residentBytes: () => process.memoryUsage.rss(),
    report,
  };
}

async function buildRun(document: BuildRunDocument, orders: Orders): Promise<void> {
  const run = new BuildRun(document, host());
  void orders.go.then((isGo) => (isGo ? run.go() : undefined));
  void orders.ended.then(() => run.leave());
  await run.live();
  // Whatever its threads do: nothing of it is kept.
  process.kill(process.pid, 'SIGKILL');
}

async function container(document: LaunchDocument, orders: Orders): Promise<void> {
  const { root } = document;
  const locks = new FileLocks(`${root}/locks`);
  const fs = directFileSystem;
  const pidStartedAt = processStart(process.pid);
  const records = new ContainerRecords({ fs, root, createHasher: nodeHasher, locks, isAlive });
  const events = new EventLog({ fs, root, locks });
  const volumes = () =>
    new VolumeStore({
      fs,
      root,
      tempDir: `${root}/tmp`,
      locks,
      createHasher: nodeHasher,
      randomBytes,
      // What nobody named is the default driver's.
      drivers: [localDriver({ fs, directory: () => `${root}/volumes`, tempDir: `${root}/tmp` })],
      users: async () => (await records.list()).map((record) => ({ id: record.key, volumes: volumeNames(record) })),
      onEvent: (action, { key, driver }) =>
        events.append({ Type: 'volume', Action: action, Actor: { ID: key, Attributes: { driver } } }),
    });
  const shim = new ContainerShim(document, {
    ...host(),
    fs,
    records,
    events,
    removeVolume: async (name) => void (await volumes().removeUnused(name)),
    ...(pidStartedAt === undefined ? {} : { pidStartedAt }),
    now: () => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n,
  });
  void orders.go.then((isGo) => (isGo ? shim.go() : shim.abandon()));
  await shim.live();
}

// A mistake of ours in answering one caller must not take the container with it.
process.on('unhandledRejection', (error) => console.error(error));
// Nothing is certain after this one: end as if killed, and the guard puts the record right.
process.on('uncaughtException', (error) => {
  console.error(error);
  process.kill(process.pid, 'SIGKILL');
});
for (const name of ['SIGINT', 'SIGHUP', 'SIGTERM', 'SIGQUIT'] as const) process.on(name, () => {});
void main().then(() => process.exit(0));
