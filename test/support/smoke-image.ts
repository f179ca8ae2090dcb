/** The image the smoke suite runs in every runtime: the test guest over a layer with a file. */
import { guestBytes } from './guests.ts';
import { type BuiltImage, buildImage } from './registry-images.ts';

export function smokeImage(): BuiltImage {
  return buildImage({
    layers: [{ 'etc/motd': 'from the image\n' }, { 'bin/busybox': guestBytes('busybox') }],
    config: { config: { Entrypoint: ['/bin/busybox'] } },
  });
}
