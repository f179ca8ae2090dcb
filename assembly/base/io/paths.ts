/**
 * Names of files. `..` is left to the file system, which alone knows where a symbolic link leads; only what `.` and
 * doubled slashes stand for is taken out.
 */
import { Context } from '../applet';
import { unit } from './text';

const SLASH: i32 = 47;

/** From the root. An empty path stays empty: no call finds it. */
export function absolute(context: Context, path: string): string {
  if (path.length == 0 || unit(path, 0) == SLASH) return path;
  return join(context.cwd, path);
}

/** `directory/name`, with one slash between them. */
export function join(directory: string, name: string): string {
  if (directory.length > 0 && unit(directory, directory.length - 1) == SLASH) return directory + name;
  return `${directory}/${name}`;
}

/** Without the slashes at its end, unless it is nothing else. */
export function trimmed(path: string): string {
  let end = path.length;
  while (end > 1 && unit(path, end - 1) == SLASH) end--;
  return end == path.length ? path : path.substring(0, end);
}

/** The last component, as basename(1) has it. */
export function baseName(path: string): string {
  const name = trimmed(path);
  if (name == '/') return name;
  return name.substring(name.lastIndexOf('/') + 1);
}

/** What is before the last component, as dirname(1) has it. */
export function dirName(path: string): string {
  const name = trimmed(path);
  const slash = name.lastIndexOf('/');
  if (slash < 0) return '.';
  return slash == 0 ? '/' : trimmed(name.substring(0, slash));
}

/** The components, without empty ones and `.`. */
export function components(path: string): Array<string> {
  const parts = path.split('/');
  const kept: string[] = [];
  for (let i = 0; i < parts.length; i++) {
    if (parts[i].length > 0 && parts[i] != '.') kept.push(parts[i]);
  }
  return kept;
}
