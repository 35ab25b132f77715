import type { FetchedManifest, ImageReader } from '../../oci/content.js';
import type { Descriptor } from '../../oci/descriptor.js';
import { IndexWalker, ManifestCache, type IndexGraph } from '../../oci/graph.js';
import { isDocumentType } from '../../oci/media-types.js';
import { walkNested } from '../../oci/nested-index.js';
import type { OnManifest } from './publisher.js';
import type { ResolvedImage } from './resolved-image.js';
import type { WaitPolicy } from '../wait.js';

/** How an {@link ImageTree} is read, and who is notified. */
export interface TreeReading {
  readonly onManifest: OnManifest;
  readonly wait: WaitPolicy;
  readonly signal: AbortSignal;
}

/** An image or index with everything that it names, read from one place. */
export class ImageTree {
  private readonly manifests = new ManifestCache((entry) => this.read(entry.digest, entry));
  private readonly walker: IndexWalker<void>;
  /** Indexes that were made, each with that of which it was made. */
  private readonly made = new Map<FetchedManifest, FetchedManifest>();

  /** @param what what is being done, for errors: `copying example.com/app:1.0` */
  constructor(
    private readonly reader: ImageReader,
    private readonly what: string,
    private readonly reading: TreeReading,
  ) {
    this.walker = new IndexWalker({
      what,
      signal: reading.signal,
      beyondLimit: 'throw',
      manifests: this.manifests,
      visit: async ({ mediaType }, read) => {
        if (isDocumentType(mediaType)) await read();
      },
    });
  }

  /** @throws {ManifestToolError} NOT_FOUND if it does not exist; what the reader throws. */
  async read(tagOrDigest: string, expected?: Descriptor): Promise<FetchedManifest> {
    const manifest = await this.reading.wait.until(() =>
      this.reader.getManifest(tagOrDigest, expected),
    );
    this.reading.onManifest(manifest, this.reader);
    return manifest;
  }

  /** What an entry names, read once. */
  manifest(entry: Descriptor): Promise<FetchedManifest> {
    return this.manifests.get(entry);
  }

  /**
   * The indexes inside an index from which a platform is selected ({@link walkNested}).
   * @throws {ManifestToolError} as {@link parts}.
   */
  nested(manifests: readonly Descriptor[]): Promise<IndexGraph<void>> {
    const { what, manifests: cache, reading } = this;
    const options = {
      what,
      signal: reading.signal,
      beyondLimit: 'throw',
      manifests: cache,
    } as const;
    return walkNested(manifests, options);
  }

  /** Adds an index that was made of one of this tree, with its entry. */
  add(entry: Descriptor, index: FetchedManifest, original: FetchedManifest): void {
    this.manifests.add(entry, index);
    this.made.set(index, original);
  }

  /**
   * A manifest and everything that it names, each after what it names itself.
   * @throws {ManifestToolError} FAILED for an index beyond the limits of {@link IndexWalker}; what
   * the reader throws.
   */
  async parts(root: FetchedManifest, entry: Descriptor = root): Promise<ResolvedImage[]> {
    const { document } = root;
    const own = this.part(root, entry);
    if (document.kind === 'manifest') return [own];
    const graph = await this.walker.walk(document.manifests);
    const inner = graph.fold<readonly ResolvedImage[]>(({ descriptor, manifest }, parts) => [
      ...parts.flat(),
      // The walk reads every entry but blobs, or fails; blobs are written with the index.
      ...(manifest === undefined ? [] : [this.part(manifest, descriptor)]),
    ]);
    return [...inner.flat(), own];
  }

  private part(manifest: FetchedManifest, entry: Descriptor): ResolvedImage {
    const original = this.made.get(manifest);
    const name = `${this.reader.name}@${(original ?? manifest).digest}`;
    return {
      entry,
      manifest,
      source: this.reader,
      name,
      ...(original === undefined ? {} : { isMade: true }),
    };
  }
}
