import { ManifestToolError } from '../errors.js';
import type { Descriptor } from '../oci/descriptor.js';
import { parseDocument, NO_IMAGE_HINT } from '../oci/documents.js';
import type { FetchedManifest, ImageReader } from '../oci/content.js';
import { isDigest, parseDigest, type Digest } from '../oci/digest.js';
import { isLocalName } from '../oci/reference.js';
import { checkSize } from './blobs.js';
import { corrupt, guarded, parsing } from './errors.js';
import type { LayoutFiles } from './layout-files.js';
import { findNamed, listNames, resolveName, type IndexEntry } from './names.js';
import { ReferrerFinder } from './referrers.js';

/** Reads images of a layout, wherever its files are. */
export class LayoutReader implements ImageReader {
  private readonly referrerFinder: ReferrerFinder;

  constructor(
    readonly name: string,
    protected readonly files: LayoutFiles,
    protected readonly signal: AbortSignal,
  ) {
    this.referrerFinder = new ReferrerFinder(files, signal);
  }

  getManifest(nameOrDigest: string, expected?: Descriptor): Promise<FetchedManifest> {
    const what = `reading ${this.at(nameOrDigest)}`;
    return this.reading(what, async () => {
      const entry = isDigest(nameOrDigest)
        ? { ...expected, digest: parseDigest(nameOrDigest, what) }
        : await this.resolve(what, nameOrDigest);
      const file = this.files.fileOf(what, entry.digest);
      if (expected !== undefined && expected.digest !== entry.digest) {
        throw corrupt(what, file, `it is not the expected ${expected.digest}`);
      }
      const bytes = await this.files.readBlob(what, entry.digest, entry.size);
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

  manifestsNamed(name: string): Promise<readonly IndexEntry[]> {
    const what = `reading ${this.at(name)}`;
    return this.reading(what, async () => {
      const index = await this.files.readIndex(what);
      const { indexFile, rules } = this.files;
      return parsing(what, indexFile, () => findNamed(index, name, rules));
    });
  }

  getBlob({ digest, size }: Descriptor): Promise<Uint8Array> {
    const what = `reading ${this.at(digest)}`;
    return this.reading(what, () => this.files.readBlob(what, digest, size));
  }

  openBlob(descriptor: Descriptor): Promise<AsyncIterable<Uint8Array>> {
    const what = `reading ${this.at(descriptor.digest)}`;
    return this.reading(what, () => this.files.openBlob(what, descriptor, this.signal));
  }

  blobSize({ digest }: Descriptor): Promise<number | undefined> {
    const what = `looking for ${this.at(digest)}`;
    return this.reading(what, () => this.files.blobSize(what, digest));
  }

  listTags(): Promise<readonly string[]> {
    const what = `listing the tags of ${this.name}`;
    return this.reading(what, async () => {
      const index = await this.files.readIndex(what);
      const { indexFile, rules } = this.files;
      return parsing(what, indexFile, () => listNames(index, rules));
    });
  }

  referrers(subject: Digest): Promise<readonly Descriptor[]> {
    const what = `listing the referrers of ${this.at(subject)}`;
    return this.reading(what, () => this.referrerFinder.find(what, subject));
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

  protected async resolve(what: string, name: string): Promise<IndexEntry> {
    const { indexFile, noun, rules } = this.files;
    const index = await this.files.readIndex(what);
    return parsing(what, indexFile, () => resolveName(what, index, name, noun, rules));
  }

  protected reading<T>(what: string, action: () => Promise<T>): Promise<T> {
    return guarded(what, this.files.root, async () => {
      this.signal.throwIfAborted();
      await this.files.open(what);
      return action();
    });
  }

  /** The full reference for messages. */
  protected at(nameOrDigest: string): string {
    if (nameOrDigest === '') return this.name;
    return `${this.name}${isDigest(nameOrDigest) ? '@' : ':'}${printable(nameOrDigest)}`;
  }
}

/** What is neither a name nor a digest is quoted. */
function printable(text: string): string {
  return isDigest(text) || isLocalName(text) ? text : JSON.stringify(text);
}
