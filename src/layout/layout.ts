import { Attempts, withRestarts } from '../attempts.js';
import type {
  BlobOutcome,
  FetchedManifest,
  ImageReader,
  ImageStore,
  ManifestContent,
} from '../oci/content.js';
import { counted } from '../oci/blob-stream.js';
import type { Digest } from '../oci/digest.js';
import type { Descriptor } from '../oci/descriptor.js';
import type { JsonValue } from '../oci/json/parse.js';
import { movedTag } from '../oci/moved-tag.js';
import { referrerDescriptor, referrerOf, type Referrer } from '../oci/referrers.js';
import {
  blobSize,
  hasBlob,
  openBlob,
  putBlob,
  readBlob,
  writeBlob,
  type ContentId,
} from './blobs.js';
import { guarded } from './errors.js';
import { hasIndex, IndexParser, readIndex, updateIndex } from './index-json.js';
import { checkLayout, ensureLayout } from './marker.js';
import {
  emptyIndex,
  findNamed,
  publishAction,
  replacedWarnings,
  withManifest,
  withoutTag,
  type ChangedIndex,
} from './names.js';
import { blobPath, indexPath } from './paths.js';
import type { LayoutFiles } from './layout-files.js';
import { LayoutReader } from './reader.js';
import { recordReferrers } from './referrers.js';

/** Settings of {@link openLayout}; every member may be left out. */
export interface LayoutOptions {
  /** Once it is aborted, nothing new begins, and reading a blob ends with INTERRUPTED. */
  readonly signal?: AbortSignal | undefined;
  /** Called with what a write has replaced unexpectedly. */
  readonly onWarning?: ((text: string) => void) | undefined;
}

/**
 * Opens an OCI image layout directory (OCI image-spec, image-layout.md). Nothing is read yet: the
 * first read checks that it is a layout, and the first write creates it.
 */
export function openLayout(path: string, options: LayoutOptions = {}): ImageStore {
  return new Layout(path, options);
}

class LayoutDirectory implements LayoutFiles {
  readonly noun = 'layout';
  readonly indexFile: string;
  private readonly indexParser = new IndexParser();
  private isChecked = false;

  constructor(readonly root: string) {
    this.indexFile = indexPath(root);
  }

  async open(what: string): Promise<void> {
    if (!this.isChecked) await checkLayout(what, this.root);
    this.isChecked = true;
  }

  readIndex(what: string): Promise<JsonValue> {
    return readIndex(what, this.root, this.indexParser);
  }

  readBlob(what: string, digest: Digest, size: number | undefined): Promise<Uint8Array> {
    return readBlob(what, this.root, digest, size);
  }

  openBlob(what: string, id: ContentId, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    return openBlob(what, this.root, id, signal);
  }

  blobSize(what: string, digest: Digest): Promise<number | undefined> {
    return blobSize(what, this.root, digest);
  }

  fileOf(what: string, digest: Digest): string {
    return blobPath(this.root, digest, what);
  }
}

class Layout extends LayoutReader implements ImageStore {
  private readonly root: string;
  private readonly onWarning: (text: string) => void;
  private isPrepared = false;

  constructor(root: string, { signal, onWarning }: LayoutOptions) {
    super(
      `oci-layout://${root}`,
      new LayoutDirectory(root),
      signal ?? new AbortController().signal,
    );
    this.root = root;
    this.onWarning = onWarning ?? (() => undefined);
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

  /** A layout that a first write was interrupted in has no index.json yet, and no tags. */
  override async tagDigest(tag: string): Promise<Digest | undefined> {
    const what = `reading ${this.at(tag)}`;
    const isBegun = await guarded(what, this.root, () => hasIndex(this.root));
    return isBegun ? super.tagDigest(tag) : undefined;
  }

  putChild(manifest: ManifestContent, tag?: string): Promise<void> {
    if (tag !== undefined) return this.publish(manifest, [tag], () => undefined);
    const what = `writing ${this.at(manifest.digest)}`;
    return this.writing(what, () => putBlob(what, this.root, manifest, manifest.bytes));
  }

  async putReferrer(manifest: FetchedManifest, subject: Digest): Promise<void> {
    await this.putChild(manifest);
    const what = `recording a referrer of ${this.at(subject)}`;
    const referrer = { subject, entry: referrerDescriptor(manifest) };
    await this.writing(what, () =>
      updateIndex(what, this.root, this.signal, (index) => this.recorded(what, index, referrer)),
    );
  }

  async publish(
    manifest: ManifestContent,
    tags: readonly string[],
    onTag: (tag: string) => void,
  ): Promise<void> {
    const what = publishAction(manifest, tags, (name) => this.at(name));
    let changed = undefined as ChangedIndex | undefined;
    await this.writing(what, async () => {
      await putBlob(what, this.root, manifest, manifest.bytes);
      await updateIndex(what, this.root, this.signal, (index) => {
        changed = withManifest(what, index, manifest, tags);
        return this.recorded(what, changed.index, referrerOf(manifest));
      });
    });
    for (const text of replacedWarnings(changed?.replaced ?? [], manifest, (name) => this.at(name)))
      this.onWarning(text);
    for (const tag of tags) onTag(tag);
  }

  async deleteTag(tag: string, isExpected?: (digest: Digest) => boolean): Promise<Digest> {
    const what = `deleting ${this.at(tag)}`;
    let digests: readonly Digest[] = [];
    await this.reading(what, () =>
      updateIndex(what, this.root, this.signal, (index = emptyIndex()) => {
        const changed = withoutTag(what, index, tag, this.files.noun);
        digests = changed.digests;
        const moved = digests.find((digest) => isExpected?.(digest) === false);
        if (moved !== undefined) throw movedTag(what, moved);
        return changed.index;
      }),
    );
    return digests[0]!;
  }

  readonly isAtomic = true;

  async replaceTag(tag: string, manifest: ManifestContent, from: Digest): Promise<boolean> {
    const what = `writing ${this.at(tag)}`;
    let isReplaced = true;
    await this.writing(what, async () => {
      await putBlob(what, this.root, manifest, manifest.bytes);
      await updateIndex(what, this.root, this.signal, (index) => {
        const [held, ...others] = index === undefined ? [] : findNamed(index, tag);
        isReplaced = held?.digest === from && others.length === 0;
        if (!isReplaced) return index ?? emptyIndex();
        const { index: changed } = withManifest(what, index, manifest, [tag]);
        return this.recorded(what, changed, referrerOf(manifest));
      });
    });
    return isReplaced;
  }

  /** index.json with a referrer, whose entries have been written. */
  private async recorded(
    what: string,
    index: JsonValue = emptyIndex(),
    referrer: Referrer | undefined,
  ): Promise<JsonValue> {
    if (referrer === undefined) return index;
    const { subject, entry } = referrer;
    const recorded = await recordReferrers(what, this.files, index, subject, [entry]);
    const { tagged, warning } = recorded;
    if (tagged !== undefined) await putBlob(what, this.root, tagged, tagged.bytes);
    if (warning !== undefined) this.onWarning(`${this.name}: ${warning}`);
    return recorded.index;
  }

  private writing<T>(what: string, action: () => Promise<T>): Promise<T> {
    return guarded(what, this.root, async () => {
      this.signal.throwIfAborted();
      if (!this.isPrepared) await ensureLayout(what, this.root);
      this.isPrepared = true;
      return action();
    });
  }
}
