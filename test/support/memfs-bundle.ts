/** memfs for a page, as an application's bundler would make it: one module, with stand-ins for Node's. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { peerPackage } from './peers.ts';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const PEERS = createRequire(new URL('../peers/package.json', import.meta.url));
const STAND_INS: Readonly<Record<string, string>> = {
  buffer: 'buffer',
  events: 'events',
  path: 'path-browserify',
  stream: 'readable-stream',
  url: 'url',
};
const PROCESS = `globalThis.global ??= globalThis;
globalThis.process ??= { env: {}, cwd: () => '/', nextTick: (f, ...a) => queueMicrotask(() => f(...a)) };`;

/** JavaScript with the export `memfs`; undefined when the stand-ins are not installed. */
export async function bundleMemfs(): Promise<string | undefined> {
  if (Object.values(STAND_INS).some((name) => peerPackage(name) === undefined)) return undefined;
  const bundle = await rolldown({
    input: 'page-memfs',
    cwd: PROJECT,
    platform: 'browser',
    logLevel: 'silent',
    plugins: [
      {
        name: 'stand-ins',
        resolveId(id) {
          if (id === 'page-memfs') return `${PROJECT}page-memfs.js`;
          const name = STAND_INS[id.replace(/^node:/, '').replace(/\/$/, '')];
          return name === undefined ? undefined : PEERS.resolve(`${name}/`);
        },
        load: (id) => (id === `${PROJECT}page-memfs.js` ? "export { memfs } from 'memfs';" : undefined),
      },
    ],
  });
  const { output } = await bundle.generate({ format: 'esm', banner: PROCESS, codeSplitting: false });
  await bundle.close();
  return output[0].code;
}
