import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const LAYER = 'application/vnd.oci.image.layer.v1.tar';

/** A descriptor, and what else an entry of an index has. */
export interface Entry {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly [member: string]: unknown;
}

/** What an image of {@link LayoutFolder.imageFor} has beside its platform. */
export interface ImageParts {
  readonly labels?: object;
  /** Members of the entry. */
  readonly listed?: object;
  /** Members of the config. */
  readonly config?: object;
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

  /** The file of a blob. */
  fileOf({ digest }: Pick<Entry, 'digest'>): string {
    return path.join(this.root, 'blobs/sha256', digest.slice('sha256:'.length));
  }

  /** Writes a blob: text and bytes as they are, and anything else as JSON. */
  async blob(mediaType: string, content: unknown): Promise<Entry> {
    const isPlain = typeof content === 'string' || content instanceof Uint8Array;
    const bytes = Buffer.from(isPlain ? content : JSON.stringify(content));
    const hex = createHash('sha256').update(bytes).digest('hex');
    await writeFile(path.join(this.root, 'blobs/sha256', hex), bytes);
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
  }

  /** Writes the manifest of a config and layers. */
  manifest(config: Entry, layers: readonly Entry[], more: object = {}): Promise<Entry> {
    const mediaType = OCI_MANIFEST;
    return this.blob(mediaType, { schemaVersion: 2, mediaType, config, layers, ...more });
  }

  /** Writes an image with one layer for `os/arch[/variant]`, as an entry of an index. */
  async imageFor(name: string, { labels, listed, config = {} }: ImageParts = {}): Promise<Entry> {
    const [os, architecture, variant] = name.split('/');
    const platform = { architecture, os, ...(variant && { variant }) };
    const layer = await this.blob(LAYER, `layer of ${name}`);
    const written = await this.blob(OCI_CONFIG, {
      ...platform,
      config: { Labels: labels },
      rootfs: { type: 'layers', diff_ids: [layer.digest] },
      ...config,
    });
    return { ...(await this.manifest(written, [layer])), platform, ...listed };
  }

  /** Writes an attestation manifest as BuildKit does, with a layer for each predicate type. */
  async attestation(subject: Entry, ...predicateTypes: string[]): Promise<Entry> {
    const layers = await Promise.all(
      predicateTypes.map(async (type) => ({
        ...(await this.blob('application/vnd.in-toto+json', { predicateType: type, subject })),
        annotations: { 'in-toto.io/predicate-type': type },
      })),
    );
    const platform = { architecture: 'unknown', os: 'unknown' };
    const diff_ids = layers.map(({ digest }) => digest);
    const config = await this.blob(OCI_CONFIG, {
      ...platform,
      rootfs: { type: 'layers', diff_ids },
    });
    const annotations = {
      'vnd.docker.reference.digest': subject.digest,
      'vnd.docker.reference.type': 'attestation-manifest',
    };
    return { ...(await this.manifest(config, layers)), annotations, platform };
  }

  /** Writes an image of a configuration and layers. */
  async image(
    config: unknown,
    layers: readonly Entry[],
    more: object = {},
  ): Promise<Entry & { readonly config: Entry }> {
    const written = await this.blob(OCI_CONFIG, config);
    return { ...(await this.manifest(written, layers, more)), config: written };
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

  /** Removes a blob, or the whole directory. */
  remove(blob?: Entry): Promise<void> {
    return rm(blob === undefined ? this.root : this.fileOf(blob), { recursive: true, force: true });
  }
}
