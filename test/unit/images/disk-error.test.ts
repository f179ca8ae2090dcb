import { expect, it } from 'vitest';
import { WctrError } from '../../../src/errors.ts';
import { diskError } from '../../../src/images/store/disk-error.ts';

const errno = (code: string) => Object.assign(new Error(`${code}: x`), { code });

it.each([
  [errno('ENOSPC'), 'no-space', 'cannot store x: no space left in /s'],
  [errno('EDQUOT'), 'no-space', 'cannot store x: no space left in /s'],
  [new DOMException('full', 'QuotaExceededError'), 'no-space', 'cannot store x: no space left in /s'],
  [errno('EROFS'), 'store-read-only', 'cannot store x: /s is a read-only file system'],
  [errno('EACCES'), 'store-read-only', 'cannot store x: /s is not writable by this user'],
  [errno('EIO'), 'internal', 'cannot store x: EIO: x'],
  ['odd', 'internal', 'cannot store x: odd'],
])('%s is %s', (error, code, message) => {
  expect(diskError(error, 'store x', '/s')).toMatchObject({ code, message, cause: error });
});

it('leaves our own errors as they are', () => {
  const own = new WctrError('cancelled', 'x');
  expect(diskError(own, 'store x', '/s')).toBe(own);
});
