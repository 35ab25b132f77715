import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const LAYER = 'application/vnd.oci.image.layer.v1.tar';

/** A descriptor, and what else an entry of an index has. */
export interface Entry {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly [member: string]: unknown;
}

/** An OCI image layout directory that is made by hand, file by file. */
export class LayoutFolder {
  private readonly entries: Entry[] = [];

  private constructor(readonly root: string) {}

  static async make(): Promise<LayoutFolder> {
    const root = await mkdtemp(path.join(tmpdir(), 'layout-'));
    await mkdir(path.join(root, 'blobs/sha256'), { recursive: true });
    await writeFile(path.join(root, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    return new LayoutFolder(root);
  }

  /** The reference of a tag. */
  reference(tag: string): string {
    return `oci-layout://${this.root}:${tag}`;
  }

  /** Writes a blob: text and bytes as they are, and anything else as JSON. */
  async blob(mediaType: string, content: unknown): Promise<Entry> {
    const isPlain = typeof content === 'string' || content instanceof Uint8Array;
    const bytes = Buffer.from(isPlain ? content : JSON.stringify(content));
    const hex = createHash('sha256').update(bytes).digest('hex');
    await writeFile(path.join(this.root, 'blobs/sha256', hex), bytes);
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
  }

  /** Writes an image of a configuration and layers. */
  async image(
    config: unknown,
    layers: readonly Entry[],
    more: object = {},
  ): Promise<Entry & { readonly config: Entry }> {
    const written = await this.blob(OCI_CONFIG, config);
    const manifest = {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: written,
      layers,
      ...more,
    };
    return { ...(await this.blob(OCI_MANIFEST, manifest)), config: written };
  }

  /** Writes a list of entries. */
  index(entries: readonly Entry[], more: object = {}): Promise<Entry> {
    // The configuration is no part of an entry.
    const manifests = entries.map((entry) => ({ ...entry, config: undefined }));
    return this.blob(OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests, ...more });
  }

  /** Gives a manifest a tag, or without one only an entry in index.json. */
  async tag({ mediaType, digest, size }: Entry, tag?: string): Promise<void> {
    const annotations = { 'org.opencontainers.image.ref.name': tag };
    const entry = { mediaType, digest, size, ...(tag === undefined ? {} : { annotations }) };
    this.entries.push(entry);
    const index = { schemaVersion: 2, manifests: this.entries };
    await writeFile(path.join(this.root, 'index.json'), JSON.stringify(index));
  }

  remove(): Promise<void> {
    return rm(this.root, { recursive: true, force: true });
  }
}
