/** Where images come from beside a registry: archives and layouts, seen alike. */
import type { Descriptor } from '../../spec/image-spec.ts';
import type { BlobOrigin } from '../contracts.ts';

export interface SourceImage {
  /** Full names the archive gives it, as written there: `docker.io/library/hello:latest`, `hello:1`. */
  readonly names: readonly string[];
  /** A bare tag or free text from `org.opencontainers.image.ref.name`, when that is no full name. */
  readonly refName?: string;
  readonly target: Descriptor;
}

export interface ImageSource {
  readonly what: string;
  readonly images: readonly SourceImage[];
  /** Bytes of a blob the source holds. Throws `not-found` when it is asked for another. */
  blob(descriptor: Descriptor): BlobOrigin;
  has(descriptor: Descriptor): Promise<boolean>;
  close(): Promise<void>;
}
