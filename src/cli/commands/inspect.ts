import { isWctrError, WctrError } from '../../errors.ts';
import type { Command, Context } from '../command.ts';
import { printDocuments } from './documents.ts';

export const command: Command = {
  usage: 'NAME|ID [NAME|ID...]',
  args: [1, Number.POSITIVE_INFINITY],
  flags: [
    { name: 'format', short: 'f', type: 'string', value: 'template', description: "Go template or 'json'" },
    { name: 'type', type: 'string', value: 'kind', description: "Look among 'image' or 'container' only" },
  ],
  examples: ['wctr inspect hello', "wctr inspect -f '{{.Config.Entrypoint}}' hello"],
  async run(context, names, flags) {
    const type = flags.string('type');
    if (type !== undefined && type !== 'image' && type !== 'container') {
      throw new WctrError('invalid-argument', `"${type}" is not a type to inspect`, {
        hint: "write 'image' or 'container'",
      });
    }
    return printDocuments(context, names, flags.string('format'), (name) => find(context, name, type));
  },
};

async function find({ engine }: Context, name: string, type: string | undefined): Promise<object> {
  const { containers, images } = await engine();
  if (type === 'image') return images.inspect(name);
  try {
    return await containers.inspect(name);
  } catch (error) {
    if (type === 'container' || !isWctrError(error, 'no-such-container')) throw error;
  }
  try {
    return await images.inspect(name);
  } catch (error) {
    if (!isWctrError(error, 'no-such-image')) throw error;
    throw new WctrError(
      'not-found',
      `no such image or container: ${name}`,
      error.hint === undefined ? {} : { hint: error.hint },
    );
  }
}
