/** What is inside of a container: `diff`, `cp`, `export`, `commit`. */
import { WctrError } from '../errors.ts';
import type { ContainerContext } from './container-context.ts';
import type { ContainerUseCases } from './engine.ts';

export type ContainerContents = Pick<
  ContainerUseCases,
  'changes' | 'statPath' | 'getArchive' | 'putArchive' | 'export' | 'commit'
>;

export function containerContents(_context: ContainerContext): ContainerContents {
  throw new WctrError('unsupported', 'the files of containers cannot be reached yet');
}
