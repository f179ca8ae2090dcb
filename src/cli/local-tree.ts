/** Trees of this machine as tars and back: what `cp` needs beside the engine. A host implements it. */
export interface LocalTree {
  /** What a path is; links are followed. Undefined where there is nothing. */
  kind(path: string): Promise<'directory' | 'file' | 'link' | undefined>;
  /** The same of a link itself. */
  linkKind(path: string): Promise<'directory' | 'file' | 'link' | undefined>;
  /** The file or directory as a tar whose first member has this name. */
  pack(path: string, name: string): AsyncIterable<Uint8Array>;
  /**
   * The tar's first member becomes `root`, the others go below it. Never writes through a link below `root` and never
   * outside of it, whatever the archive says: it comes from a container. `owners`: give files to whom the archive says.
   */
  unpack(tar: AsyncIterable<Uint8Array>, root: string, options: { readonly owners: boolean }): Promise<void>;
}
