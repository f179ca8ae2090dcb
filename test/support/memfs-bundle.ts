/** memfs for a page, as an application's bundler would make it: one module, with stand-ins for Node's. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { peerPackage } from './peers.ts';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const STAND_INS: Readonly<Record<string, string>> = {
  buffer: 'buffer',
  events: 'events',
  path: 'path-browserify',
  stream: 'readable-stream',
  url: 'url',
};

/** JavaScript with the export `memfs`; undefined when the stand-ins are not installed. */
export async function bundleMemfs(): Promise<Uint8Array | undefined> {
  if (Object.values(STAND_INS).some((name) => peerPackage(name) === undefined)) return undefined;
  const { outputFiles } = await build({
    stdin: { contents: "export { memfs } from 'memfs';", resolveDir: PROJECT },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    write: false,
    logLevel: 'silent',
    define: { global: 'globalThis' },
    banner: {
      js: "globalThis.process ??= { env: {}, cwd: () => '/', nextTick: (f, ...a) => queueMicrotask(() => f(...a)) };",
    },
    inject: [],
    plugins: [
      {
        name: 'stand-ins',
        setup(plugin) {
          plugin.onResolve({ filter: /^(node:)?(buffer|events|path|stream|url)$/ }, ({ path }) => {
            const name = STAND_INS[path.replace(/^node:/, '')]!;
            return plugin.resolve(`${name}/`, { kind: 'require-call', resolveDir: join(PROJECT, 'test', 'peers') });
          });
        },
      },
    ],
  });
  return outputFiles[0]!.contents;
}
