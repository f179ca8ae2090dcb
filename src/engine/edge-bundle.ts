/**
 * `--output type=edge`: an image as modules that a host imports which compiles no Wasm at run time (Cloudflare Workers and
 * the like). The guard's work is done here; the bundle holds its result, the kernel, and the image's files.
 */
import { commandLine, resolveUser } from '../containers/process-config.ts';
import { guardModule, WASI_GRANTS } from '../core/guard.ts';
import { withMemoryKind } from '../core/load.ts';
import { WctrError } from '../errors.ts';
import type { EdgeDescription } from '../host/edge-image.ts';
import { type TarMember, writeTar } from '../images/archive/tar-writer.ts';
import type { Image } from '../images/image-store.ts';
import { quote } from '../images/quote.ts';
import { probeEntrypoint } from '../images/variants.ts';
import type { EngineParts } from './parts.ts';
import { RootfsFiles } from './rootfs-files.ts';

/** What the package has for it. */
export interface EdgeRuntime {
  /** src/edge.ts and all it imports, as one ES module. */
  readonly runtime: Uint8Array;
  /** kernel.wasm as it was built. */
  readonly kernel: Uint8Array;
}

export interface EdgeBundleOptions {
  /** What the guest's memory is held to. Default 96 MiB: such hosts give 128 in all. */
  readonly memoryBytes?: number;
}

const DEFAULT_MEMORY_BYTES = 96 * 1024 * 1024;
const PAGE_BYTES = 65536;
const TABLE_ELEMENTS = 1_000_000;

/** A tar. Throws 'unsupported' for an image that has no module to start, 'module-denied' as a run would. */
export async function* edgeBundle(
  parts: Pick<EngineParts, 'core' | 'layers' | 'host'>,
  { runtime, kernel }: EdgeRuntime,
  image: Pick<Image, 'config' | 'diffIds'>,
  name: string,
  { memoryBytes = DEFAULT_MEMORY_BYTES }: EdgeBundleOptions = {},
): AsyncGenerator<Uint8Array> {
  const rootfs = await parts.layers.rootfs(image.diffIds);
  const files = new RootfsFiles(rootfs, parts.host.readAt);
  const memoryPages = Math.floor(memoryBytes / PAGE_BYTES);
  const module = guardModule({ module: await parts.core.module(false) }, await programOf(image, files, name), {
    imports: WASI_GRANTS,
    ungranted: image.config.process.Labels?.['wctr.unknown-imports'] === 'trap' ? 'trap' : 'deny',
    maxMemoryPages: memoryPages,
    maxTableElements: TABLE_ELEMENTS,
    fuel: false,
  });
  const { Entrypoint, Cmd, Env = [], User, WorkingDir, ExposedPorts } = image.config.process;
  const description: EdgeDescription = {
    process: {
      args: commandLine({ entrypoint: Entrypoint ?? [], cmd: Cmd ?? [] }, {}),
      env: Env,
      cwd: WorkingDir || '/',
      user: await resolveUser(User, (path) => files.readText(path)),
    },
    info: module.info,
    memoryPages,
    http: Object.keys(ExposedPorts ?? {}).length > 0 ? 'socket' : 'cgi',
  };
  const layers = await Promise.all(rootfs.layers.map((layer) => files.whole(layer)));
  yield* writeTar([
    member('index.js', text(indexModule(layers.length))),
    member('image.js', text(`export default ${JSON.stringify(description, undefined, 2)};\n`)),
    member('runtime.js', runtime),
    member('kernel.wasm', withMemoryKind(kernel, false)),
    member('program.wasm', module.bytes),
    member('rootfs.bin', await files.whole(rootfs.index)),
    ...layers.map((layer, i) => member(`layer-${i}.bin`, layer)),
    member('config.capnp', text(workerdConfig(layers.length))),
    member('wrangler.toml', text(wranglerConfig(name))),
  ]);
}

async function programOf(
  { config }: Pick<Image, 'config'>,
  files: RootfsFiles,
  name: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const { Entrypoint, Cmd, Env = [], WorkingDir = '' } = config.process;
  const [command] = commandLine({ entrypoint: Entrypoint ?? [], cmd: Cmd ?? [] }, {});
  const hint = 'give it an ENTRYPOINT that is a WASI program';
  if (command === undefined) throw new WctrError('unsupported', `${name} starts no program`, { hint });
  const process = { env: Env, workingDir: WorkingDir };
  const probe = await probeEntrypoint(command, process, (path) => files.read(path, Number.MAX_SAFE_INTEGER));
  if (probe === undefined) throw new WctrError('not-found', `${name} has no file ${quote(command)}`, { hint });
  if (probe.kind !== 'module' || probe.exportName !== undefined) {
    throw new WctrError('unsupported', `${quote(probe.path)} of ${name} cannot run at the edge`, { hint });
  }
  return new Uint8Array((await files.read(probe.path, Number.MAX_SAFE_INTEGER)) ?? []);
}

/** Every module is imported by name, so the host compiles all of them beforehand. */
function indexModule(layers: number): string {
  const names = Array.from({ length: layers }, (_, i) => `layer${i}`);
  const imports = [
    ['description', 'image.js'],
    ['kernel', 'kernel.wasm'],
    ...names.map((name, i) => [name, `layer-${i}.bin`]),
    ['program', 'program.wasm'],
    ['index', 'rootfs.bin'],
    ['{ openEdge }', 'runtime.js'],
  ];
  return [
    ...imports.map(([name, file]) => `import ${name} from './${file}';`),
    '',
    `export const container = openEdge({ description, kernel, program, index, layers: [${names.join(', ')}] });`,
    'export default { fetch: (request, variables) => container.fetch(request, variables) };',
    '',
  ].join('\n');
}

function workerdConfig(layers: number): string {
  const modules = [
    ['index.js', 'esModule'],
    ['image.js', 'esModule'],
    ['runtime.js', 'esModule'],
    ['kernel.wasm', 'wasm'],
    ['program.wasm', 'wasm'],
    ['rootfs.bin', 'data'],
    ...Array.from({ length: layers }, (_, i) => [`layer-${i}.bin`, 'data']),
  ];
  return `# workerd serve config.capnp
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "main", worker = .worker)],
  sockets = [(name = "http", address = "127.0.0.1:8080", http = (), service = "main")],
);

const worker :Workerd.Worker = (
  compatibilityDate = "${COMPATIBILITY_DATE}",
  modules = [
${modules.map(([name, kind]) => `    (name = "${name}", ${kind} = embed "${name}"),`).join('\n')}
  ],
);
`;
}

function wranglerConfig(name: string): string {
  const worker = name
    .toLowerCase()
    .replace(/^.*\//, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return `# npx wrangler deploy
name = "${worker || 'wctr'}"
main = "index.js"
compatibility_date = "${COMPATIBILITY_DATE}"
no_bundle = true

[[rules]]
type = "ESModule"
globs = ["**/*.js"]

[[rules]]
type = "CompiledWasm"
globs = ["**/*.wasm"]

[[rules]]
type = "Data"
globs = ["**/*.bin"]
`;
}

/** What the runtime was tried with. */
const COMPATIBILITY_DATE = '2026-01-01';

function member(path: string, bytes: Uint8Array): TarMember {
  const data = async function* () {
    yield bytes;
  };
  return { path, kind: 'file', mode: 0o644, sizeBytes: bytes.length, data };
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}
