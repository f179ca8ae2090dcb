/** COPY and ADD as a step: what its result depends on, and how it is made. */

import { checksumSources } from '../cache/source-checksum.ts';
import { Copier, type CopyOptions, destinationOf } from '../copy/copy.ts';
import { parseMode } from '../copy/mode.ts';
import { type Owner, parseOwner } from '../copy/owner.ts';
import { expandSource } from '../copy/sources.ts';
import type { AddInstruction, HeredocSource } from '../dockerfile/ast.ts';
import type { SourceText, Word } from '../dockerfile/source.ts';
import { nameOf } from '../dockerfile/stages.ts';
import { resolvePath } from '../tree/resolve-path.ts';
import { StageTree } from '../tree/stage-tree.ts';
import { AddedSources, isAddress } from './add-sources.ts';
import type { Source } from './solve.ts';
import type { StageBuild } from './stage.ts';

/** An expanded instruction, and where its files are. */
export interface CopyRequest {
  readonly kind: 'copy' | 'add';
  readonly from: Source;
  readonly sources: readonly Word[];
  readonly destination: Word;
  readonly heredocs: readonly HeredocSource[];
  readonly exclude: readonly string[];
  readonly chown: Word | undefined;
  readonly chmod: Word | undefined;
  readonly parents: boolean;
  readonly link: boolean;
  /** Of ADD alone. */
  readonly add: Pick<AddInstruction, 'checksum' | 'unpack' | 'keepGitDir'> | undefined;
  readonly source: SourceText;
  readonly text: string;
  /** Digest of its vertex. */
  readonly vertex: string;
}

const NUMERIC_OWNER = /^\d*(?::\d*)?$/;

export async function copyStep(stage: StageBuild, request: CopyRequest): Promise<void> {
  const { solver } = stage;
  const { kind, from, link, parents, exclude, add } = request;
  const { createHasher } = solver.session.parts;
  const destination = destinationOf(request.destination.text, stage.draft.workingDir);
  const chown = request.chown?.text ?? '';
  const chmod = request.chmod?.text ?? '';
  const remote = add === undefined ? [] : request.sources.filter(({ text }) => isAddress(text));
  const local = request.sources.filter((word) => !remote.includes(word));
  const paths = local.map(({ text }) => text);
  const added = new AddedSources(solver, remote, request);
  // A linked copy does not look at what is below, unless it has to look a name up there
  const isAlone = link && NUMERIC_OWNER.test(chown);
  const common = {
    ...{ kind, chown, chmod, parents, exclude, paths, mtime: solver.job.mtime },
    ...{ destination: destination.path, isDirectory: destination.isDirectory },
    heredocs: request.heredocs.map(({ name, content }) => [name, content]),
    ...(link ? { link } : {}),
    ...(add === undefined ? {} : { unpack: add.unpack ?? null }),
    // A later source replaces what an earlier one put there
    ...(remote.length === 0 || local.length === 0
      ? {}
      : { order: request.sources.map((word) => remote.includes(word)) }),
  };
  const key = async (files: readonly string[]) => {
    const parts = { ...common, files, addresses: [...(await added.keys())] };
    return isAlone ? stage.looseKey(parts) : stage.key(parts);
  };
  const { layers } = from;
  try {
    await stage.step({
      digest: request.vertex,
      text: request.text,
      inputs: from.vertex === undefined ? [] : [from.vertex],
      kind,
      keepsTree: !link,
      keys: [
        ...(layers === undefined || paths.length === 0 ? [] : [() => key(['layers', ...layers])]),
        async () => {
          if (paths.length === 0) return key([]);
          return key([
            'files',
            await checksumSources(from.tree, paths, { createHasher, exclude, parents, signal: solver.session.signal }),
          ]);
        },
      ],
      make: async () => {
        const owner = chown === '' ? undefined : await parseOwner(chown, stage.tree());
        const tree = link ? new StageTree(`stage "${nameOf(stage.planned)}"`) : stage.tree();
        await put(tree, owner);
        return stage.changes(tree);
      },
    });
  } finally {
    await added.close();
  }

  async function put(tree: StageTree, owner: Owner | undefined): Promise<void> {
    const options: CopyOptions = {
      exclude,
      parents,
      ...(owner === undefined ? {} : { owner }),
      ...(chmod === '' ? {} : { mode: parseMode(chmod) }),
    };
    const copier = new Copier(tree, destination, options);
    const unpacking = new Copier(tree, { ...destination, isDirectory: true }, { ...options, unpacks: true });
    for (const word of request.sources) {
      solver.session.signal.throwIfAborted();
      await solver.placed(request.source, word, async () => {
        if (remote.includes(word)) await added.copy(word, { copier, unpacking });
        else if (add === undefined || parents) await copier.copy(from.tree, word.text);
        else await copyOrUnpack(word.text, copier, unpacking);
      });
    }
    for (const { name, content } of request.heredocs) {
      const bytes = new TextEncoder().encode(content);
      const read = async function* () {
        yield bytes;
      };
      await copier.putFile(name, { kind: 'file', mode: 0o644, uid: 0, gid: 0, size: bytes.length, read });
    }
  }

  async function copyOrUnpack(pattern: string, copier: Copier, unpacking: Copier): Promise<void> {
    for (const path of await expandSource(from.tree, pattern)) {
      const entry = await from.tree.lstat(await resolvePath(from.tree, path));
      const archive = entry && add?.unpack !== false ? await added.archiveTree(path, entry) : undefined;
      if (archive === undefined) await copier.copyPath(from.tree, path);
      else await unpacking.copyPath(archive, '');
    }
  }
}
