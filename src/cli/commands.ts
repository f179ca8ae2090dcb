import type { Command } from './command.ts';

export interface CommandEntry {
  readonly summary: string;
  load(): Promise<Command>;
}

/** Every command: its line in the help, and where its file is. Files load only when their command is called. */
export const COMMANDS: Readonly<Record<string, CommandEntry | Readonly<Record<string, CommandEntry>>>> = {
  run: {
    summary: 'Run a program from an image, a .wasm file or an OCI layout',
    load: () => from(import('./commands/run.ts')),
  },
  pull: { summary: 'Download an image from a registry', load: () => from(import('./commands/pull.ts')) },
  images: { summary: 'List images', load: () => from(import('./commands/images.ts')) },
  image: {
    ls: { summary: 'List images', load: () => from(import('./commands/images.ts')) },
    inspect: { summary: 'Show images in detail', load: () => from(import('./commands/image-inspect.ts')) },
    history: {
      summary: "Show an image's layers and how they were made",
      load: () => from(import('./commands/image-history.ts')),
    },
    tag: { summary: 'Give an image another name', load: () => from(import('./commands/image-tag.ts')) },
    rm: { summary: 'Remove images', load: () => from(import('./commands/image-rm.ts')) },
    prune: { summary: 'Remove unused images', load: () => from(import('./commands/image-prune.ts')) },
    pull: { summary: 'Download an image from a registry', load: () => from(import('./commands/pull.ts')) },
    load: { summary: 'Load images from a tar archive or a directory', load: () => from(import('./commands/load.ts')) },
    save: { summary: 'Save images to a tar archive', load: () => from(import('./commands/save.ts')) },
    import: { summary: 'Make an image from a root filesystem tar', load: () => from(import('./commands/import.ts')) },
  },
  load: { summary: 'Load images from a tar archive or a directory', load: () => from(import('./commands/load.ts')) },
  save: { summary: 'Save images to a tar archive', load: () => from(import('./commands/save.ts')) },
  import: { summary: 'Make an image from a root filesystem tar', load: () => from(import('./commands/import.ts')) },
  tag: { summary: 'Give an image another name', load: () => from(import('./commands/image-tag.ts')) },
  rmi: { summary: 'Remove images', load: () => from(import('./commands/image-rm.ts')) },
  history: {
    summary: "Show an image's layers and how they were made",
    load: () => from(import('./commands/image-history.ts')),
  },
  inspect: { summary: 'Show an image or a container in detail', load: () => from(import('./commands/inspect.ts')) },
  system: {
    df: { summary: 'Show how much disk wctr uses', load: () => from(import('./commands/system-df.ts')) },
    info: { summary: 'Show facts about this installation', load: () => from(import('./commands/info.ts')) },
  },
  info: { summary: 'Show facts about this installation', load: () => from(import('./commands/info.ts')) },
  version: { summary: 'Show version information', load: () => from(import('./commands/version.ts')) },
  completion: {
    summary: 'Print a completion script for bash, zsh or fish',
    load: () => from(import('./commands/completion.ts')),
  },
};

export function isCommandEntry(entry: (typeof COMMANDS)[string]): entry is CommandEntry {
  return typeof entry.load === 'function';
}

async function from(module: Promise<{ command: Command }>): Promise<Command> {
  return (await module).command;
}
