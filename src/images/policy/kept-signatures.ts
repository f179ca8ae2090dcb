/**
 * Signatures of pulled images, kept so that `run` can check them by the policy of the day without a network:
 * `<root>/signatures/<hex of the manifest's digest>.json`.
 */
import type { FileSystem } from '../../host/ports.ts';
import type { Digest } from '../../spec/image-spec.ts';
import { digestParts } from '../digest.ts';
import { isMissing } from '../store/disk-error.ts';
import { writeDurably } from '../store/durable.ts';
import type { StoreLayout } from '../store/layout.ts';
import { fromBase64, type Signature } from './signature.ts';

export class KeptSignatures {
  private readonly fs: FileSystem;
  private readonly layout: StoreLayout;

  constructor(fs: FileSystem, layout: StoreLayout) {
    this.fs = fs;
    this.layout = layout;
  }

  /** None where there are none, or the file is damaged: an image without them is checked anew when it is pulled. */
  async get(manifest: Digest): Promise<readonly Signature[]> {
    try {
      const text = new TextDecoder().decode(await this.fs.readFile(this.path(manifest)));
      const { signatures } = JSON.parse(text) as { signatures: { payload: string; signature: string }[] };
      return signatures.map(({ payload, signature }) => ({ payload: fromBase64(payload), signature }));
    } catch (error) {
      if (isMissing(error) || error instanceof SyntaxError || error instanceof TypeError) return [];
      throw error;
    }
  }

  async put(manifest: Digest, signatures: readonly Signature[]): Promise<void> {
    const kept = signatures.map(({ payload, signature }) => ({
      payload: btoa(String.fromCharCode(...payload)),
      signature,
    }));
    const bytes = new TextEncoder().encode(JSON.stringify({ manifest, signatures: kept }));
    await writeDurably(this.fs, this.layout.tmp, this.path(manifest), bytes);
  }

  /** Forgets those of images that are gone. */
  async sweep(manifests: ReadonlySet<Digest>): Promise<void> {
    const keep = new Set([...manifests].map((digest) => this.name(digest)));
    const names = await this.fs.readdir(this.directory).catch(() => []);
    for (const name of names) if (!keep.has(name)) await this.fs.rm(`${this.directory}/${name}`, { force: true });
  }

  private get directory(): string {
    return `${this.layout.root}/signatures`;
  }

  private name(manifest: Digest): string {
    const { algorithm, hex } = digestParts(manifest);
    return `${algorithm}-${hex}.json`;
  }

  private path(manifest: Digest): string {
    return `${this.directory}/${this.name(manifest)}`;
  }
}
