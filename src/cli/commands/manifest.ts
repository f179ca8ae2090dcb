/** `wctr manifest`: indexes of registries, looked at and put together. */
import { WctrError } from '../../errors.ts';
import { DEFAULT_TAG, familiarName, parseReference, type Reference } from '../../images/reference.ts';
import { annotated, indexOf, isEntry, ManifestLists, pushList, remoteEntry } from '../../images/remote-index.ts';
import type { Command, Context } from '../command.ts';
import type { Flag, ParsedFlags } from '../flags.ts';
import { createProgress, NO_PROGRESS } from '../progress.ts';
import type { RegistryTools } from '../registry-tools.ts';
import { registryTools } from './registry-flags.ts';

async function open(context: Context) {
  const tools = await registryTools(context);
  return { tools, lists: new ManifestLists(tools.fs, tools.configDirectory) };
}

const INSECURE: Flag = {
  name: 'insecure',
  type: 'boolean',
  description: 'Speak to the registry over plain http where it has no TLS',
};

function clientFor(tools: RegistryTools, flags: ParsedFlags, references: readonly Reference[]) {
  return tools.client(flags.bool('insecure') ? references.map(({ domain }) => domain) : undefined);
}

export const inspect: Command = {
  usage: 'MANIFEST',
  args: [1, 1],
  flags: [{ name: 'raw', type: 'boolean', description: 'Print the bytes as they are' }, INSECURE],
  examples: ['wctr manifest inspect localhost:5000/app:1', 'wctr manifest inspect --raw alpine | sha256sum'],
  async run(context, [name], flags) {
    const { tools, lists } = await open(context);
    const reference = parseReference(name!);
    const list = reference.digest === undefined ? await lists.get(reference) : undefined;
    const client = await clientFor(tools, flags, [reference]);
    const bytes =
      list === undefined
        ? (
            await client
              .repository(reference)
              .manifest(reference.digest ?? reference.tag ?? DEFAULT_TAG, context.signal)
          ).bytes
        : indexOf(list, tools.createHasher).bytes;
    if (flags.bool('raw')) await context.host.writeStdout(bytes);
    else context.terminal.out(`${shown(bytes)}\n`);
    return 0;
  },
};

/** JSON whose texts move no cursor: JSON.stringify escapes C0 only. */
function shown(bytes: Uint8Array): string {
  const text = JSON.stringify(JSON.parse(new TextDecoder().decode(bytes)), null, '\t');
  return text.replace(
    /[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

export const create: Command = {
  usage: 'LIST MANIFEST [MANIFEST...]',
  args: [2, Number.POSITIVE_INFINITY],
  flags: [{ name: 'amend', short: 'a', type: 'boolean', description: 'Add to a list that is there' }, INSECURE],
  examples: ['wctr manifest create localhost:5000/app:1 localhost:5000/app:1-wasm localhost:5000/app:1-amd64'],
  async run(context, [listName, ...names], flags) {
    const { tools, lists } = await open(context);
    const list = parseReference(listName!);
    const existing = await lists.get(list);
    if (existing !== undefined && !flags.bool('amend')) {
      throw new WctrError('conflict', `there is a manifest list ${familiarName(list)} here already`, {
        hint: 'add to it with --amend, or remove it with wctr manifest rm',
      });
    }
    let entries = existing?.entries ?? [];
    const references = names.map(parseReference);
    const client = await clientFor(tools, flags, references);
    for (const reference of references) {
      const entry = await remoteEntry(client, reference, context.signal);
      entries = [...entries.filter((other) => !isEntry(other, reference)), entry];
    }
    await lists.put(list, entries);
    context.terminal.out(`Created manifest list ${familiarName(list)}\n`);
    return 0;
  },
};

export const annotate: Command = {
  usage: 'LIST MANIFEST',
  args: [2, 2],
  flags: [
    { name: 'arch', type: 'string', description: 'Set the architecture' },
    { name: 'os', type: 'string', description: 'Set the operating system' },
    { name: 'os-version', type: 'string', description: 'Set its version' },
    { name: 'os-features', type: 'list', description: 'Set features of it' },
    { name: 'variant', type: 'string', description: 'Set the variant of the architecture' },
  ],
  examples: ['wctr manifest annotate --os wasip1 --arch wasm localhost:5000/app:1 localhost:5000/app:1-wasm'],
  async run(context, [listName, name], flags) {
    const { lists } = await open(context);
    const list = parseReference(listName!);
    const reference = parseReference(name!);
    const { entries } = await lists.open(list);
    if (!entries.some((entry) => isEntry(entry, reference))) {
      throw new WctrError('not-found', `manifest list ${familiarName(list)} has no ${familiarName(reference)}`, {
        hint: `add it: wctr manifest create --amend ${familiarName(list)} ${familiarName(reference)}`,
      });
    }
    const changes = {
      ...given('os', flags.string('os')),
      ...given('architecture', flags.string('arch')),
      ...given('variant', flags.string('variant')),
      ...given('os.version', flags.string('os-version')),
      ...(flags.has('os-features')
        ? { 'os.features': flags.list('os-features').flatMap((one) => one.split(',')) }
        : {}),
    };
    await lists.put(
      list,
      entries.map((entry) => (isEntry(entry, reference) ? annotated(entry, changes) : entry)),
    );
    return 0;
  },
};

const WORD = /^[A-Za-z0-9_.-]{1,64}$/;

function given(name: string, value: string | undefined): Record<string, string> {
  if (value === undefined) return {};
  if (!WORD.test(value)) throw new WctrError('invalid-argument', `invalid value for ${name}: expected a plain word`);
  return { [name]: value };
}

export const push: Command = {
  usage: 'LIST',
  args: [1, 1],
  flags: [
    { name: 'purge', short: 'p', type: 'boolean', description: 'Forget the list when it is pushed' },
    { name: 'quiet', short: 'q', type: 'boolean', description: 'Print the digest only' },
    INSECURE,
  ],
  examples: ['wctr manifest push --purge localhost:5000/app:1'],
  async run(context, [name], flags) {
    const { tools, lists } = await open(context);
    const reference = parseReference(name!);
    const list = await lists.open(reference);
    const progress = flags.bool('quiet') ? NO_PROGRESS : createProgress(context.terminal);
    let digest: string;
    try {
      digest = await pushList({
        client: await clientFor(tools, flags, [reference, ...list.entries.map((entry) => parseReference(entry.name))]),
        list,
        onEvent: (event) => progress.show(event),
        signal: context.signal,
      });
    } finally {
      progress.end();
    }
    if (flags.bool('purge')) await lists.remove(reference);
    context.terminal.out(`${digest}\n`);
    return 0;
  },
};

export const rm: Command = {
  usage: 'LIST [LIST...]',
  args: [1, Number.POSITIVE_INFINITY],
  flags: [],
  examples: ['wctr manifest rm localhost:5000/app:1'],
  async run(context, names) {
    const { lists } = await open(context);
    for (const name of names) {
      const reference = parseReference(name);
      // As `open`, for its words.
      if (!(await lists.remove(reference))) await lists.open(reference);
      context.terminal.out(`Removed ${familiarName(reference)}\n`);
    }
    return 0;
  },
};
