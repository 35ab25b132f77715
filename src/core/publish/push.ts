import type { FetchedIndex } from '../../oci/content.js';
import type { Digest } from '../../oci/digest.js';
import { isArtifact } from '../../oci/image-config.js';
import { formatReference } from '../../oci/reference.js';
import { countOf } from '../../text.js';
import type { Client } from '../client.js';
import type { ProgressEvents } from '../events.js';
import { checkListedPlatforms } from './entry-platform.js';
import { buildIndex, indexEntries, indexTypeOf, unmatchedAnnotations } from './build.js';
import { publishContent, type PushResult } from './publisher.js';
import { lostReferrers, ReferrerCollector, type NamedSubject } from './referrers.js';
import { checkRequest, type IndexRequest } from './request.js';
import { refuseMissingPlatforms } from './required-platforms.js';
import { resolveSources } from './resolve.js';
import { lossWarnings, lostMemberWarnings, unchangedIndex } from './source-index.js';
import type { ResolvedImage } from './resolved-image.js';
import { indexWarnings, refuseWarnings } from './warnings.js';

/**
 * Publishes an index of images: a Docker manifest list, or an OCI index (OCI image-spec,
 * image-index.md). Blobs and images are written first, then all tags at once (OCI
 * distribution-spec, Pushing Manifests), so a tag never points to an index with missing images.
 * With `dryRun`, nothing is written. Warns of annotations, artifact types and subjects of source
 * indexes that the new index does not keep.
 * @returns the index, and for each target what was written there, or the error if only some targets
 * failed.
 * @throws {ManifestToolError} if every target failed. USAGE: the request is invalid, or `strict`
 * turned a warning into an error; NOT_FOUND: a source does not exist; REFUSED: `noClobber` or
 * `expect` keeps a tag from moving, or a required platform is missing; DENIED, UNAVAILABLE, CORRUPT, INCOMPLETE, INTERRUPTED and
 * FAILED: see {@link ErrorCode}.
 */
export function pushIndex(
  client: Client,
  request: IndexRequest,
  events: ProgressEvents = {},
): Promise<PushResult> {
  checkRequest(request);
  return publishContent(client, request, events, async (onManifest, wait, warnings) => {
    events.progress?.(`reading ${countOf(request.sources.length, 'image')}`);
    const indexes = new Map<string, FetchedIndex>();
    const subjects: NamedSubject[] = [];
    const sources = new Map<string, Digest>();
    const images = await resolveSources(client, request, {
      onManifest,
      onSource: (name, digest) => void sources.set(name, digest),
      wait,
      events: warnings.events,
      onIndex(name, index, source) {
        indexes.set(name, index);
        subjects.push({ name, digest: index.digest, source });
      },
    });
    refuseMissingPlatforms(`publishing ${formatReference(request.target)}`, request, images);
    const built = buildIndex(request, images);
    const unchanged = unchangedIndex(request, indexes, images);
    const root = unchanged ?? built;
    const warning = (text: string): void => warnings.events.warning?.(text);
    // The platforms of an index that is published as it is are not this request's.
    if (unchanged === undefined) await checkListedPlatforms(images, warning);
    // Their image may be one that was not found.
    const unmatched = request.ignoreMissing === true ? unmatchedAnnotations(request, images) : [];
    const [type, entries] = [indexTypeOf(request, images), indexEntries(request, images)];
    const texts = [
      ...unmatched,
      ...(unchanged === undefined
        ? [...lossWarnings(request, indexes), ...lostMemberWarnings(indexes, images)]
        : []),
      ...(request.referrers === true
        ? await lostReferrers(subjects.filter(({ digest }) => digest !== root.digest))
        : []),
      ...indexWarnings(type, entries, artifactsOf(images)),
    ];
    for (const text of texts) warning(text);
    if (request.strict === true)
      refuseWarnings(`publishing ${formatReference(request.target)}`, warnings.warnings);
    if (request.referrers !== true) return { root, images, sources };
    const what = `publishing ${formatReference(request.target)}`;
    const collector = new ReferrerCollector(what, { onManifest, wait, signal: client.signal });
    const readers = new Set(images.map(({ source }) => source));
    const referrers = await collector.collect([
      ...images.map(({ manifest: { digest }, source }) => ({ digest, source })),
      // A source may be an index with the same content.
      ...[...readers].map((source) => ({ digest: root.digest, source })),
    ]);
    return { root, images: [...images, ...referrers], sources };
  });
}

function artifactsOf(images: readonly ResolvedImage[]): Set<Digest> {
  const artifacts = images.filter(
    ({ manifest: { document } }) => document.kind === 'manifest' && isArtifact(document),
  );
  return new Set(artifacts.map(({ entry }) => entry.digest));
}
