/**
 * Where things lie in a store:
 *
 * ```
 * <root>/blobs/<algorithm>/<hex>       content, as received; complete and verified
 * <root>/tmp/ingest-<algorithm>-<hex>  a transfer under way, or the prefix a broken one left
 * <root>/tmp/…                         other temp files
 * <root>/images/<hex>.json             what each reference names
 * <root>/leases/<hex>.json             digests that pulls and builds under way need
 * <root>/layers/, <root>/rootfs/       layers ready to be mounted, by diff ID; merged indexes, by chain ID
 * <root>/signatures/                   of pulled images, where a policy wanted them (policy/kept-signatures.ts)
 * <root>/locks/                        lock files (hosts whose locks are files)
 * <root>/run                           link to where the sockets of running containers are
 * <root>/build/cache/<hex>.json        what steps of builds made, by step key (build/cache)
 * <root>/build/contexts/               checksums of files of build contexts (build/context/kept-checksums.ts)
 * <root>/build/mounts/<hex>/           what RUN --mount=type=cache mounts, by id
 * <root>/registry/                     repositories and uploads of `wctr registry serve` (registry-roots.ts)
 * ```
 *
 * Only `blobs`, `images` and `registry` matter: everything else can be deleted while nothing runs, and is made again when needed.
 */
import type { Digest } from '../../spec/image-spec.ts';
import { digestParts } from '../digest.ts';

export class StoreLayout {
  readonly root: string;

  constructor(root: string) {
    this.root = root.replace(/(?<=.)\/+$/, '');
  }

  get blobs(): string {
    return `${this.root}/blobs`;
  }
  get tmp(): string {
    return `${this.root}/tmp`;
  }
  get images(): string {
    return `${this.root}/images`;
  }
  get leases(): string {
    return `${this.root}/leases`;
  }
  get layers(): string {
    return `${this.root}/layers`;
  }
  get rootfs(): string {
    return `${this.root}/rootfs`;
  }
  get registry(): string {
    return `${this.root}/registry`;
  }

  get buildCache(): string {
    return `${this.root}/build/cache`;
  }
  get buildContexts(): string {
    return `${this.root}/build/contexts`;
  }
  get buildMounts(): string {
    return `${this.root}/build/mounts`;
  }

  blob(digest: Digest): string {
    const { algorithm, hex } = digestParts(digest);
    return `${this.blobs}/${algorithm}/${hex}`;
  }

  partial(digest: Digest): string {
    const { algorithm, hex } = digestParts(digest);
    return `${this.tmp}/ingest-${algorithm}-${hex}`;
  }
}

/** Held exclusively by whoever brings in this blob. */
export function ingestLock(digest: Digest): string {
  const { algorithm, hex } = digestParts(digest);
  return `ingest-${algorithm}-${hex}`;
}

/** Shared by whoever makes content reachable (leases, image records), exclusive for the garbage collector. */
export const GC_LOCK = 'gc';
