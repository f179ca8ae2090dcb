import type { Engine } from '../../engine/engine.ts';
import { type ErrorCode, isWctrError, WctrError } from '../../errors.ts';
import type { Command, Context } from '../command.ts';
import { printDocuments } from './documents.ts';

/** In the order docker looks, and the codes by which each says that it has no such thing. */
const KINDS: Readonly<Record<string, { readonly missing: readonly ErrorCode[]; find: Finder }>> = {
  container: {
    missing: ['no-such-container'],
    find: ({ containers }, name, size) => containers.inspect(name, { size }),
  },
  image: { missing: ['no-such-image', 'invalid-reference'], find: ({ images }, name) => images.inspect(name) },
  network: { missing: ['not-found'], find: ({ networks }, name) => networks.inspect(name) },
  volume: { missing: ['not-found'], find: ({ volumes }, name) => volumes.inspect(name) },
};

type Finder = (engine: Engine, name: string, size: boolean) => Promise<object>;

export const command: Command = {
  usage: 'NAME|ID [NAME|ID...]',
  args: [1, Number.POSITIVE_INFINITY],
  flags: [
    { name: 'format', short: 'f', type: 'string', value: 'template', description: "Go template or 'json'" },
    { name: 'size', short: 's', type: 'boolean', description: 'Show sizes of containers' },
    {
      name: 'type',
      type: 'string',
      value: 'kind',
      description: `Look among one kind only: ${Object.keys(KINDS).join(', ')}`,
    },
  ],
  examples: ['wctr inspect web', "wctr inspect -f '{{.State.Status}}' web", 'wctr inspect --type volume data'],
  async run(context, names, flags) {
    const type = flags.string('type') ?? '';
    if (type !== '' && !Object.hasOwn(KINDS, type)) {
      throw new WctrError('invalid-argument', `"${type}" is not a type to inspect`, {
        hint: `write one of ${Object.keys(KINDS).join(', ')}`,
      });
    }
    const size = flags.bool('size');
    return printDocuments(context, names, flags.string('format'), (name) => find(context, name, type, size));
  },
};

async function find({ engine }: Context, name: string, type: string, size: boolean): Promise<object> {
  const opened = await engine();
  if (type !== '') return KINDS[type]!.find(opened, name, size);
  let hint: string | undefined;
  for (const [kind, { missing, find }] of Object.entries(KINDS)) {
    try {
      return await find(opened, name, size);
    } catch (error) {
      if (!isWctrError(error) || !missing.includes(error.code)) throw error;
      if (kind === 'image') hint = error.hint;
    }
  }
  throw new WctrError('not-found', `no such object: ${name}`, hint === undefined ? {} : { hint });
}
