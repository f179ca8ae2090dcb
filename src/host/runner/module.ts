/** From a file's bytes to a module that may run: checked, clamped to the limits, compiled. */
import type { GuardCore, GuardInfo } from '../../core/guard.ts';
import { guardModule, WASI_GRANTS } from '../../core/guard.ts';
import { importsDenied } from '../../core/guard-errors.ts';
import { WctrError } from '../../errors.ts';
import type { SandboxResources, SandboxSpec } from '../sandbox.ts';
import { checkModule } from './program.ts';

export interface PreparedModule {
  readonly module: WebAssembly.Module;
  readonly info: GuardInfo;
  /** The module calls back for fuel: see host/fuel.ts. */
  readonly fuel: boolean;
}

const PAGE_BYTES = 65536;
const MAX_PAGES = 65536;
/** 16 bytes an entry in V8: what a table may cost where nothing else is said. */
const DEFAULT_TABLE_ELEMENTS = 1_000_000;

/**
 * Throws 'exec-format' (not a core module), 'invalid-module', 'module-denied', 'no-memory'.
 * `fuel`: have the guest come back to the host now and then, for a CPU limit or to be stopped on its own thread.
 * `state`: have its state within reach, for a checkpoint, always or if it was built with Asyncify; the host runs its start
 * function then.
 */
export function prepareModule(
  core: GuardCore,
  name: string,
  bytes: Uint8Array,
  { resources, program }: Pick<SandboxSpec, 'resources' | 'program'>,
  fuel: boolean,
  state: 'none' | 'asyncify' | 'all' = 'none',
): PreparedModule {
  checkModule(name, bytes);
  const guarded = guardModule(core, bytes, {
    imports: WASI_GRANTS,
    ungranted: program.unknownImports ?? 'deny',
    maxMemoryPages: memoryPages(resources),
    maxTableElements: resources.tableElements ?? DEFAULT_TABLE_ELEMENTS,
    fuel,
    state: state === 'all',
    stateOfAsyncify: state === 'asyncify',
  });
  return { module: compile(name, guarded.bytes), info: guarded.info, fuel };
}

/** Guest pages a limit in bytes allows. */
export function memoryPages(resources: SandboxResources): number {
  return Math.min(MAX_PAGES, Math.floor((resources.memoryBytes ?? Number.POSITIVE_INFINITY) / PAGE_BYTES));
}

function compile(name: string, bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  try {
    return new WebAssembly.Module(bytes);
  } catch (cause) {
    const text = (cause as Error).message.replace(/^WebAssembly\.Module\(\): /, '');
    throw new WctrError('invalid-module', `exec ${name}: invalid WebAssembly module: ${text}`, { cause });
  }
}

/**
 * The personality's imports, and for each function that is not among them one that traps with its name. Throws
 * 'module-denied' instead where the program was not run to live without them; the guard has let through every name of a
 * WASI module, also one that no version of WASI has.
 */
export function linkedImports(
  info: GuardInfo,
  granted: WebAssembly.Imports,
  unknown: 'deny' | 'trap',
): WebAssembly.Imports {
  const missing = info.imports.filter(
    ({ kind, module, name }) => kind === 'function' && !Object.hasOwn(granted[module] ?? {}, name),
  );
  if (missing.length === 0) return granted;
  if (unknown === 'deny') throw importsDenied(missing.map(({ module, name }) => `${module}.${name}`));
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = { ...granted };
  for (const { module, name } of missing) {
    imports[module] = {
      ...imports[module],
      [name]: () => {
        throw new WebAssembly.RuntimeError(`called ${JSON.stringify(`${module}.${name}`)}, which is not there`);
      },
    };
  }
  return imports;
}
