// The programs that have to start fast: dist/bin/wctr.cjs and container.cjs, CommonJS because Node compiles and links it
// in half the time of the same ES modules. A file costs a millisecond to load, so what a run needs is in few of them:
// `guest` (runs a program), `engine` (finds the image). The rest loads with the command that needs it.
import { defineConfig } from 'rolldown';

/** What every command needs: it may load nothing of the others for that. */
const BASE =
  /\/dist\/(errors|version|spec\/engine-api|core\/load|containers\/(listing|records)|host\/(memory-locks|node\/(builtin|make-directories|context-store|direct-file-system|directories|engine-host|hasher|package-files|packaged-wasm))|engine\/(container-state|filters)|cli\/(complain|flags|format\/units|inert-text|suggest|terminal)|images\/(did-you-mean|digest|quote|store\/(disk-error|durable|records)))\.js/;
const GUEST =
  /\/dist\/(core\/(abi\/|guard)|host\/(fuel|mounts|runner|wasi|node\/(block-source|clock|runner-host|stdio|sync-file-system)|process\/(guest-process|own-process)))/;
const ENGINE =
  /\/dist\/(node|index|engine\/(assemble|collector|container-(context|names|run|use-cases)|image-use-cases|lazily|local-engine|program|rootfs-files|system-use-cases)\.js|containers\/(events|mounts|names|process-config)\.js|spec\/(image|oci)|core\/(core|core-modules|hash)\.js|host\/node\/(file-system|locks)|images\/(config|contracts|did-you-mean|digest|image-record|image-store|json-document|layer-files|layers|manifest|platform|quote|reference|variants|store\/))/;

/** What `run` adds to them, of which other commands use parts. */
const RUN = /\/dist\/cli\/(commands\/(create-flags|environment|run|run-options|run-path)|progress)\.js/;

/** What `ps` adds. */
const PS =
  /\/dist\/(engine\/(container-(list|views))|cli\/(commands\/(ps|container-rows|filters)|format\/(rows|ports|table|time|units)))\.js/;

/** Packages have a dist/ as well. */
const own = (pattern) => (id) => !id.includes('node_modules') && pattern.test(id);

/** The chunks are read as Latin-1, which is the fastest, so nothing beyond ASCII may be left in them. */
const escaped = (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;

const output = {
  dir: 'dist/bin',
  format: 'cjs',
  entryFileNames: '[name].cjs',
  chunkFileNames: '[name]-[hash].cjs',
  minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
};
/** One character beyond ASCII makes V8 keep a whole file in two bytes a character. */
const asciiOnly = {
  name: 'ascii-only',
  generateBundle(_options, bundle) {
    for (const file of Object.values(bundle)) {
      if (file.type !== 'chunk') continue;
      // biome-ignore lint/suspicious/noControlCharactersInRegex: everything that is ASCII
      file.code = file.code.replace(/[^\x00-\x7f]/g, escaped);
    }
  },
};
const shared = {
  platform: 'node',
  optimization: { inlineConst: true },
  external: ['@wasmer/wasi', 'memfs'],
  plugins: [asciiOnly],
};

export default defineConfig([
  {
    ...shared,
    input: { 'wctr-main': 'dist/cli/main.js', container: 'dist/host/process/child.js' },
    output: {
      ...output,
      cleanDir: true,
      codeSplitting: {
        groups: [
          { name: 'base', test: own(BASE), priority: 3 },
          { name: 'guest', test: own(GUEST), priority: 2 },
          { name: 'engine', test: own(ENGINE), priority: 1 },
          { name: 'run', test: own(RUN) },
          { name: 'ps', test: own(PS) },
        ],
      },
    },
  },
  // A container's process, and the thread each of its guests runs in: one file each, with nothing in it they do not need.
  { ...shared, input: { 'shim-main': 'dist/shim.js' }, output: { ...output, codeSplitting: false } },
  {
    ...shared,
    input: { 'guest-thread': 'dist/host/node/worker-entry.js' },
    output: { ...output, codeSplitting: false },
  },
  // What `wctr build --output type=edge` puts beside an image.
  {
    input: { runtime: 'dist/edge.js' },
    output: { dir: 'dist/edge', format: 'esm', codeSplitting: false, minify: true, cleanDir: true },
    platform: 'browser',
  },
  // By itself: what it loads comes with its compiled code, which it has to know how to find first.
  { ...shared, input: { wctr: 'dist/cli/launch.js' }, output },
  { ...shared, input: { shim: 'dist/host/node/shim-launch.js' }, output },
]);
