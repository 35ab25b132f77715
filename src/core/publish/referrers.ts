import { mapInOrder } from '../../concurrency.js';
import { ManifestToolError } from '../../errors.js';
import type { ImageReader } from '../../oci/content.js';
import type { Digest } from '../../oci/digest.js';
import { listReferrers } from '../read/referrers.js';
import { ImageTree, type TreeReading } from './image-tree.js';
import type { ResolvedImage } from './resolved-image.js';

/** Levels of referrers: what refers to the image is the first, what refers to that the second. */
const MAX_LEVELS = 4;

/** A manifest whose referrers are published with it, and where they are read. */
export interface Subject {
  readonly digest: Digest;
  readonly source: ImageReader;
}

/** Collects what refers to manifests, to be published with them. */
export class ReferrerCollector {
  private readonly trees = new Map<ImageReader, ImageTree>();

  /** @param what what is being done, for errors: `copying example.com/app:1.0` */
  constructor(
    private readonly what: string,
    private readonly reading: TreeReading,
  ) {}

  /**
   * What refers to these manifests, and what refers to that, each with everything that it names and
   * after what it refers to.
   * @throws {ManifestToolError} FAILED for more than {@link MAX_LEVELS} levels; what the readers
   * throw.
   */
  async collect(subjects: readonly Subject[]): Promise<ResolvedImage[]> {
    const seen = new Set<string>();
    const found: ResolvedImage[] = [];
    const isFresh = ({ digest, source }: Subject): boolean => {
      const key = `${source.name} ${digest}`;
      const isNew = !seen.has(key);
      seen.add(key);
      return isNew;
    };
    let level = subjects.filter(isFresh);
    for (let depth = 0; level.length > 0; depth += 1) {
      if (depth > MAX_LEVELS) throw this.tooManyLevels();
      const listed = await mapInOrder(level, (subject) => this.referring(subject));
      const images = listed.flat();
      found.push(...images);
      level = images
        .filter(({ refersTo }) => refersTo !== undefined)
        .map(({ manifest, source }) => ({ digest: manifest.digest, source }))
        .filter(isFresh);
    }
    return found;
  }

  private async referring({ digest, source }: Subject): Promise<ResolvedImage[]> {
    const tree = this.trees.get(source) ?? new ImageTree(source, this.what, this.reading);
    this.trees.set(source, tree);
    const listed = await listReferrers(source, digest);
    const trees = await mapInOrder(listed, async ({ tag, ...entry }) => {
      const parts = await tree.parts(await tree.manifest(entry), entry);
      const own = parts.at(-1)!;
      // Cosign's manifests have no subject; their tag is what refers to it.
      const isReferrer = tag === undefined || own.manifest.document.subject?.digest === digest;
      return [
        ...parts.slice(0, -1),
        {
          ...own,
          ...(isReferrer ? { refersTo: digest } : {}),
          ...(tag === undefined ? {} : { tag }),
        },
      ];
    });
    return trees.flat();
  }

  private tooManyLevels(): ManifestToolError {
    return new ManifestToolError(
      'FAILED',
      this.what,
      `its referrers are nested more than ${MAX_LEVELS} levels deep`,
      { reason: 'referrers-too-deep' },
    );
  }
}

/** An index that was read, with its reference for messages. */
export interface NamedSubject extends Subject {
  readonly name: string;
}

/** Warnings of source indexes whose referrers do not refer to the index that is published. */
export async function lostReferrers(indexes: readonly NamedSubject[]): Promise<string[]> {
  const texts = await mapInOrder(indexes, async ({ name, digest, source }) => {
    const { length } = await listReferrers(source, digest);
    const what = length === 1 ? 'a referrer' : `${length} referrers`;
    return length === 0
      ? []
      : [`${what} of ${name} itself cannot be published: they do not refer to the new index`];
  });
  return texts.flat();
}
