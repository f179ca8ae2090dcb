/** A builder in a process of its own, to be killed: `node run-builder-child.js <store> <base> <secret>` does one RUN after the other. */
import type { Digest } from '../../src/spec/image-spec.ts';
import { openRunWorld, secret, treeOf } from './run-executor.ts';

const [root, base, word] = process.argv.slice(2) as [string, Digest, string];
const world = await openRunWorld({ store: { root, base } });
const tree = treeOf({ 'src/a.c': `int a; // ${word}` });
const cache = { type: 'cache', target: '/cache', readonly: false, mode: 0o755, uid: 0, gid: 0 } as const;
const many = Array.from({ length: 3 }, async (_, i) => {
  for (let number = 0; ; number += 1) {
    const ran = await world.step(
      [
        'cat',
        '/run/secrets/word',
        ',',
        'many',
        '/tmp',
        '200',
        ',',
        'append',
        '/cache/log',
        'x',
        ',',
        'write',
        '/a',
        '',
      ],
      {
        network: i === 0 ? 'none' : 'default',
        mounts: [
          secret('/run/secrets/word', word),
          { type: 'bind', target: '/src', tree, source: 'src', readonly: false },
          { ...cache, id: 'log', sharing: (['shared', 'private', 'locked'] as const)[i]! },
        ],
      },
    );
    if (ran.exitCode !== 0 || ran.stdout !== word) process.stdout.write(`wrong: ${ran.exitCode} ${ran.stderr}\n`);
    process.stdout.write(`ran ${i} ${number}\n`);
  }
});
await Promise.all(many);
