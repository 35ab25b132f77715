import { stat } from 'node:fs/promises';
import { Attempts, withRestarts } from '../attempts.js';
import { ManifestToolError, systemCode } from '../errors.js';
import type { ImageReader, ManifestContent } from '../oci/content.js';
import { counted } from '../oci/blob-stream.js';
import type { Digest } from '../oci/digest.js';
import type { Descriptor } from '../oci/descriptor.js';
import { AmbiguousDocument, parseDocument, type ImageDocument } from '../oci/documents.js';
import type { JsonObject } from '../oci/json/parse.js';
import { referrerOf, type Referrer } from '../oci/referrers.js';
import { verifiedForWrite } from '../layout/blobs.js';
import { removeLeftovers } from '../layout/files.js';
import { indexText } from '../layout/index-json.js';
import { withLock } from '../layout/lock.js';
import { MARKER } from '../layout/marker.js';
import {
  allEntries,
  emptyIndex,
  withManifest,
  withoutTag,
  type ChangedIndex,
  type IndexEntry,
  type UntaggedIndex,
} from '../layout/names.js';
import { recordReferrers } from '../layout/referrers.js';
import { blobName, type OciArchive } from './oci-archive.js';
import { TarWriter } from './tar-writer.js';

/** What identifies the file that has the name of the archive; undefined if there is none. */
type Identity = string | undefined;

/**
 * The next version of an OCI archive: what is written is collected in a new file, and `publish`
 * makes it the archive, with the images that the old one names and that are not replaced. A reader
 * sees either the old archive or the new one.
 */
export class ArchiveWriter {
  private readonly blobs = new Map<Digest, number>();
  private readonly documents = new Map<Digest, Uint8Array>();
  /** Manifests by their tags, which `publish` adds to the index. */
  private readonly tagged = new Map<string, ManifestContent>();
  /** By their subject. */
  private readonly referrers = new Map<Digest, Descriptor[]>();
  /** Whether an index.json has been written: a second one must not follow. */
  private isEnding = false;

  private constructor(
    private readonly path: string,
    private readonly tar: TarWriter,
    /** The archive that is replaced. */
    private readonly before: OciArchive | undefined,
    private readonly identity: Identity,
    private readonly signal: AbortSignal,
    private readonly onWarning: (text: string) => void,
  ) {}

  /**
   * Begins a new version.
   * @param openBefore opens the archive that exists
   * @throws what `openBefore` throws: a file that is not an OCI archive is not replaced.
   */
  static async begin(
    path: string,
    openBefore: () => Promise<OciArchive>,
    signal: AbortSignal,
    onWarning: (text: string) => void,
  ): Promise<ArchiveWriter> {
    await removeLeftovers(path);
    const identity = await identify(path);
    const before = identity === undefined ? undefined : await openBefore();
    const tar = await TarWriter.create(path);
    const writer = new ArchiveWriter(path, tar, before, identity, signal, onWarning);
    await writer.text('oci-layout', MARKER);
    return writer;
  }

  /** Whether a blob has been written. */
  has({ digest, size }: Pick<Descriptor, 'digest' | 'size'>): boolean {
    return this.blobs.get(digest) === size;
  }

  /**
   * Copies a blob. It is in the archive only if it matches its digest.
   * @throws {ManifestToolError} CORRUPT if it does not; what the source throws.
   */
  async copy(
    what: string,
    blob: Descriptor,
    source: ImageReader,
    onBytes?: (bytes: number) => void,
  ): Promise<void> {
    const attempts = new Attempts(true);
    await this.tar.add(blobName(what, blob.digest), blob.size, (store) =>
      withRestarts(attempts, async () => {
        const content = counted(await source.openBlob(blob, attempts), onBytes);
        await store(this.checked(what, blob, content));
      }),
    );
    this.blobs.set(blob.digest, blob.size);
  }

  /** Writes a manifest under its digest. */
  async put(what: string, manifest: ManifestContent): Promise<void> {
    if (this.has(manifest)) return;
    const { bytes, digest, size } = manifest;
    await this.tar.add(blobName(what, digest), size, (store) => store([bytes]));
    this.blobs.set(digest, size);
    this.documents.set(digest, bytes);
  }

  /**
   * Completes the new version, in which the tags name the manifest, and replaces the old one.
   * @throws {ManifestToolError} UNAVAILABLE if another program is replacing it, FAILED if one has
   * replaced it since this one began; what the file system throws.
   */
  async publish(
    what: string,
    manifest: ManifestContent,
    tags: readonly string[],
  ): Promise<ChangedIndex> {
    if (this.isEnding) throw this.couldNotEnd(what);
    await this.tar.idle();
    await this.put(what, manifest);
    const index = await this.before?.readIndex(what);
    const children = [...this.tagged].reduce<JsonObject | undefined>(
      (current, [tag, child]) => withManifest(what, current, child, [tag]).index,
      index as JsonObject | undefined,
    );
    const named = withManifest(what, children, manifest, tags);
    const own = referrerOf(manifest);
    if (own !== undefined) this.addReferrer(own);
    const changed = { ...named, index: await this.recorded(what, named.index) };
    await this.finish(what, changed.index);
    return changed;
  }

  /**
   * Completes the new version, in which a tag of the old one names nothing, and replaces the old
   * one.
   * @param check throws if the tag must not be removed
   * @throws {ManifestToolError} as {@link publish}; NOT_FOUND if there is no such tag.
   */
  async removeTag(
    what: string,
    tag: string,
    check: (untagged: UntaggedIndex) => void,
  ): Promise<UntaggedIndex> {
    if (this.isEnding) throw this.couldNotEnd(what);
    await this.tar.idle();
    const index = (await this.before?.readIndex(what)) ?? emptyIndex();
    const untagged = withoutTag(what, index, tag, 'archive');
    check(untagged);
    await this.finish(what, untagged.index);
    return untagged;
  }

  /** Writes the index.json, and replaces the old version. */
  private async finish(what: string, index: JsonObject): Promise<void> {
    await this.keep(what, allEntries(index));
    const text = indexText(what, `index.json in ${this.path}`, index);
    await withLock(what, `${this.path}.lock`, this.signal, async () => {
      if ((await identify(this.path)) !== this.identity) throw this.wasReplaced(what);
      this.isEnding = true;
      await this.text('index.json', text);
      await this.tar.finish(this.path);
    });
  }

  /** Adds a manifest, which has been written, to the index.json of the new version. */
  addTag(manifest: ManifestContent, tag: string): void {
    this.tagged.set(tag, manifest);
  }

  /** Adds a referrer, which has been written, to the index.json of the new version. */
  addReferrer({ subject, entry }: Referrer): void {
    this.referrers.set(subject, [...(this.referrers.get(subject) ?? []), entry]);
  }

  /** index.json with the referrers of the new version. */
  private async recorded(what: string, index: JsonObject): Promise<JsonObject> {
    const files = {
      root: this.path,
      indexFile: `index.json in ${this.path}`,
      readBlob: async (_: string, digest: Digest) => {
        const bytes = this.documents.get(digest) ?? (await this.readBefore(what, digest));
        if (bytes !== undefined) return bytes;
        throw new ManifestToolError('NOT_FOUND', what, `${digest} is not in the archive`);
      },
      fileOf: (_: string, digest: Digest) => `${digest} in ${this.path}`,
    };
    let current = index;
    for (const [subject, entries] of this.referrers) {
      const recorded = await recordReferrers(what, files, current, subject, entries);
      const { index: next, tagged, warning } = recorded;
      if (tagged !== undefined) await this.put(what, tagged);
      if (warning !== undefined) this.onWarning(`${this.path}: ${warning}`);
      current = next;
    }
    return current;
  }

  /** Removes what has been written. */
  abandon(): Promise<void> {
    return this.tar.abandon();
  }

  /** Copies what the entries need from the old archive, as far as it has it. */
  private async keep(what: string, entries: readonly IndexEntry[]): Promise<void> {
    const queue: Pick<Descriptor, 'digest' | 'mediaType' | 'size'>[] = [...entries];
    const seen = new Set<Digest>();
    for (let entry = queue.pop(); entry !== undefined; entry = queue.pop()) {
      if (seen.has(entry.digest)) continue;
      seen.add(entry.digest);
      queue.push(...(await this.partsOf(what, entry)));
      if (this.blobs.has(entry.digest)) continue;
      const size = await this.before?.blobSize(what, entry.digest);
      if (size === undefined) continue;
      const { digest } = entry;
      const content = await this.before!.openBlob(what, { digest, size }, this.signal);
      await this.tar.add(blobName(what, digest), size, (store) => store(content));
      this.blobs.set(digest, size);
    }
  }

  /** What a manifest or an index names; nothing for any other content. */
  private async partsOf(
    what: string,
    { digest, mediaType }: Pick<Descriptor, 'digest' | 'mediaType'>,
  ): Promise<readonly Descriptor[]> {
    const isDocument = mediaType.includes('manifest') || mediaType.includes('index');
    if (!isDocument) return [];
    const bytes = this.documents.get(digest) ?? (await this.readBefore(what, digest));
    if (bytes === undefined) return [];
    const document = readableDocument(bytes, mediaType);
    if (document === undefined) return [];
    return document.kind === 'index'
      ? document.manifests
      : [document.config, ...(document.layers ?? [])];
  }

  private async readBefore(what: string, digest: Digest): Promise<Uint8Array | undefined> {
    const size = await this.before?.blobSize(what, digest);
    return size === undefined ? undefined : this.before!.readBlob(what, digest, size);
  }

  private text(name: string, text: string): Promise<void> {
    const bytes = Buffer.from(text);
    return this.tar.add(name, bytes.length, (store) => store([bytes]));
  }

  private async *checked(what: string, blob: Descriptor, content: AsyncIterable<Uint8Array>) {
    for await (const chunk of verifiedForWrite(what, blob, content)) {
      this.signal.throwIfAborted();
      yield chunk;
    }
  }

  private couldNotEnd(what: string): ManifestToolError {
    const why = `${this.path} could not be completed earlier`;
    return new ManifestToolError('FAILED', what, why, { hint: 'run it again' });
  }

  private wasReplaced(what: string): ManifestToolError {
    const why = `another program replaced ${this.path} during the write`;
    return new ManifestToolError('FAILED', what, why, { hint: 'run it again' });
  }
}

/** A manifest or index of the old archive, ambiguous or not; undefined if it is damaged. */
function readableDocument(bytes: Uint8Array, mediaType: string): ImageDocument | undefined {
  try {
    return parseDocument(bytes, mediaType).document;
  } catch (error) {
    return error instanceof AmbiguousDocument ? error.parsed.document : undefined;
  }
}

async function identify(path: string): Promise<Identity> {
  try {
    const { dev, ino, size, mtimeMs } = await stat(path);
    return [dev, ino, size, mtimeMs].join(' ');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
