/** The file `contexts.json` of wctr's configuration directory. Synchronous: every command looks at it once. */
import { nodeFs as fs } from './builtin.ts';
import { configDirectory } from './directories.ts';
import { makeDirectories } from './make-directories.ts';

export function contextStore(env: Readonly<Record<string, string | undefined>>) {
  const directory = configDirectory(env);
  const path = `${directory}/contexts.json`;
  return {
    read(): string | undefined {
      try {
        return fs.readFileSync(path, 'utf8');
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
        throw error;
      }
    },
    write(text: string): void {
      makeDirectories(directory, 0o700);
      const partial = `${path}.${process.pid}.partial`;
      fs.writeFileSync(partial, text, { mode: 0o600 });
      fs.renameSync(partial, path);
    },
  };
}
