import type { Command } from './command.ts';

export interface CommandEntry {
  readonly summary: string;
  load(): Promise<Command>;
}

/** Both `wctr X` and `wctr container X`. */
const CONTAINER: Readonly<Record<string, CommandEntry>> = {
  attach: { summary: 'Connect this terminal to a running container', load: () => from(import('./commands/attach.ts')) },
  commit: { summary: 'Make an image of a container', load: () => from(import('./commands/commit.ts')) },
  cp: { summary: 'Copy files between a container and this machine', load: () => from(import('./commands/cp.ts')) },
  create: { summary: 'Create a container and leave it stopped', load: () => from(import('./commands/create.ts')) },
  diff: { summary: 'Show what a container changed in its file system', load: () => from(import('./commands/diff.ts')) },
  exec: { summary: 'Run another program in a running container', load: () => from(import('./commands/exec.ts')) },
  export: { summary: "Write a container's file system as a tar", load: () => from(import('./commands/export.ts')) },
  kill: { summary: 'Send a signal to containers (default KILL)', load: () => from(import('./commands/kill.ts')) },
  logs: { summary: 'Show what a container wrote', load: () => from(import('./commands/logs.ts')) },
  pause: { summary: 'Halt containers', load: () => from(import('./commands/pause.ts')) },
  port: { summary: "Show a container's published ports", load: () => from(import('./commands/port.ts')) },
  ps: { summary: 'List containers', load: () => from(import('./commands/ps.ts')) },
  rename: { summary: 'Give a container another name', load: () => from(import('./commands/rename.ts')) },
  restart: { summary: 'Stop and start containers', load: () => from(import('./commands/restart.ts')) },
  rm: { summary: 'Remove containers', load: () => from(import('./commands/rm.ts')) },
  run: {
    summary: 'Run a program from an image, a .wasm file or an OCI layout',
    load: () => from(import('./commands/run.ts')),
  },
  start: { summary: 'Start stopped containers', load: () => from(import('./commands/start.ts')) },
  stats: { summary: 'Show what containers use, live', load: () => from(import('./commands/stats.ts')) },
  stop: { summary: 'Stop containers', load: () => from(import('./commands/stop.ts')) },
  top: { summary: "Show a container's processes", load: () => from(import('./commands/top.ts')) },
  unpause: { summary: 'Let paused containers go on', load: () => from(import('./commands/unpause.ts')) },
  update: { summary: "Change containers' limits and restart policy", load: () => from(import('./commands/update.ts')) },
  wait: {
    summary: 'Wait until containers end and print their exit codes',
    load: () => from(import('./commands/wait.ts')),
  },
};

/** docker's two names for it. */
const BUILDER: Readonly<Record<string, CommandEntry>> = {
  build: { summary: 'Build an image from a Dockerfile', load: () => from(import('./commands/build.ts')) },
  du: { summary: 'Show what the build cache takes', load: () => from(import('./commands/builder-du.ts')) },
  prune: { summary: 'Remove what the build cache keeps', load: () => from(import('./commands/builder-prune.ts')) },
};

/** Every command: its line in the help, and where its file is. Files load only when their command is called. */
export const COMMANDS: Readonly<Record<string, CommandEntry | Readonly<Record<string, CommandEntry>>>> = {
  ...CONTAINER,
  container: {
    ...CONTAINER,
    inspect: { summary: 'Show containers in detail', load: () => from(import('./commands/container-inspect.ts')) },
    ls: { summary: 'List containers', load: () => from(import('./commands/ps.ts')) },
    prune: { summary: 'Remove all stopped containers', load: () => from(import('./commands/container-prune.ts')) },
  },
  build: { summary: 'Build an image from a Dockerfile', load: () => from(import('./commands/build.ts')) },
  pull: { summary: 'Download an image from a registry', load: () => from(import('./commands/pull.ts')) },
  push: { summary: 'Upload an image to a registry', load: () => from(import('./commands/push.ts')) },
  login: { summary: 'Log in to a registry', load: () => from(import('./commands/login.ts')) },
  logout: { summary: 'Forget the login to a registry', load: () => from(import('./commands/logout.ts')) },
  search: { summary: 'Search a registry for repositories', load: () => from(import('./commands/search.ts')) },
  images: { summary: 'List images', load: () => from(import('./commands/images.ts')) },
  image: {
    build: { summary: 'Build an image from a Dockerfile', load: () => from(import('./commands/build.ts')) },
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
    push: { summary: 'Upload an image to a registry', load: () => from(import('./commands/push.ts')) },
    copy: {
      summary: 'Copy an image between registries, layouts and archives',
      load: () => from(import('./commands/image-copy.ts')),
    },
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
  inspect: {
    summary: 'Show containers, images, networks or volumes in detail',
    load: () => from(import('./commands/inspect.ts')),
  },
  builder: BUILDER,
  buildx: BUILDER,
  artifact: {
    attach: {
      summary: 'Put files beside an image: signatures, SBOMs',
      load: async () => (await import('./commands/artifact.ts')).attach,
    },
    pull: {
      summary: 'Download a Wasm module, or other files, from a registry',
      load: async () => (await import('./commands/artifact.ts')).pull,
    },
    push: {
      summary: 'Upload a .wasm file as an artifact',
      load: async () => (await import('./commands/artifact.ts')).push,
    },
    referrers: {
      summary: 'List what is attached to an image',
      load: async () => (await import('./commands/artifact.ts')).referrers,
    },
  },
  manifest: {
    annotate: {
      summary: 'Set the platform of a manifest in a list',
      load: async () => (await import('./commands/manifest.ts')).annotate,
    },
    create: {
      summary: 'Put a manifest list together',
      load: async () => (await import('./commands/manifest.ts')).create,
    },
    inspect: {
      summary: 'Show a manifest or a list of a registry',
      load: async () => (await import('./commands/manifest.ts')).inspect,
    },
    push: {
      summary: 'Upload a manifest list, and the manifests it names',
      load: async () => (await import('./commands/manifest.ts')).push,
    },
    rm: { summary: 'Forget manifest lists', load: async () => (await import('./commands/manifest.ts')).rm },
  },
  network: {
    connect: { summary: 'Put a container on a network', load: () => from(import('./commands/network-connect.ts')) },
    create: { summary: 'Make a network', load: () => from(import('./commands/network-create.ts')) },
    disconnect: {
      summary: 'Take a container off a network',
      load: () => from(import('./commands/network-disconnect.ts')),
    },
    inspect: { summary: 'Show networks in detail', load: () => from(import('./commands/network-inspect.ts')) },
    ls: { summary: 'List networks', load: () => from(import('./commands/network-ls.ts')) },
    prune: { summary: 'Remove unused networks', load: () => from(import('./commands/network-prune.ts')) },
    rm: { summary: 'Remove networks', load: () => from(import('./commands/network-rm.ts')) },
  },
  volume: {
    create: { summary: 'Make a volume', load: () => from(import('./commands/volume-create.ts')) },
    inspect: { summary: 'Show volumes in detail', load: () => from(import('./commands/volume-inspect.ts')) },
    ls: { summary: 'List volumes', load: () => from(import('./commands/volume-ls.ts')) },
    prune: { summary: 'Remove unused volumes', load: () => from(import('./commands/volume-prune.ts')) },
    rm: { summary: 'Remove volumes', load: () => from(import('./commands/volume-rm.ts')) },
  },
  system: {
    df: { summary: 'Show how much disk wctr uses', load: () => from(import('./commands/system-df.ts')) },
    info: { summary: 'Show facts about this installation', load: () => from(import('./commands/info.ts')) },
    prune: { summary: 'Remove what is not used', load: () => from(import('./commands/system-prune.ts')) },
    events: { summary: 'Show what happens, as it happens', load: () => from(import('./commands/events.ts')) },
  },
  events: { summary: 'Show what happens, as it happens', load: () => from(import('./commands/events.ts')) },
  info: { summary: 'Show facts about this installation', load: () => from(import('./commands/info.ts')) },
  registry: {
    serve: { summary: 'Serve a registry of images', load: () => from(import('./commands/registry-serve.ts')) },
    gc: {
      summary: "Remove what the registry's images do not need",
      load: () => from(import('./commands/registry-gc.ts')),
    },
  },
  checkpoint: {
    create: { summary: 'Freeze a container, initialised', load: () => from(import('./commands/checkpoint-create.ts')) },
    ls: { summary: "List a container's checkpoints", load: () => from(import('./commands/checkpoint-ls.ts')) },
    rm: { summary: 'Remove a checkpoint', load: () => from(import('./commands/checkpoint-rm.ts')) },
  },
  daemon: { summary: 'Serve the Docker Engine API', load: () => from(import('./commands/daemon.ts')) },
  context: {
    create: { summary: 'Give a daemon a name', load: async () => (await import('./commands/context.ts')).create },
    inspect: { summary: 'Show contexts in detail', load: async () => (await import('./commands/context.ts')).inspect },
    ls: { summary: 'List contexts', load: async () => (await import('./commands/context.ts')).ls },
    rm: { summary: 'Forget contexts', load: async () => (await import('./commands/context.ts')).rm },
    show: { summary: 'Show the context in use', load: async () => (await import('./commands/context.ts')).show },
    use: { summary: 'Choose the context to use', load: async () => (await import('./commands/context.ts')).use },
  },
  version: { summary: 'Show version information', load: () => from(import('./commands/version.ts')) },
  completion: {
    summary: 'Print a completion script for bash, zsh or fish',
    load: () => from(import('./commands/completion.ts')),
  },
};

/** In no help: what wctr's own processes call. */
export const HIDDEN_COMMANDS: Readonly<Record<string, CommandEntry>> = {
  __reconcile: {
    summary: 'Settle a container whose process was killed',
    load: () => from(import('./commands/reconcile.ts')),
  },
};

export function isCommandEntry(entry: (typeof COMMANDS)[string]): entry is CommandEntry {
  return typeof entry.load === 'function';
}

async function from(module: Promise<{ command: Command }>): Promise<Command> {
  return (await module).command;
}
