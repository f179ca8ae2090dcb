/** Docker's layers under OCI's names: one manifest does not mix them. */
import { type Descriptor, MEDIA_TYPE } from '../spec/image-spec.ts';

const OCI_NAMES: Readonly<Record<string, string>> = {
  [MEDIA_TYPE.dockerLayerTar]: MEDIA_TYPE.ociLayerTar,
  [MEDIA_TYPE.dockerLayerGzip]: MEDIA_TYPE.ociLayerGzip,
  [MEDIA_TYPE.dockerLayerZstd]: MEDIA_TYPE.ociLayerZstd,
  [MEDIA_TYPE.dockerForeignGzip]: MEDIA_TYPE.ociForeignGzip,
};

export function ociLayer(descriptor: Descriptor): Descriptor {
  const { mediaType, digest, size, ...rest } = descriptor;
  return { mediaType: OCI_NAMES[mediaType] ?? mediaType, digest, size, ...rest };
}
