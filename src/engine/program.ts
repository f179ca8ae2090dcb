/** Finds what `run` names: an image of the store (pulled when missing), a module or a layout on the host's disk. */

import { CHECKPOINT_LABEL } from '../containers/checkpoint/names.ts';
import { isHostPath } from '../containers/mounts.ts';
import { commandLine, type ImageProcessConfig } from '../containers/process-config.ts';
import type { ContainerRecord } from '../containers/record.ts';
import { isWctrError, WctrError } from '../errors.ts';
import type { ByteLocation } from '../host/ports.ts';
import type { CheckpointLocation, SandboxSpec } from '../host/sandbox.ts';
import type { LayerStore } from '../images/contracts.ts';
import type { Image } from '../images/image-store.ts';
import { DEFAULT_PLATFORMS, formatPlatform, parsePlatform, platformRank } from '../images/platform.ts';
import { assertMayRun, probeEntrypoint } from '../images/variants.ts';
import type { Digest, ProcessConfig } from '../spec/image-spec.ts';
import type { ImageUseCases, RunOptions } from './engine.ts';
import type { LocalImages } from './image-use-cases.ts';
import type { EngineParts } from './parts.ts';
import { RootfsFiles } from './rootfs-files.ts';

/** What a container sees of its image's files. */
export interface ProgramFiles {
  readonly index: { readonly index?: ByteLocation };
  readonly layers: readonly ByteLocation[];
  /** A text file of the image; undefined where there is none. */
  readonly readFile: (path: string) => Promise<string | undefined>;
  /** The checkpoint that labels name, if they do. Throws 'not-found'. */
  readonly checkpoint: (
    labels: Readonly<Record<string, string>> | null | undefined,
  ) => Promise<CheckpointLocation | undefined>;
}

/** Everything about the image that a container needs. */
export interface Program extends ProgramFiles {
  /** Digest of the image's config; empty for a bare module. */
  readonly imageId: string;
  readonly manifest?: Digest;
  readonly diffIds: readonly Digest[];
  readonly labels: Readonly<Record<string, string>>;
  readonly process: ImageProcessConfig;
  /** The image's config as it is; empty for a bare module. */
  readonly config: ProcessConfig;
  readonly platform: string;
  /** argv before everything else: a bare module's own name. */
  readonly argsPrefix: readonly string[];
  /** Where the program is no file of the image. */
  readonly module?: SandboxSpec['program'];
}

type Rootfs = Awaited<ReturnType<LayerStore['rootfs']>>;

/** Of a bare module. */
const NO_FILES = { readFile: async () => undefined, checkpoint: async () => undefined };

const MAGIC_BYTES = 8;

export class ProgramSources {
  readonly #parts: EngineParts;
  readonly #images: LocalImages;

  constructor(parts: EngineParts, images: LocalImages) {
    this.#parts = parts;
    this.#images = images;
  }

  async find(options: RunOptions): Promise<Program> {
    if (isHostPath(options.image)) return this.#fromDisk(options.image, options);
    return this.#fromImage(await this.#open(options), options);
  }

  async #open(options: RunOptions): Promise<Image> {
    const { images } = this.#parts;
    const { image: name, pull = 'missing' } = options;
    const pullOptions = () => ({
      ...(options.platform === undefined ? {} : { platform: options.platform }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(options.onPull === undefined ? {} : { onEvent: options.onPull }),
    });
    if (pull === 'always') await this.#images.pull(name, pullOptions());
    let near: unknown;
    try {
      const image = await images.open(name);
      if (options.platform === undefined || isFor(image, options.platform)) return image;
      if (pull === 'never') throw wrongPlatform(name, options.platform);
    } catch (error) {
      if (!isWctrError(error, 'no-such-image')) throw error;
      if (await this.#images.addBundled(name)) return images.open(name);
      if (pull === 'never') throw error;
      options.onPull?.({ status: `Unable to find image '${name}' locally` });
      near = error.data.candidates;
    }
    await this.#pullNamed(options, pullOptions(), Array.isArray(near) ? near : []);
    return images.open(name);
  }

  /** `near`: images that are here with almost this name, for who mistyped it. */
  async #pullNamed(
    options: RunOptions,
    pullOptions: Parameters<ImageUseCases['pull']>[1],
    near: readonly string[],
  ): Promise<void> {
    const { image: name } = options;
    try {
      await this.#images.pull(name, pullOptions);
    } catch (error) {
      if (!isWctrError(error) || error.code === 'cancelled') throw error;
      const isFile = (await this.#parts.host.paths?.kind(name)) !== undefined;
      if (!isFile && near.length === 0) throw error;
      const hint = isFile ? `to run the file of that name: wctr run ./${name}` : `did you mean ${near.join(' or ')}?`;
      throw new WctrError(error.code, error.message, { cause: error, hint, data: error.data });
    }
  }

  /** The files of a container that was created before. Its image may have lost all its names since. */
  async reopen({ imageId, diffIds }: Pick<ContainerRecord, 'imageId' | 'diffIds'>): Promise<ProgramFiles> {
    const { layers } = this.#parts;
    if (diffIds.length === 0) return { index: {}, layers: [], ...NO_FILES };
    const rootfs = await layers.rootfs(diffIds).catch(async (error: unknown) => {
      // Layers are a cache of the blobs: the image can make them again as long as it has a record.
      const image = await this.#parts.images.open(imageId).catch(() => undefined);
      if (image === undefined) throw error;
      return (await this.#rootfs(image))!;
    });
    return { index: { index: rootfs.index }, layers: rootfs.layers, ...this.#reading(rootfs) };
  }

  async #rootfs(image: Image): Promise<Rootfs | undefined> {
    const { layers } = this.#parts;
    for (const { descriptor, kind, diffId } of image.layers) {
      // Layers are a cache of the blobs: one that was deleted is made again.
      if (kind === 'tar' && diffId !== undefined && (await layers.get(diffId)) === undefined) {
        await layers.unpack(descriptor, diffId);
      }
    }
    return image.diffIds.length === 0 ? undefined : layers.rootfs(image.diffIds);
  }

  async #fromImage(image: Image, options: RunOptions): Promise<Program> {
    const { content } = this.#parts;
    const { config, form, record } = image;
    await this.#images.permit(record);
    const wanted = options.platform === undefined ? DEFAULT_PLATFORMS : [parsePlatform(options.platform)];
    const rootfs = await this.#rootfs(image);
    const { Entrypoint, Cmd, Env, User, WorkingDir, Labels } = config.process;
    const isAsked = options.platform !== undefined || options.entrypoint !== undefined;
    if (!isAsked && form.kind === 'rootfs' && form.wasmBy === 'unknown') {
      const isWasm = await this.#startsWithWasm(rootfs, config.process, options);
      assertMayRun(options.image, form, config, wanted, isWasm);
    }
    return {
      imageId: image.id,
      manifest: record.manifest.digest,
      diffIds: image.diffIds,
      labels: Labels ?? {},
      config: config.process,
      platform: formatPlatform(config.platform),
      process: {
        ...(Entrypoint === undefined ? {} : { entrypoint: Entrypoint }),
        ...(Cmd === undefined ? {} : { cmd: Cmd }),
        ...(Env === undefined ? {} : { env: Env }),
        ...(User === undefined ? {} : { user: User }),
        ...(WorkingDir === undefined ? {} : { workingDir: WorkingDir }),
      },
      argsPrefix: form.kind === 'module' && Entrypoint === undefined ? [form.name] : [],
      index: rootfs === undefined ? {} : { index: rootfs.index },
      layers: rootfs?.layers ?? [],
      ...(form.kind === 'module' ? { module: { module: await content.locate(form.layer.digest) } } : {}),
      ...(rootfs === undefined ? NO_FILES : this.#reading(rootfs)),
    };
  }

  /** Whether the file the command names is a module, whatever platform the image was built for. */
  async #startsWithWasm(rootfs: Rootfs | undefined, image: ProcessConfig, options: RunOptions): Promise<boolean> {
    const { Entrypoint: entrypoint = [], Cmd: cmd = [] } = image;
    const [command] = commandLine({ entrypoint, cmd }, { args: options.args ?? [] });
    if (rootfs === undefined || command === undefined) return false;
    const process = { env: image.Env ?? [], workingDir: options.workingDir ?? image.WorkingDir ?? '/' };
    const probe = await probeEntrypoint(command, process, (path) => this.#files(rootfs).read(path, MAGIC_BYTES));
    return probe?.kind === 'module' || probe?.kind === 'component';
  }

  async #fromDisk(path: string, options: RunOptions): Promise<Program> {
    const { paths } = this.#parts.host;
    if (paths === undefined) throw new WctrError('unsupported', `this host has no files: ${path}`);
    const { file, exportName } = await splitExport(path, paths);
    const kind = await paths.kind(file);
    if (kind === undefined) throw new WctrError('not-found', `no such file or directory: ${file}`);
    if (kind === 'directory') {
      const loaded = await this.#images.load({ directory: paths.resolve(file) });
      if (loaded.length !== 1) {
        throw new WctrError('invalid-argument', `${file} holds ${loaded.length} images, and run takes one`, {
          hint: `load them and run one by name: wctr load -i ${file}`,
        });
      }
      return this.#fromImage(await this.#parts.images.open(loaded[0]!.id), options);
    }
    return {
      imageId: '',
      diffIds: [],
      labels: {},
      config: {},
      platform: 'wasi/wasm',
      process: {},
      argsPrefix: options.entrypoint === undefined ? [file.slice(file.lastIndexOf('/') + 1)] : [],
      index: {},
      layers: [],
      module: {
        module: await paths.locate(paths.resolve(file)),
        ...(exportName === undefined ? {} : { export: exportName }),
      },
      ...NO_FILES,
    };
  }

  #reading(rootfs: Rootfs): Pick<ProgramFiles, 'readFile' | 'checkpoint'> {
    return {
      readFile: (path) => this.#files(rootfs).readText(path),
      checkpoint: (labels) => this.#checkpoint(rootfs, labels?.[CHECKPOINT_LABEL] ?? ''),
    };
  }

  #files(rootfs: Rootfs): RootfsFiles {
    return new RootfsFiles(rootfs, this.#parts.host.readAt);
  }

  async #checkpoint(rootfs: Rootfs, path: string): Promise<CheckpointLocation | undefined> {
    if (path === '') return undefined;
    const found = await this.#files(rootfs).locate(path);
    if (found !== undefined) return found;
    throw new WctrError('not-found', `the image has no checkpoint at ${path}, where its label says`, {
      hint: `to start without one: --label ${CHECKPOINT_LABEL}=`,
    });
  }
}

/** `./app.wasm#name`, unless a file is called just that. */
async function splitExport(path: string, paths: NonNullable<EngineParts['host']['paths']>) {
  const at = path.lastIndexOf('#');
  if (at < 0 || (await paths.kind(path)) !== undefined) return { file: path, exportName: undefined };
  return { file: path.slice(0, at), exportName: path.slice(at + 1) };
}

function isFor(image: Image, platform: string): boolean {
  return platformRank([parsePlatform(platform)], image.config.platform) >= 0;
}

function wrongPlatform(name: string, platform: string): WctrError {
  return new WctrError('no-matching-platform', `image ${name} is here, but not for ${platform}`, {
    hint: 'leave out --pull never to fetch that platform',
  });
}
