import { ManifestToolError } from '../errors.js';
import type { FetchedManifest, ImageReader } from '../oci/content.js';
import type { Descriptor } from '../oci/documents.js';
import { formatReference, withSuffix, type Reference } from '../oci/reference.js';
import type { PlanEvents } from './events.js';
import type { Publication } from './publication.js';
import { publishContent, type Content, type OnManifest } from './publish.js';
import type { PushPlan } from './steps.js';
import type { ResolvedImage } from './resolved.js';
import type { Stores } from './stores.js';

/** How many lists may stand inside each other. */
const MAX_DEPTH = 4;

/**
 * Promotes an image or a list, with all that it needs (images, lists inside, attestations), without changing a byte of it.
 * @throws {ManifestToolError} as {@link publishContent} does; NOT_FOUND where the source or a part of it is not there.
 */
export function copyImage(
  stores: Stores,
  source: Reference,
  publication: Publication,
  events: PlanEvents = {},
): Promise<PushPlan> {
  return publishContent(stores, publication, events, async (onManifest) => {
    events.progress?.(`reading ${formatReference(source)}`);
    const reader = await stores.open(source, 'pull');
    const top = await reader.getManifest(source.digest ?? source.tag ?? 'latest');
    checkTarget(publication.target, top);
    return readTree(reader, source, top, onManifest);
  });
}

function checkTarget(target: Reference, top: FetchedManifest): void {
  if (target.digest === undefined || target.digest === top.digest) return;
  throw new ManifestToolError(
    'USAGE',
    `copying to ${formatReference(target)}`,
    `the source has the digest ${top.digest}, not the one that the target names`,
  );
}

async function readTree(
  reader: ImageReader,
  source: Reference,
  top: FetchedManifest,
  onManifest: OnManifest,
): Promise<Content> {
  const part = (manifest: FetchedManifest, entry: Descriptor): ResolvedImage => ({
    entry,
    manifest,
    source: reader,
    name: formatReference(withSuffix(source, manifest.digest)),
  });
  /** A manifest after all that it names. */
  const walk = async (
    manifest: FetchedManifest,
    entry: Descriptor,
    depth: number,
  ): Promise<ResolvedImage[]> => {
    onManifest(manifest, reader);
    const { document } = manifest;
    if (document.kind === 'manifest') return [part(manifest, entry)];
    if (depth > MAX_DEPTH) {
      const why = `it has lists inside of lists, more than ${MAX_DEPTH} deep`;
      throw new ManifestToolError('FAILED', `copying ${formatReference(source)}`, why);
    }
    const children = await Promise.all(
      document.manifests.map(async (child) =>
        walk(await reader.getManifest(child.digest, child), child, depth + 1),
      ),
    );
    return [...children.flat(), part(manifest, entry)];
  };
  const parts = await walk(top, top, 0);
  // A list is written under its tags; an image, whose blobs have to be there first, by its digest as well.
  return { list: top, images: top.document.kind === 'index' ? parts.slice(0, -1) : parts };
}
