/**
 * An image for a host that compiles no Wasm at run time: what `wctr build --output type=edge` makes, and the edge runtime
 * runs. The program went through the guard when the bundle was made; the host gives its modules compiled.
 */
import type { GuardInfo } from '../core/guard.ts';

/** The bundle's `image.js`. */
export interface EdgeDescription {
  readonly process: {
    readonly args: readonly string[];
    readonly env: readonly string[];
    readonly cwd: string;
    readonly user: { readonly uid: number; readonly gid: number; readonly additionalGids: readonly number[] };
  };
  /** What the guard found in the program. */
  readonly info: GuardInfo;
  /** Pages of 64 KiB the guard held its memory to. */
  readonly memoryPages: number;
  /** How a request reaches it: on a socket it accepts (an image that exposes a port), or as a CGI program (RFC 3875). */
  readonly http: 'socket' | 'cgi';
}

export interface EdgeImage {
  readonly description: EdgeDescription;
  readonly kernel: WebAssembly.Module;
  readonly program: WebAssembly.Module;
  /** The merged index of the image's files, and the plain tars it points into. */
  readonly index: ArrayBuffer;
  readonly layers: readonly ArrayBuffer[];
}
