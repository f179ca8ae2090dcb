import { WctrError } from '../../errors.ts';
import type { Command, Context } from '../command.ts';
import { printable } from '../format/units.ts';

export const command: Command = {
  usage: '',
  args: [0, 0],
  flags: [
    {
      name: 'input',
      short: 'i',
      type: 'string',
      value: 'path',
      description: 'Read this tar archive or OCI layout directory instead of standard input',
    },
    { name: 'quiet', short: 'q', type: 'boolean', description: 'Print nothing but errors' },
  ],
  examples: ['wctr load -i image.tar', 'docker save app | wctr load', 'wctr load -i ./oci-layout'],
  async run(context, _args, flags) {
    const { terminal, engine, signal } = context;
    const source = await openSource(context, flags.string('input'));
    const loaded = await (await engine()).images.load(source, { signal });
    if (flags.bool('quiet')) return 0;
    for (const image of loaded) {
      const names =
        image.references.length === 0
          ? [`Loaded image ID: ${image.id}`]
          : image.references.map((name) => `Loaded image: ${name}`);
      terminal.out(`${printable(names.join('\n'))}\n`);
    }
    return 0;
  },
};

async function openSource({ host, terminal }: Context, path: string | undefined) {
  if (path !== undefined) {
    const kind = await host.kind(path);
    if (kind === undefined) throw new WctrError('not-found', `no such file or directory: ${path}`);
    return kind === 'directory' ? { directory: host.resolvePath(path) } : { tar: host.readStream(path), name: path };
  }
  if (terminal.stdinIsTTY) {
    throw new WctrError('invalid-argument', 'requested load from stdin, but stdin is a terminal', {
      hint: 'give a file with -i, or pipe one in',
    });
  }
  return { tar: host.stdin(), name: 'standard input' };
}
