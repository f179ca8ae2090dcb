/** The config of the image a stage makes, instruction by instruction. */
import { WctrError } from '../../errors.ts';
import type { HistoryEntry, ProcessConfig } from '../../spec/image-spec.ts';
import type { CommandForm, StageInstruction } from '../dockerfile/ast.ts';
import { exposedPorts } from '../dockerfile/expose.ts';
import type { SourceText } from '../dockerfile/source.ts';
import { cleanPath } from '../ignore/clean-path.ts';

/** No image with more is read here (images/config.ts), and copying them for each stage has to end. */
const MAX_ITEMS = 4096;
const MAX_KEYS = 1024;

type Draft = { -readonly [Key in keyof ProcessConfig]: ProcessConfig[Key] };

/** Every stage has a PATH: docker's, where the base image has none. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
export const DEFAULT_SHELL = ['/bin/sh', '-c'];
const SIGNAL = /^[A-Za-z0-9+-]{1,16}$/;

/** What a draft begins with. */
export interface DraftBase {
  readonly process: ProcessConfig;
  readonly author?: string | undefined;
  readonly history: readonly HistoryEntry[];
}

export class ImageDraft {
  author: string | undefined;
  readonly history: HistoryEntry[] = [];
  readonly #created: string;
  #process: Draft;
  #hasCmd = false;
  /** Of this stage alone; those of the config until there are any. */
  #labels: Record<string, string> | undefined;

  /** `created` for every entry of the history, RFC 3339. `below`: another stage's draft, or an image's config. */
  constructor(created: string, below?: DraftBase) {
    this.#created = created;
    this.#process = { ...below?.process };
    // Triggers are for whoever builds on the image, once
    delete this.#process.OnBuild;
    if (below !== undefined) {
      this.author = below.author;
      this.history.push(...below.history);
    }
    if (!this.env.some((entry) => entry.startsWith('PATH='))) this.#setEnv('PATH', DEFAULT_PATH);
  }

  get process(): ProcessConfig {
    return this.#process;
  }

  get env(): readonly string[] {
    return this.#process.Env ?? [];
  }

  get workingDir(): string {
    return this.#process.WorkingDir || '/';
  }

  /** `layer`: the instruction made one. */
  remember(createdBy: string, layer: boolean): void {
    if (this.history.length >= MAX_ITEMS) throw tooMany('instructions');
    const entry = { created: this.#created, created_by: createdBy };
    this.history.push(layer ? entry : { ...entry, empty_layer: true });
  }

  addLabels(labels: Readonly<Record<string, string>>): void {
    if (Object.keys(labels).length === 0) return;
    this.#labels ??= { ...this.#process.Labels };
    for (const [name, value] of Object.entries(labels)) {
      // Not by assignment, which would take `__proto__` for something else
      Object.defineProperty(this.#labels, name, { value, enumerable: true, configurable: true, writable: true });
    }
    this.#process.Labels = this.#labels;
  }

  /** An expanded instruction that only changes the config; WORKDIR's directory is somebody else's. */
  apply(instruction: StageInstruction, source: SourceText): void {
    this.#apply(instruction, source);
    const { Env = [], Labels = {}, ExposedPorts = {}, Volumes = {}, OnBuild = [] } = this.#process;
    const { kind } = instruction;
    if (kind === 'env' && Env.length > MAX_ITEMS) throw tooMany('variables');
    if (kind === 'label' && Object.keys(Labels).length > MAX_ITEMS) throw tooMany('labels');
    if (kind === 'expose' && Object.keys(ExposedPorts).length > MAX_KEYS) throw tooMany('ports');
    if (kind === 'volume' && Object.keys(Volumes).length > MAX_KEYS) throw tooMany('volumes');
    if (kind === 'onbuild' && OnBuild.length > MAX_ITEMS) throw tooMany('triggers');
  }

  #apply(instruction: StageInstruction, source: SourceText): void {
    const draft = this.#process;
    switch (instruction.kind) {
      case 'env':
        for (const { key, value } of instruction.pairs) this.#setEnv(key.text, value.text);
        break;
      case 'label':
        this.addLabels(Object.fromEntries(instruction.pairs.map(({ key, value }) => [key.text, value.text])));
        break;
      case 'cmd':
        draft.Cmd = this.#args(instruction.command);
        this.#hasCmd = true;
        break;
      case 'entrypoint': {
        const args = this.#args(instruction.command);
        if (args.length === 0) delete draft.Entrypoint;
        else draft.Entrypoint = args;
        // The base image's CMD was made for the base image's ENTRYPOINT
        if (!this.#hasCmd) delete draft.Cmd;
        break;
      }
      case 'healthcheck':
        this.#setHealthcheck(instruction);
        break;
      case 'expose':
        for (const word of instruction.values) {
          const ports = exposedPorts(word, source).ports.map((port) => [port, {}] as const);
          draft.ExposedPorts = { ...draft.ExposedPorts, ...Object.fromEntries(ports) };
        }
        break;
      case 'volume':
        draft.Volumes = { ...draft.Volumes, ...Object.fromEntries(instruction.values.map(({ text }) => [text, {}])) };
        break;
      case 'user':
        draft.User = instruction.value.text;
        break;
      case 'workdir':
        draft.WorkingDir = cleanPath(this.#absolute(instruction.value.text));
        break;
      case 'stopsignal':
        this.#setStopSignal(instruction.value.text);
        break;
      case 'shell':
        draft.Shell = instruction.values.map(({ text }) => text);
        break;
      case 'onbuild':
        draft.OnBuild = [...(draft.OnBuild ?? []), instruction.expression];
        break;
      case 'maintainer':
        this.author = instruction.value.text;
        break;
      default:
        break;
    }
  }

  #absolute(path: string): string {
    return path.startsWith('/') ? path : `${this.workingDir}/${path}`;
  }

  #args(command: CommandForm): string[] {
    if (command.form === 'exec') return command.args.map(({ text }) => text);
    return [...(this.#process.Shell ?? DEFAULT_SHELL), command.line.text];
  }

  /** In the place the name had. */
  #setEnv(name: string, value: string): void {
    const entry = `${name}=${value}`;
    const at = this.env.findIndex((old) => old.startsWith(`${name}=`));
    this.#process.Env = at < 0 ? [...this.env, entry] : this.env.map((old, i) => (i === at ? entry : old));
  }

  #setHealthcheck({ command, times }: Extract<StageInstruction, { kind: 'healthcheck' }>): void {
    if (command === undefined) {
      this.#process.Healthcheck = { Test: ['NONE'] };
      return;
    }
    const Test =
      command.form === 'exec' ? ['CMD', ...command.args.map(({ text }) => text)] : ['CMD-SHELL', command.line.text];
    this.#process.Healthcheck = {
      Test,
      ...(times.interval === 0 ? {} : { Interval: times.interval }),
      ...(times.timeout === 0 ? {} : { Timeout: times.timeout }),
      ...(times.startPeriod === 0 ? {} : { StartPeriod: times.startPeriod }),
      ...(times.startInterval === 0 ? {} : { StartInterval: times.startInterval }),
      ...(times.retries === 0 ? {} : { Retries: times.retries }),
    };
  }

  #setStopSignal(signal: string): void {
    if (!SIGNAL.test(signal)) {
      throw new WctrError('invalid-argument', `Invalid signal: ${signal}`, { hint: 'write STOPSIGNAL SIGTERM' });
    }
    this.#process.StopSignal = signal;
  }
}

function tooMany(what: string): WctrError {
  return new WctrError('limit-exceeded', `an image cannot have as many ${what} as this stage gives it`, {
    hint: `${what === 'ports' || what === 'volumes' ? MAX_KEYS : MAX_ITEMS} are allowed`,
  });
}
