import { createHash } from 'node:crypto';
import path from 'node:path';
import { digestOf, isDigest, type Digest } from '../oci/digest.js';
import { FieldError, Fields } from '../oci/json/fields.js';
import { parseJson, parseJsonBytes, refuseAmbiguity, type JsonValue } from '../oci/json/parse.js';
import { DOCKER_CONFIG, DOCKER_MANIFEST } from '../oci/media-types.js';
import { checkSize, type ContentId } from '../layout/blobs.js';
import { parsing } from '../layout/errors.js';
import { emptyIndex, fullName, withManifest } from '../layout/names.js';
import type { LayoutFiles } from '../layout/layout-files.js';
import { damaged, unusable } from './errors.js';
import type { Members } from './members.js';
import { noBlob } from './oci-archive.js';
import type { Compression } from './compression.js';
import { compressionAt } from './open-file.js';
import { normalName, type Member } from './tar-index.js';

/** Media types of layers by their compression; "docker save" writes them without. */
const LAYER_TYPES: Readonly<Partial<Record<Compression | 'none', string>>> = {
  none: 'application/vnd.docker.image.rootfs.diff.tar',
  gzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  zstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
};

/** Links followed to a layer at most. */
const MAX_LINKS = 8;

/** One image in manifest.json. */
interface SavedImage {
  readonly config: string;
  readonly names: readonly string[];
  readonly layers: readonly string[];
}

/** Where content of the archive is: in memory, or in a member. */
type Content = { readonly bytes: Uint8Array } | { readonly name: string; readonly member: Member };

/**
 * The files of an archive of `docker save` as those of a layout. The archive has configs and
 * layers, but no manifests: each image gets a Docker manifest with its config and its layers
 * unchanged, usually not compressed. `docker save` of version 25 or later writes an OCI image
 * layout as well, which is then read instead (see `openArchive`).
 */
export class DockerArchive implements LayoutFiles {
  readonly noun = 'archive';
  readonly rules = { shortNames: true };
  readonly root: string;
  readonly indexFile: string;
  private readonly contents = new Map<Digest, Content>();
  private readonly layers = new Map<number, Promise<readonly [type: string, digest: Digest]>>();
  private index: JsonValue = emptyIndex();
  private opening: Promise<void> | undefined;

  constructor(
    private readonly members: Members,
    private readonly signal: AbortSignal,
  ) {
    this.root = members.file.path;
    this.indexFile = members.nameOf('manifest.json');
  }

  /**
   * @throws {ManifestToolError} FAILED if it is not an archive of "docker save"; CORRUPT if
   * something that it names is missing or damaged.
   */
  open(what: string): Promise<void> {
    this.opening ??= this.load(what);
    return this.opening;
  }

  readIndex(): Promise<JsonValue> {
    return Promise.resolve(this.index);
  }

  async readBlob(what: string, digest: Digest, size: number | undefined): Promise<Uint8Array> {
    const content = this.find(what, digest);
    if ('bytes' in content) {
      checkSize(what, this.fileOf(what, digest), content.bytes.length, size);
      return content.bytes;
    }
    return this.members.readChecked(what, content.name, content.member, { digest, size });
  }

  openBlob(what: string, id: ContentId, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const content = this.find(what, id.digest);
    checkSize(what, this.fileOf(what, id.digest), sizeOf(content), id.size);
    return Promise.resolve(
      'bytes' in content
        ? onlyChunk(content.bytes)
        : this.members.verified(what, content.name, content.member, id, signal),
    );
  }

  blobSize(_what: string, digest: Digest): Promise<number | undefined> {
    const content = this.contents.get(digest);
    return Promise.resolve(content && sizeOf(content));
  }

  fileOf(_what: string, digest: Digest): string {
    const content = this.contents.get(digest);
    const isMember = content !== undefined && 'name' in content;
    return isMember ? this.members.nameOf(content.name) : `${digest} in ${this.root}`;
  }

  private find(what: string, digest: Digest): Content {
    const content = this.contents.get(digest);
    if (content === undefined) throw noBlob(what, digest);
    return content;
  }

  private async load(what: string): Promise<void> {
    const bytes = await this.members.document(what, 'manifest.json');
    if (bytes === undefined) {
      throw unusable(
        what,
        `${this.root} is not an archive of "docker save": it has no manifest.json`,
        'make one with "docker save -o FILE IMAGE"',
      );
    }
    const images = parsing(what, this.indexFile, () => savedImages(parseJsonBytes(bytes)));
    for (const image of images) await this.add(what, image);
  }

  /** Makes the manifest of an image, as skopeo does, and names it. */
  private async add(what: string, image: SavedImage): Promise<void> {
    const config = await this.configOf(what, image.config);
    const layers = [];
    for (const [i, name] of image.layers.entries()) {
      layers.push(await this.layerOf(what, name, config.diffIds[i]));
    }
    if (config.diffIds.length !== image.layers.length) {
      const [inConfig, inIndex] = [config.diffIds.length, image.layers.length];
      const why = `image ${config.digest} has ${inIndex} layers, but its config lists ${inConfig}`;
      throw damaged(what, this.indexFile, why);
    }
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: DOCKER_MANIFEST,
        config: { mediaType: DOCKER_CONFIG, size: config.size, digest: config.digest },
        layers,
      }),
    );
    const digest = digestOf(manifest);
    this.contents.set(digest, { bytes: manifest });
    const entry = { mediaType: DOCKER_MANIFEST, digest, size: manifest.length };
    this.index = withManifest(what, this.index, entry, image.names).index;
  }

  private async configOf(what: string, name: string) {
    const member = this.memberOf(what, name);
    const bytes = await this.members.read(what, name, member);
    const digest = digestOf(bytes);
    this.contents.set(digest, { name, member });
    const text = Buffer.from(bytes).toString('utf8');
    const diffIds = parsing(what, this.members.nameOf(name), () =>
      Fields.of(parseJson(text, refuseAmbiguity), '').fields('rootfs')?.strings('diff_ids'),
    );
    return { digest, size: bytes.length, diffIds: diffIds ?? [] };
  }

  private async layerOf(what: string, name: string, diffId: string | undefined) {
    const member = this.memberOf(what, name);
    const known = this.layers.get(member.offset);
    const reading = known ?? this.describe(what, name, member, diffId);
    this.layers.set(member.offset, reading);
    const [mediaType, digest] = await reading;
    this.contents.set(digest, { name, member });
    return { mediaType, size: member.size, digest };
  }

  /**
   * The digest of a layer that is not compressed is in the config (OCI image-spec, config.md,
   * `rootfs`), and is checked when the layer is read. Others are read for it.
   */
  private async describe(what: string, name: string, member: Member, diffId: string | undefined) {
    const compression = await compressionAt(this.members.file, member.offset);
    const type = LAYER_TYPES[compression ?? 'none'];
    if (type === undefined) {
      const why = `layer ${name} is compressed with ${compression}, which no registry accepts`;
      throw unusable(what, `${this.root}: ${why}`, 'create the archive again with "docker save"');
    }
    if (compression === undefined && diffId !== undefined && isDigest(diffId))
      return [type, diffId] as const;
    const hash = createHash('sha256');
    for await (const chunk of this.members.chunks(what, name, member, this.signal))
      hash.update(chunk);
    return [type, `sha256:${hash.digest('hex')}` as Digest] as const;
  }

  /**
   * The member of that name. Links are followed inside the archive: older versions of docker write
   * one for a layer that several images have.
   */
  private memberOf(what: string, name: string): Member {
    let at = normalName(name);
    for (let links = 0; links <= MAX_LINKS; links += 1) {
      const member = this.members.get(at);
      if (member === undefined) break;
      if (member.kind === 'file') return member;
      if (member.kind === 'other') this.members.checkRegular(what, at, member);
      at =
        member.kind === 'hardlink'
          ? normalName(member.target)
          : path.posix.join(path.posix.dirname(at), member.target);
    }
    throw damaged(
      what,
      this.indexFile,
      `it refers to ${JSON.stringify(name)}, which is not in the archive`,
    );
  }
}

function sizeOf(content: Content): number {
  return 'bytes' in content ? content.bytes.length : content.member.size;
}

async function* onlyChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

/**
 * Reads manifest.json.
 * @throws {FieldError} if it is not a list of images.
 */
function savedImages(json: JsonValue): SavedImage[] {
  if (!Array.isArray(json)) throw new FieldError('', 'is not a list');
  return (json as readonly JsonValue[]).map((image, i) => {
    const fields = Fields.of(image, `[${i}]`);
    return {
      config: fields.requiredString('Config'),
      names: (fields.strings('RepoTags') ?? []).map((name) => fullName(name) ?? name),
      layers: fields.strings('Layers') ?? [],
    };
  });
}
