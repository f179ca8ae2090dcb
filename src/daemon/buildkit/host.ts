/** What BuildKit's door needs of the machine, beside the connections themselves. */
import type { Http2 } from '../../host/http2.ts';
import type { FileHandle, Hasher } from '../../host/ports.ts';

export interface BuildkitHost {
  readonly http2: Http2;
  /** An empty file nobody else can open, gone as soon as it is closed or the process has ended, however that was. */
  openSpool(): Promise<FileHandle>;
  createHasher(): Hasher;
}
