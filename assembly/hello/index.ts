// The program of the `hello` image: writes one text to standard output, with nothing but WASI preview 1.
import { fd_write, proc_exit } from './wasi_snapshot_preview1';

const TEXT = `
Hello from wctr!
If you can read this, your installation works.

To print it, wctr did the following:
 1. It found the image "hello", which ships inside the wctr package.
 2. It took the image's layer through one pass in WebAssembly: its digest was
    checked and its files were indexed, not unpacked.
 3. It created a container: a process of its own whose file system, clock and
    random numbers come from a kernel that is WebAssembly as well.
 4. It ran this program, /hello.wasm, inside it and streamed the output to you.

No daemon, no virtual machine and no root were needed.

To go on, look at what else there is:
 $ wctr --help
 $ wctr run --rm -v "$PWD":/work your-image

`;

const STDOUT: i32 = 1;
const CAPACITY: i32 = 4096;
const BYTES: usize = memory.data(4096);
/** u32 address, u32 length: one ciovec; then u32 bytes written. */
const IOVEC: usize = memory.data(16);

export function _start(): void {
  // the text is UTF-16 in a data segment, and ASCII: every other byte is what goes out
  const source = changetype<usize>(TEXT);
  const length: i32 = TEXT.length;
  if (length > CAPACITY) unreachable();
  for (let i = 0; i < length; i++) store<u8>(BYTES + i, load<u16>(source + ((<usize>i) << 1)));
  let done: i32 = 0;
  while (done < length) {
    store<u32>(IOVEC, <u32>(BYTES + done));
    store<u32>(IOVEC, <u32>(length - done), 4);
    if (fd_write(STDOUT, IOVEC, 1, IOVEC + 8) != 0) proc_exit(1);
    done += load<i32>(IOVEC, 8);
  }
}
