import type { Engine } from '../../engine/engine.ts';
import { isWctrError, WctrError } from '../../errors.ts';
import type { PathStat } from '../../spec/engine-api.ts';
import type { Command, Context } from '../command.ts';
import type { ParsedFlags } from '../flags.ts';
import { humanSize, printable } from '../format/units.ts';
import { baseName, type CopyPlan, parentOf, planCopy } from './copy-plan.ts';

export const command: Command = {
  usage: 'CONTAINER:SRC_PATH DEST_PATH|- | SRC_PATH|- CONTAINER:DEST_PATH',
  args: [2, 2],
  flags: [
    { name: 'archive', short: 'a', type: 'boolean', description: 'Keep user and group' },
    { name: 'follow-link', short: 'L', type: 'boolean', description: 'Copy what the source links to' },
    { name: 'quiet', short: 'q', type: 'boolean', description: 'Say nothing at the end' },
  ],
  examples: ['wctr cp web:/etc/app.conf .', 'wctr cp ./data/. web:/data', 'wctr cp web:/var/log - | tar -t'],
  async run(context, [from, to], flags) {
    const [source, target] = [splitArgument(from!), splitArgument(to!)];
    const engine = await context.engine();
    if (source.container !== undefined && target.container !== undefined) {
      throw new WctrError('invalid-argument', 'copying between containers is not supported', {
        hint: `write: wctr cp ${from} - | wctr cp - ${to}`,
      });
    }
    if (source.container !== undefined) {
      return copyOut(context, engine, source.container, source.path, target.path, flags);
    }
    if (target.container !== undefined) {
      return copyIn(context, engine, source.path, target.container, target.path, flags);
    }
    throw new WctrError('invalid-argument', 'must specify at least one container source', {
      hint: 'write CONTAINER:PATH for one of the two',
    });
  },
};

/** `web:/etc` names a container; `./a:b` and `/a:b` are paths of this machine. */
function splitArgument(text: string): { readonly container?: string; readonly path: string } {
  const colon = text.indexOf(':');
  const container = text.slice(0, Math.max(0, colon));
  const isDrive = /^[A-Za-z]:[\\/]/.test(text);
  if (colon < 1 || text.startsWith('/') || container.startsWith('.') || isDrive) return { path: text };
  return { container, path: text.slice(colon + 1) };
}

/** Go's os.ModeDir and os.ModeSymlink. */
const GO_DIRECTORY = 2 ** 31;
const GO_SYMLINK = 2 ** 27;

function isDirectory({ mode }: PathStat): boolean {
  return Math.floor(mode / GO_DIRECTORY) % 2 === 1;
}

function isLink({ mode }: PathStat): boolean {
  return Math.floor(mode / GO_SYMLINK) % 2 === 1;
}

async function copyOut(
  context: Context,
  { containers }: Engine,
  container: string,
  given: string,
  destination: string,
  flags: ParsedFlags,
): Promise<number> {
  let path = rooted(given);
  if (flags.bool('follow-link')) {
    const stat = await containers.statPath(container, path);
    if (isLink(stat)) path = rooted(stat.linkTarget);
  }
  const { stat, tar } = await containers.getArchive(container, path);
  if (destination === '-') {
    for await (const chunk of tar) await context.host.writeStdout(chunk);
    return 0;
  }
  const tree = await context.host.localTree();
  const resolved = keepSlash(destination, context.host.resolvePath(destination));
  const plan = planCopy(
    { path, isDirectory: isDirectory(stat) },
    { path: resolved, kind: await tree.kind(resolved) },
    (file) => `${container}:${file}`,
  );
  if (plan.parent !== undefined && (await tree.kind(plan.parent)) !== 'directory') {
    throw new WctrError('not-found', `no such directory: ${plan.parent}`);
  }
  const counter = counted(tar);
  await tree.unpack(counter.bytes, joined(plan), { owners: flags.bool('archive') });
  report(context, flags, counter.total(), resolved);
  return 0;
}

async function copyIn(
  context: Context,
  { containers }: Engine,
  source: string,
  container: string,
  given: string,
  flags: ParsedFlags,
): Promise<number> {
  let destination = rooted(given);
  let stat = await statOf(containers, container, destination);
  if (stat !== undefined && isLink(stat)) {
    destination = keepSlash(destination, rooted(stat.linkTarget));
    stat = await statOf(containers, container, destination);
  }
  const options = { noOverwriteDirNonDir: true, copyUidGid: flags.bool('archive') };
  if (source === '-') {
    if (stat === undefined || !isDirectory(stat)) {
      throw new WctrError('invalid-argument', `destination "${container}:${given}" must be a directory`);
    }
    await containers.putArchive(container, destination, context.host.stdin(), options);
    return 0;
  }
  const tree = await context.host.localTree();
  let path = keepSlash(source, context.host.resolvePath(source));
  // A source that ends in a slash is what the link leads to.
  const follows = flags.bool('follow-link') || /\/\.?$/.test(source);
  const kind = follows ? await tree.kind(path) : await tree.linkKind(path);
  if (kind === undefined) throw new WctrError('not-found', `no such file or directory: ${path}`);
  if (follows) path = keepSlash(path, await context.host.realPath(path));
  const plan = planCopy(
    {
      path: flags.bool('follow-link') ? keepSlash(source, joinBase(path, source)) : path,
      isDirectory: kind === 'directory',
    },
    { path: destination, kind: stat === undefined ? undefined : isDirectory(stat) ? 'directory' : 'file' },
    (file) => file,
  );
  const counter = counted(tree.pack(path.replace(/\/\.?$/, '') || '/', plan.name));
  await containers.putArchive(container, plan.directory, counter.bytes, options);
  report(context, flags, counter.total(), `${container}:${given}`);
  return 0;
}

/** The name a followed link has in the copy is its own, not its target's. */
function joinBase(target: string, source: string): string {
  const name = baseName(source);
  return name === '.' || name === '..' ? target : `${parentOf(target)}/${name}`;
}

async function statOf(
  containers: Engine['containers'],
  container: string,
  path: string,
): Promise<PathStat | undefined> {
  try {
    return await containers.statPath(container, path);
  } catch (error) {
    if (isWctrError(error, 'not-found')) return undefined;
    throw error;
  }
}

/** Paths of a container are relative to its root; a slash or `/.` at the end means something. */
function rooted(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return keepSlash(path, `/${parts.join('/')}`);
}

function keepSlash(given: string, clean: string): string {
  const tail = /(\/\.?)$/.exec(given)?.[1] ?? (given === '.' ? '/.' : '');
  return clean === '/' ? (tail === '/.' ? '/.' : '/') : `${clean.replace(/\/\.?$/, '')}${tail}`;
}

function joined({ directory, name }: CopyPlan): string {
  return name === '.' ? directory : `${directory.replace(/\/$/, '')}/${name}`;
}

function counted(chunks: AsyncIterable<Uint8Array>) {
  let total = 0;
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      total += chunk.length;
      yield chunk;
    }
  }
  return { bytes: bytes(), total: () => total };
}

function report({ terminal }: Context, flags: ParsedFlags, bytes: number, where: string): void {
  if (flags.bool('quiet') || !terminal.stderrIsTTY) return;
  terminal.err(`Successfully copied ${humanSize(bytes)} to ${printable(where)}\n`);
}
