import { Attempts, withRestarts } from '../attempts.js';
import { ManifestToolError } from '../errors.js';
import type {
  BlobOutcome,
  FetchedManifest,
  ImageReader,
  ImageStore,
  ManifestContent,
} from '../oci/content.js';
import { counted } from '../oci/blob-stream.js';
import { isDigest, parseDigest, type Digest } from '../oci/digest.js';
import { NO_IMAGE_HINT, parseDocument } from '../oci/documents.js';
import type { Descriptor } from '../oci/descriptor.js';
import { isTag } from '../oci/reference.js';
import { blobSize, checkSize, hasBlob, openBlob, putBlob, readBlob, writeBlob } from './blobs.js';
import { corrupt, guarded, parsing } from './errors.js';
import {
  findTag,
  readIndex,
  refNames,
  updateIndex,
  withManifest,
  type IndexEntry,
} from './index-json.js';
import { checkLayout, ensureLayout } from './marker.js';
import { blobPath, indexPath } from './paths.js';
import { findReferrers } from './referrers.js';

/** How many names a hint lists; the rest are counted. */
const MAX_LISTED = 10;

/**
 * Opens an OCI image layout directory (OCI image-spec, image-layout.md). Nothing is read yet: the
 * first read checks that it is a layout, and the first write creates it. Once `signal` is aborted,
 * nothing new begins, and reading a blob ends with INTERRUPTED.
 */
export function openLayout(
  path: string,
  signal: AbortSignal = new AbortController().signal,
): ImageStore {
  return new Layout(path, signal);
}

class Layout implements ImageStore {
  readonly name: string;
  private isChecked = false;
  private isPrepared = false;

  constructor(
    private readonly root: string,
    private readonly signal: AbortSignal,
  ) {
    this.name = `oci-layout://${root}`;
  }

  getManifest(tagOrDigest: string, expected?: Descriptor): Promise<FetchedManifest> {
    const what = `reading ${this.at(tagOrDigest)}`;
    return this.reading(what, async () => {
      const entry = isTag(tagOrDigest)
        ? await this.resolve(what, tagOrDigest)
        : { ...expected, digest: parseDigest(tagOrDigest, what) };
      const file = blobPath(this.root, entry.digest, what);
      if (expected !== undefined && expected.digest !== entry.digest) {
        throw corrupt(what, file, `it is not the expected ${expected.digest}`);
      }
      const bytes = await readBlob(what, this.root, entry.digest, entry.size);
      checkSize(what, file, bytes.length, expected?.size);
      const parsed = parsing(
        what,
        file,
        () => parseDocument(bytes, entry.mediaType),
        NO_IMAGE_HINT,
      );
      return { ...parsed, digest: entry.digest, size: bytes.length, bytes };
    });
  }

  getBlob(descriptor: Descriptor): Promise<Uint8Array> {
    const what = `reading ${this.at(descriptor.digest)}`;
    return this.reading(what, () => readBlob(what, this.root, descriptor.digest, descriptor.size));
  }

  openBlob(descriptor: Descriptor): Promise<AsyncIterable<Uint8Array>> {
    const what = `reading ${this.at(descriptor.digest)}`;
    return this.reading(what, () => openBlob(what, this.root, descriptor, this.signal));
  }

  blobSize({ digest }: Descriptor): Promise<number | undefined> {
    const what = `looking for ${this.at(digest)}`;
    return this.reading(what, () => blobSize(what, this.root, digest));
  }

  ensureBlob(
    descriptor: Descriptor,
    source: ImageReader,
    onBytes?: (bytes: number) => void,
  ): Promise<BlobOutcome> {
    const what = `copying blob ${descriptor.digest} from ${source.name} to ${this.name}`;
    return this.writing(what, async () => {
      if (await hasBlob(what, this.root, descriptor)) return 'present';
      const attempts = new Attempts(true);
      await withRestarts(attempts, () =>
        writeBlob(what, this.root, descriptor, async () =>
          counted(await source.openBlob(descriptor, attempts), onBytes),
        ),
      );
      return 'copied';
    });
  }

  async tagDigest(tag: string): Promise<Digest | undefined> {
    const what = `reading ${this.at(tag)}`;
    try {
      return (await this.reading(what, () => this.resolve(what, tag))).digest;
    } catch (error) {
      if (error instanceof ManifestToolError && error.code === 'NOT_FOUND') return undefined;
      throw error;
    }
  }

  putChild(manifest: ManifestContent): Promise<void> {
    const what = `writing ${this.at(manifest.digest)}`;
    return this.writing(what, () => putBlob(what, this.root, manifest, manifest.bytes));
  }

  referrers(subject: Digest): Promise<readonly Descriptor[]> {
    const what = `listing what refers to ${this.at(subject)}`;
    return this.reading(what, async () => {
      const index = await readIndex(what, this.root);
      return findReferrers(what, this.root, index, subject);
    });
  }

  /** Adds the referrer to index.json, where {@link findReferrers} looks for it. */
  putReferrer(manifest: FetchedManifest): Promise<void> {
    return this.publish(manifest, [], () => undefined);
  }

  async publish(
    manifest: ManifestContent,
    tags: readonly string[],
    onTag: (tag: string) => void,
  ): Promise<void> {
    const names = tags.length === 0 ? [manifest.digest] : tags;
    const what = `writing ${names.map((each) => this.at(each)).join(', ')}`;
    await this.writing(what, async () => {
      await putBlob(what, this.root, manifest, manifest.bytes);
      await updateIndex(what, this.root, this.signal, (index) =>
        withManifest(index, manifest, tags),
      );
    });
    for (const tag of tags) onTag(tag);
  }

  readonly isAtomic = true;

  async replaceTag(tag: string, manifest: ManifestContent, from: Digest): Promise<boolean> {
    const what = `writing ${this.at(tag)}`;
    let isReplaced = true;
    await this.writing(what, async () => {
      await putBlob(what, this.root, manifest, manifest.bytes);
      await updateIndex(what, this.root, this.signal, (index) => {
        isReplaced = index !== undefined && findTag(index, tag)?.digest === from;
        return isReplaced ? withManifest(index, manifest, [tag]) : (index ?? new Map());
      });
    });
    return isReplaced;
  }

  private async resolve(what: string, tag: string): Promise<IndexEntry> {
    const index = await readIndex(what, this.root);
    const [entry, names] = parsing(what, indexPath(this.root), () => [
      findTag(index, tag),
      refNames(index),
    ]);
    if (entry !== undefined) return entry;
    throw new ManifestToolError('NOT_FOUND', what, `the layout has no tag ${tag}`, {
      hint: tagHint(names),
    });
  }

  private reading<T>(what: string, action: () => Promise<T>): Promise<T> {
    return guarded(what, this.root, async () => {
      this.signal.throwIfAborted();
      if (!this.isChecked) await checkLayout(what, this.root);
      this.isChecked = true;
      return action();
    });
  }

  private writing<T>(what: string, action: () => Promise<T>): Promise<T> {
    return guarded(what, this.root, async () => {
      this.signal.throwIfAborted();
      if (!this.isPrepared) await ensureLayout(what, this.root);
      this.isPrepared = true;
      return action();
    });
  }

  /** The full reference for messages; what is neither a tag nor a digest is quoted. */
  private at(tagOrDigest: string): string {
    if (isDigest(tagOrDigest)) return `${this.name}@${tagOrDigest}`;
    return `${this.name}:${isTag(tagOrDigest) ? tagOrDigest : JSON.stringify(tagOrDigest)}`;
  }
}

function tagHint(names: readonly string[]): string {
  if (names.length === 0) return 'no image in it has a tag: use a digest';
  const listed = names
    .slice(0, MAX_LISTED)
    .map((name) => (isTag(name) ? name : JSON.stringify(name)));
  const rest = names.length - listed.length;
  return `it has ${listed.join(', ')}${rest === 0 ? '' : ` and ${rest} more`}`;
}
