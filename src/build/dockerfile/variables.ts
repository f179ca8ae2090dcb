/** What variables are set where: ARGs before the first FROM, a stage's own, its ENV, and those that are always there. */
import { formatPlatform } from '../../images/platform.ts';
import type { Platform } from '../../spec/image-spec.ts';
import type { ArgInstruction, Dockerfile } from './ast.ts';
import { WordExpander } from './expand.ts';
import type { Variables } from './shell-lexer.ts';

export type BuildArgs = Readonly<Record<string, string>>;

export interface GlobalOptions {
  /** `--build-arg` */
  readonly buildArgs?: BuildArgs;
  readonly targetPlatform: Platform;
  readonly buildPlatform: Platform;
  /** `--target`; empty where the last stage is built. */
  readonly target?: string;
}

/** TARGETPLATFORM and its like; FROM sees them, a stage once it declares them with ARG. */
export function platformArgs({
  buildPlatform,
  targetPlatform,
  target,
  buildArgs = {},
}: GlobalOptions): Map<string, string> {
  const args: [string, string][] = [
    ['BUILDPLATFORM', formatPlatform(buildPlatform)],
    ['BUILDOS', buildPlatform.os],
    ['BUILDOSVERSION', buildPlatform['os.version'] ?? ''],
    ['BUILDARCH', buildPlatform.architecture],
    ['BUILDVARIANT', buildPlatform.variant ?? ''],
    ['TARGETPLATFORM', formatPlatform(targetPlatform)],
    ['TARGETOS', targetPlatform.os],
    ['TARGETOSVERSION', targetPlatform['os.version'] ?? ''],
    ['TARGETARCH', targetPlatform.architecture],
    ['TARGETVARIANT', targetPlatform.variant ?? ''],
    ['TARGETSTAGE', target || 'default'],
  ];
  return new Map(args.map(([name, value]) => [name, ownValue(buildArgs, name) ?? value]));
}

/** What FROM can use: the platform's, and the ARGs before the first FROM, each seeing those before it. */
export function globalVariables(file: Dockerfile, options: GlobalOptions): Map<string, string> {
  const last = file.stages[file.stages.length - 1];
  const variables = platformArgs({ ...options, target: options.target || last?.name || '' });
  for (const { args } of file.globalArgs) {
    for (const { key, value } of args) {
      const given = ownValue(options.buildArgs ?? {}, key.text);
      if (given !== undefined) variables.set(key.text, given);
      else if (value !== undefined) variables.set(key.text, new WordExpander(variables, file).word(value).text);
    }
  }
  return variables;
}

export interface DeclaredArg {
  readonly key: string;
  /** Undefined where neither a default nor a build argument gives one. */
  readonly value: string | undefined;
}

/**
 * The variables of a stage while its instructions are gone through. ENV and ARG set one and the same table, the later
 * one wins; what ENV set belongs into the image too.
 */
export class StageVariables implements Variables {
  readonly #globals: ReadonlyMap<string, string>;
  readonly #buildArgs: BuildArgs;
  readonly #values: Map<string, string>;
  readonly #declared: DeclaredArg[];

  constructor(
    globals: ReadonlyMap<string, string>,
    buildArgs: BuildArgs,
    inherited: {
      readonly values?: Iterable<readonly [string, string]>;
      readonly declared?: readonly DeclaredArg[];
    } = {},
  ) {
    this.#globals = globals;
    this.#buildArgs = buildArgs;
    this.#values = new Map(inherited.values);
    this.#declared = [...(inherited.declared ?? [])];
  }

  /** For a stage that is built on this one. */
  child(): StageVariables {
    return new StageVariables(this.#globals, this.#buildArgs, { values: this.#values, declared: this.#declared });
  }

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** The environment of a RUN, in the order the names were first set. */
  entries(): [string, string][] {
    return [...this.#values];
  }

  names(): string[] {
    return [...this.#values.keys()];
  }

  /** ARGs so far, those without a value too; those of the stage below first. */
  get declared(): readonly DeclaredArg[] {
    return this.#declared;
  }

  setEnv(name: string, value: string): void {
    this.#values.set(name, value);
  }

  /** `ARG`: the build argument, else the default, else the global ARG of this name, else no value. */
  declare(instruction: ArgInstruction, file: Pick<Dockerfile, 'source' | 'escape'>): { unset: readonly string[] } {
    const unset: string[] = [];
    for (const { key, value } of instruction.args) {
      let found = ownValue(this.#buildArgs, key.text);
      if (found === undefined && value !== undefined) {
        const expander = new WordExpander(this, file);
        found = expander.word(value).text;
        unset.push(...expander.unset);
      }
      if (found === undefined) found = this.#globals.get(key.text);
      if (found !== undefined) this.#values.set(key.text, found);
      this.#declared.push({ key: key.text, value: found });
    }
    return { unset };
  }
}

const PROXIES = ['http_proxy', 'https_proxy', 'ftp_proxy', 'no_proxy', 'all_proxy'];

/** Proxy build arguments: every RUN has them without an ARG, and neither image nor history nor cache sees them. */
export function proxyVariables(buildArgs: BuildArgs): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of Object.keys(buildArgs).sort()) {
    const lower = name.toLowerCase();
    if (!PROXIES.includes(lower)) continue;
    found.set(lower.toUpperCase(), buildArgs[name] as string);
    found.set(lower, buildArgs[name] as string);
  }
  return found;
}

function ownValue(args: BuildArgs, name: string): string | undefined {
  return Object.hasOwn(args, name) ? args[name] : undefined;
}
