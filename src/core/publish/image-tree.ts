import { mapInOrder } from '../../concurrency.js';
import { ManifestToolError } from '../../errors.js';
import type { FetchedManifest, ImageReader } from '../../oci/content.js';
import type { Digest } from '../../oci/digest.js';
import type { Descriptor } from '../../oci/descriptor.js';
import { IndexWalker, ManifestCache } from '../../oci/graph.js';
import { isDocumentType } from '../../oci/media-types.js';
import { formatReference, withSuffix, type Reference } from '../../oci/reference.js';
import type { OnManifest } from './publisher.js';
import type { ResolvedImage } from './resolved.js';
import type { WaitPolicy } from '../wait.js';

/** Levels of referrers: what refers to the image is the first, what refers to that the second. */
const MAX_REFERRER_LEVELS = 4;

/** How an {@link ImageTree} is read, and who is notified. */
export interface TreeReading {
  readonly onManifest: OnManifest;
  readonly wait: WaitPolicy;
  readonly signal: AbortSignal;
}

/** An image or index with everything that it names, read from one place. */
export class ImageTree {
  private readonly what: string;
  private readonly manifests = new ManifestCache((entry) => this.read(entry.digest, entry));
  private readonly walker: IndexWalker<void>;

  constructor(
    private readonly reader: ImageReader,
    private readonly source: Reference,
    private readonly reading: TreeReading,
  ) {
    this.what = `copying ${formatReference(source)}`;
    this.walker = new IndexWalker({
      what: this.what,
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

  /**
   * What refers to these manifests, and what refers to that, each after what it refers to.
   * @throws {ManifestToolError} FAILED for more than {@link MAX_REFERRER_LEVELS} levels; what the
   * reader throws.
   */
  async referrers(subjects: readonly ResolvedImage[]): Promise<ResolvedImage[]> {
    const seen = new Set<Digest>(subjects.map(({ manifest }) => manifest.digest));
    const found: ResolvedImage[] = [];
    let level = [...seen];
    for (let depth = 0; level.length > 0; depth += 1) {
      if (depth > MAX_REFERRER_LEVELS) throw this.tooManyLevels();
      const listed = await mapInOrder(level, (subject) => this.referring(subject));
      const fresh = listed.flat().filter(({ manifest: { digest } }) => {
        const isFresh = !seen.has(digest);
        seen.add(digest);
        return isFresh;
      });
      found.push(...fresh);
      level = fresh.flatMap(({ manifest, refersTo }) => (refersTo ? [manifest.digest] : []));
    }
    return found;
  }

  private async referring(subject: Digest): Promise<ResolvedImage[]> {
    const entries = await this.reader.referrers(subject);
    const trees = await mapInOrder(entries, async (entry) =>
      this.parts(await this.manifests.get(entry), entry),
    );
    return trees.flatMap((parts) => [
      ...parts.slice(0, -1),
      { ...parts.at(-1)!, refersTo: subject },
    ]);
  }

  private part(manifest: FetchedManifest, entry: Descriptor): ResolvedImage {
    const name = formatReference(withSuffix(this.source, manifest.digest));
    return { entry, manifest, source: this.reader, name };
  }

  private tooManyLevels(): ManifestToolError {
    return new ManifestToolError(
      'FAILED',
      this.what,
      `its referrers are nested more than ${MAX_REFERRER_LEVELS} levels deep`,
      { reason: 'referrers-too-deep' },
    );
  }
}
