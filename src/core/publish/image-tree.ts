import { ManifestToolError } from '../../errors.js';
import type { FetchedManifest, ImageReader } from '../../oci/content.js';
import type { Digest } from '../../oci/digest.js';
import type { Descriptor } from '../../oci/documents.js';
import { formatReference, withSuffix, type Reference } from '../../oci/reference.js';
import { mapConcurrent } from '../../concurrency.js';
import type { OnManifest } from './publisher.js';
import type { ResolvedImage } from './resolved.js';
import type { WaitPolicy } from '../wait.js';

/** How many lists may stand inside each other, and how many manifests may refer to each other. */
const MAX_DEPTH = 4;

/** All that an image needs, read from one place. */
export class ImageTree {
  constructor(
    private readonly reader: ImageReader,
    private readonly source: Reference,
    private readonly onManifest: OnManifest,
    private readonly wait: WaitPolicy,
  ) {}

  /** @throws {ManifestToolError} NOT_FOUND where it is not there. */
  read(tagOrDigest: string, expected?: Descriptor): Promise<FetchedManifest> {
    return this.wait.until(() => this.reader.getManifest(tagOrDigest, expected));
  }

  /** A manifest and all that it names, each after what it names itself. */
  parts(top: FetchedManifest): Promise<ResolvedImage[]> {
    return this.walk(top, top, 0);
  }

  /**
   * What refers to these manifests, and what refers to that: each after what it refers to.
   * @throws {ManifestToolError} where it cannot be found out.
   */
  async referrers(subjects: readonly ResolvedImage[]): Promise<ResolvedImage[]> {
    const seen = new Set<Digest>(subjects.map(({ manifest }) => manifest.digest));
    const found: ResolvedImage[] = [];
    let level = [...seen];
    for (let depth = 0; level.length > 0; depth += 1) {
      this.checkDepth(
        depth,
        'it has things that refer to each other',
        'copy it without --referrers, and those that it needs by their digests',
      );
      const listed = await mapConcurrent(level, (subject) => this.referring(subject));
      const fresh = listed.flat().filter(({ manifest: { digest } }) => !seen.has(digest));
      for (const { manifest } of fresh) seen.add(manifest.digest);
      found.push(...fresh);
      level = fresh.flatMap(({ manifest, refersTo }) => (refersTo ? [manifest.digest] : []));
    }
    return found;
  }

  private async referring(subject: Digest): Promise<ResolvedImage[]> {
    const entries = await this.reader.referrers(subject);
    const trees = await Promise.all(
      entries.map(async (entry) => this.walk(await this.read(entry.digest, entry), entry, 0)),
    );
    return trees.flatMap((parts) => [
      ...parts.slice(0, -1),
      { ...parts.at(-1)!, refersTo: subject },
    ]);
  }

  private async walk(
    manifest: FetchedManifest,
    entry: Descriptor,
    depth: number,
  ): Promise<ResolvedImage[]> {
    this.onManifest(manifest, this.reader);
    const name = formatReference(withSuffix(this.source, manifest.digest));
    const part = { entry, manifest, source: this.reader, name };
    const { document } = manifest;
    if (document.kind === 'manifest') return [part];
    this.checkDepth(
      depth,
      'it has lists inside of lists',
      'copy a list that is inside of it, by its digest: inspect --format raw shows them',
    );
    const children = await mapConcurrent(document.manifests, async (child) =>
      this.walk(await this.read(child.digest, child), child, depth + 1),
    );
    return [...children.flat(), part];
  }

  private checkDepth(depth: number, why: string, hint: string): void {
    if (depth <= MAX_DEPTH) return;
    const what = `copying ${formatReference(this.source)}`;
    throw new ManifestToolError('FAILED', what, `${why}, more than ${MAX_DEPTH} deep`, { hint });
  }
}
