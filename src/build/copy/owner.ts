/** `--chown=user[:group]`: numbers, or names from the stage's own /etc/passwd and /etc/group. */
import { WctrError } from '../../errors.ts';
import { collect } from '../../images/archive/files.ts';
import { quote } from '../../images/quote.ts';
import type { FileTree } from '../tree/file-tree.ts';
import { resolvePath } from '../tree/resolve-path.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const MAX_ID = 0xffff_fffe;
const MAX_FILE_BYTES = 1 << 20;

/** Throws `invalid-argument` for a name that is not there. */
export async function parseOwner(text: string, tree: FileTree): Promise<Owner> {
  const colon = text.indexOf(':');
  const user = colon < 0 ? text : text.slice(0, colon);
  const group = colon < 0 ? '' : text.slice(colon + 1);
  const owner = user === '' ? { uid: 0, gid: 0 } : await findUser(user, tree);
  return group === '' ? owner : { uid: owner.uid, gid: await findGroup(group, tree) };
}

/** A number without a group is the group's number too. */
async function findUser(user: string, tree: FileTree): Promise<Owner> {
  const id = idOf(user);
  if (id !== undefined) return { uid: id, gid: id };
  const fields = await findLine('etc/passwd', user, tree);
  const uid = idOf(fields?.[2] ?? '');
  const gid = idOf(fields?.[3] ?? '');
  if (uid !== undefined && gid !== undefined) return { uid, gid };
  if (user === 'root') return { uid: 0, gid: 0 };
  throw unknown('user', user, '/etc/passwd');
}

async function findGroup(group: string, tree: FileTree): Promise<number> {
  const id = idOf(group) ?? idOf((await findLine('etc/group', group, tree))?.[2] ?? '');
  if (id !== undefined) return id;
  if (group === 'root') return 0;
  throw unknown('group', group, '/etc/group');
}

async function findLine(path: string, name: string, tree: FileTree): Promise<string[] | undefined> {
  const entry = await tree.lstat(await resolvePath(tree, path));
  if (entry?.read === undefined || entry.size > MAX_FILE_BYTES) return undefined;
  const text = new TextDecoder().decode(await collect(entry.read()));
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .find(([first]) => first === name);
}

function idOf(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) && Number(text) <= MAX_ID ? Number(text) : undefined;
}

function unknown(what: string, name: string, file: string): WctrError {
  return new WctrError('invalid-argument', `there is no ${what} ${quote(name)} in ${file} of the stage`, {
    hint: 'use a number, or a name the base image has',
  });
}
