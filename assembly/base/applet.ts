/**
 * One program of the base image. All of them, the shell too, are one WASI module that looks at argv[0] (`box.wasm`); the
 * shell calls an applet as a function, without a process, and gives it other streams than 0, 1 and 2.
 *
 * A `string` here holds bytes: one code unit, 0 to 255, for each. Paths, arguments and text pass through unharmed
 * whatever they are, and everything compares as in the POSIX locale.
 */
import { Reader } from './io/reader';
import { Writer } from './io/writer';

export class Context {
  constructor(
    public stdin: Reader,
    public stdout: Writer,
    public stderr: Writer,
    /** Absolute, without a slash at its end. Relative paths start here. */
    public cwd: string,
    /** What a program of it gets as its environment. */
    public env: Map<string, string>,
  ) {}
}

/** `args[0]` is its name. Returns its exit code, everything flushed or not; it never ends the process. */
export type Applet = (context: Context, args: Array<string>) => i32;
