/** Builds by another process' engine. */
import { WctrError } from '../../errors.ts';
import type { BuildCacheRecord } from '../../spec/engine-api.ts';
import type { BuildOutcome, BuildUseCases } from '../builds.ts';

export class RemoteBuilds implements BuildUseCases {
  build(): Promise<BuildOutcome> {
    return refuse('build');
  }

  usage(): Promise<readonly BuildCacheRecord[]> {
    return refuse('list the build cache');
  }

  prune(): Promise<{ CachesDeleted: readonly string[]; SpaceReclaimed: number }> {
    return refuse('prune the build cache');
  }
}

async function refuse(what: string): Promise<never> {
  throw new WctrError('unsupported', `cannot ${what} over a daemon's socket yet`, {
    hint: 'leave out --host to use the store of this user',
  });
}
