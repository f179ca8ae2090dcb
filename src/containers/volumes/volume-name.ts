import { WctrError } from '../../errors.ts';

const MAX_LENGTH = 255;

/** docker's rule for volumes' names: what passes is one component of a path, and none that begins with a dot. */
export function checkVolumeName(name: string): string {
  if (name.length === 1) {
    throw new WctrError(
      'invalid-argument',
      'volume name is too short, names should be at least two alphanumeric characters',
    );
  }
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name) && name.length <= MAX_LENGTH) return name;
  const shown = JSON.stringify(name.length > MAX_LENGTH ? `${name.slice(0, 60)}…` : name);
  throw new WctrError(
    'invalid-argument',
    `create ${shown.slice(1, -1)}: ${shown} includes invalid characters for a local volume name, only ` +
      '"[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path',
  );
}

/** What docker calls a volume that nobody named. */
export const ANONYMOUS_LABEL = 'com.docker.volume.anonymous';
