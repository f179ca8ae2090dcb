/** `wctr context`: daemons by name. Docker's words where docker has them. */
import { isWctrError, WctrError } from '../../errors.ts';
import type { Command, Context } from '../command.ts';
import { complain } from '../complain.ts';
import {
  type ContextStore,
  DEFAULT_CONTEXT,
  findContext,
  readContexts,
  type StoredContext,
  writeContexts,
} from '../contexts.ts';
import { compileTemplate } from '../format/template.ts';
import { printable } from '../format/units.ts';

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.+-]*$/;

function storeOf({ contexts }: Context): ContextStore {
  if (contexts === undefined) throw new WctrError('unsupported', 'this host keeps no contexts');
  return contexts;
}

/** The one a command would use now. */
function currentName(context: Context): string {
  const { env } = context.terminal;
  if (env.WCTR_HOST || env.DOCKER_HOST) return DEFAULT_CONTEXT;
  return env.WCTR_CONTEXT || readContexts(storeOf(context)).current || DEFAULT_CONTEXT;
}

export const create: Command = {
  usage: 'NAME --docker host=ADDRESS[,ca=FILE,cert=FILE,key=FILE]',
  args: [1, 1],
  flags: [
    { name: 'docker', type: 'string', value: 'key=value', description: 'Where the daemon is, and the keys to it' },
    { name: 'description', type: 'string', value: 'text', description: 'What it is' },
  ],
  examples: ['wctr context create lab --docker host=tcp://lab:2376,ca=ca.pem,cert=cert.pem,key=key.pem'],
  async run(context, [name = ''], flags) {
    const store = storeOf(context);
    const document = readContexts(store);
    if (!NAME.test(name)) throw new WctrError('invalid-argument', `context name "${name}" is invalid`);
    if (name === DEFAULT_CONTEXT) throw new WctrError('conflict', '"default" is a reserved context name');
    if (Object.hasOwn(document.contexts, name)) throw new WctrError('conflict', `context "${name}" already exists`);
    const description = flags.string('description');
    const entry: StoredContext = {
      ...endpointOf(flags.string('docker'), context),
      ...(description === undefined ? {} : { description }),
    };
    writeContexts(store, { ...document, contexts: { ...document.contexts, [name]: entry } });
    context.terminal.out(`${name}\n`);
    return 0;
  },
};

function endpointOf(text: string | undefined, { host: files }: Context): StoredContext {
  const pairs = new Map(
    (text ?? '').split(',').map((pair): [string, string] => {
      const equals = pair.indexOf('=');
      return [pair.slice(0, Math.max(0, equals)), pair.slice(equals + 1)];
    }),
  );
  const address = pairs.get('host');
  if (address === undefined) {
    throw new WctrError('invalid-argument', 'a context needs --docker host=ADDRESS');
  }
  const unknown = [...pairs.keys()].find((key) => !['host', 'ca', 'cert', 'key', 'skip-tls-verify'].includes(key));
  if (unknown !== undefined) throw new WctrError('invalid-argument', `unrecognized config key: ${unknown}`);
  const paths = (['ca', 'cert', 'key'] as const).flatMap((key) => {
    const path = pairs.get(key);
    return path === undefined ? [] : [[key, files.resolvePath(path)] as const];
  });
  const skipVerify = pairs.get('skip-tls-verify') === 'true';
  if (paths.length === 0 && !skipVerify) return { host: address };
  return { host: address, tls: { ...Object.fromEntries(paths), ...(skipVerify ? { skipVerify } : {}) } };
}

interface Row {
  readonly Name: string;
  readonly Description: string;
  readonly DockerEndpoint: string;
  readonly Current: boolean;
  readonly Error: string;
}

function rows(context: Context): Row[] {
  const current = currentName(context);
  const { contexts } = readContexts(storeOf(context));
  const named = Object.entries(contexts)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([Name, { description = '', host }]) => ({ Name, Description: description, DockerEndpoint: host }));
  const first = { Name: DEFAULT_CONTEXT, Description: 'The engine of this machine', DockerEndpoint: '' };
  return [first, ...named].map((row) => ({ ...row, Current: row.Name === current, Error: '' }));
}

export const ls: Command = {
  usage: '',
  args: [0, 0],
  flags: [
    { name: 'quiet', short: 'q', type: 'boolean', description: 'Show names only' },
    { name: 'format', type: 'string', value: 'template', description: "Go template or 'json'" },
  ],
  examples: ['wctr context ls'],
  async run(context, _args, flags) {
    const { terminal } = context;
    const format = flags.string('format');
    const all = rows(context);
    if (flags.bool('quiet')) {
      for (const { Name } of all) terminal.out(`${Name}\n`);
    } else if (format === 'json') {
      for (const row of all) terminal.out(`${JSON.stringify(row)}\n`);
    } else if (format !== undefined) {
      const template = compileTemplate(format);
      for (const row of all) terminal.out(`${template({ ...row })}\n`);
    } else {
      const cells = all.map((row) => [`${row.Name}${row.Current ? ' *' : ''}`, row.Description, row.DockerEndpoint]);
      const table = [['NAME', 'DESCRIPTION', 'DOCKER ENDPOINT'], ...cells];
      const widths = [0, 1].map((at) => Math.max(...table.map((line) => line[at]!.length)) + 3);
      for (const [name = '', description = '', endpoint = ''] of table) {
        terminal.out(`${printable(name.padEnd(widths[0]!) + description.padEnd(widths[1]!) + endpoint).trimEnd()}\n`);
      }
    }
    return 0;
  },
};

export const use: Command = {
  usage: 'NAME',
  args: [1, 1],
  flags: [],
  examples: ['wctr context use lab', 'wctr context use default'],
  async run(context, [name = '']) {
    const store = storeOf(context);
    const document = readContexts(store);
    if (name !== DEFAULT_CONTEXT) findContext(document, name);
    const { current: _, ...rest } = document;
    writeContexts(store, name === DEFAULT_CONTEXT ? rest : { ...rest, current: name });
    context.terminal.out(`${name}\n`);
    return 0;
  },
};

export const show: Command = {
  usage: '',
  args: [0, 0],
  flags: [],
  examples: ['wctr context show'],
  async run(context) {
    context.terminal.out(`${printable(currentName(context))}\n`);
    return 0;
  },
};

export const inspect: Command = {
  usage: '[NAME...]',
  args: [0, Number.POSITIVE_INFINITY],
  flags: [{ name: 'format', short: 'f', type: 'string', value: 'template', description: "Go template or 'json'" }],
  examples: ['wctr context inspect lab'],
  async run(context, names, flags) {
    const { terminal } = context;
    const document = readContexts(storeOf(context));
    const wanted = names.length > 0 ? names : [currentName(context)];
    const found = wanted.map((Name) => {
      const { description = '', host, tls } = Name === DEFAULT_CONTEXT ? { host: '' } : findContext(document, Name);
      return {
        Name,
        Metadata: { Description: description },
        Endpoints: { docker: { Host: host, SkipTLSVerify: tls?.skipVerify === true } },
        TLSMaterial: { docker: [tls?.ca, tls?.cert, tls?.key].filter((path) => path !== undefined) },
      };
    });
    const format = flags.string('format');
    if (format === undefined) terminal.out(`${JSON.stringify(found, undefined, 4)}\n`);
    else for (const item of found) terminal.out(`${compileTemplate(format)(item)}\n`);
    return 0;
  },
};

export const rm: Command = {
  usage: 'NAME [NAME...]',
  args: [1, Number.POSITIVE_INFINITY],
  flags: [{ name: 'force', short: 'f', type: 'boolean', description: 'Also the one in use' }],
  examples: ['wctr context rm lab'],
  async run(context, names, flags) {
    const store = storeOf(context);
    let code = 0;
    for (const name of names) {
      try {
        removeOne(store, name, flags.bool('force'));
        context.terminal.out(`${name}\n`);
      } catch (error) {
        if (!isWctrError(error)) throw error;
        complain(context.terminal, error.message, error.hint);
        code = 1;
      }
    }
    return code;
  },
};

function removeOne(store: ContextStore, name: string, force: boolean): void {
  const { current, contexts } = readContexts(store);
  if (name === DEFAULT_CONTEXT) throw new WctrError('conflict', 'context "default" cannot be removed');
  if (force && !Object.hasOwn(contexts, name)) return;
  findContext({ contexts }, name);
  if (name === current && !force) {
    throw new WctrError('in-use', `context "${name}" is in use`, { hint: 'use another first, or --force' });
  }
  const { [name]: _, ...rest } = contexts;
  writeContexts(store, { contexts: rest, ...(current === undefined || current === name ? {} : { current }) });
}
