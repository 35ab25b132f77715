import type { FetchedManifest, ImageReader } from '../../oci/content.js';
import { parseDocument } from '../../oci/documents.js';
import { DOCKER_MANIFEST_LIST } from '../../oci/media-types.js';
import { withSuffix, type Reference } from '../../oci/reference.js';
import { countOf } from '../../text.js';
import type { Client } from '../client.js';
import type { ProgressEvents } from '../events.js';
import { buildIndex, indexTypeOf, refuseArtifacts } from '../publish/build.js';
import { Publisher } from '../publish/publisher.js';
import { lostReferrers, ReferrerCollector, type NamedSubject } from '../publish/referrers.js';
import type { IndexRequest } from '../publish/request.js';
import { resolveSources, type Reading } from '../publish/resolve.js';
import type { ResolvedImage } from '../publish/resolved.js';
import { refuseWarnings, WarningCollector } from '../publish/warnings.js';
import { WaitPolicy } from '../wait.js';
import {
  checkTarget,
  editedTag,
  editing,
  settleEdit,
  type EditRequest,
  type EditResult,
} from './edit-index.js';
import { addEntries } from './index-edits.js';

/** Which images to add to which index. */
export interface AddRequest
  extends
    EditRequest,
    Pick<
      IndexRequest,
      'sources' | 'platforms' | 'ignoreMissing' | 'dropAttestations' | 'referrers'
    > {}

/**
 * Adds images to a published index in place (docs/edits.md): first their blobs and manifests, then
 * the index. An image replaces the entry with its platform; everything else is kept byte for byte.
 * If the tag points to an image, an index of that image is what the others are added to.
 * @throws {ManifestToolError} NOT_FOUND if the index or an image does not exist; USAGE if `strict`
 * turned a warning into an error, or an entry has no platform in a Docker manifest list; REFUSED if others keep
 * changing the index, or `expect` does not match; INTERRUPTED; otherwise as {@link pushIndex}.
 */
export async function addToIndex(
  client: Client,
  request: AddRequest,
  events: ProgressEvents = {},
): Promise<EditResult> {
  checkTarget(request);
  const { dryRun, strict, waitMs, sources } = request;
  const target = await client.open(request.target, 'push');
  const wait = new WaitPolicy(waitMs, client.signal, events);
  const collector = new WarningCollector(events);
  const publisher = new Publisher(target, request, request, wait, events);
  const onManifest = (manifest: FetchedManifest, source: ImageReader): void => {
    events.read?.(`${source.name}@${manifest.digest}`, manifest);
    publisher.startBlobs(manifest, source);
  };
  try {
    events.progress?.(`reading ${countOf(sources.length, 'image')}`);
    const subjects: NamedSubject[] = [];
    const reading: Reading = {
      onManifest,
      wait,
      events: collector.events,
      onIndex: (name, { digest }, source) => subjects.push({ name, digest, source }),
    };
    const [index, images] = await Promise.all([
      wait.until(() => target.getManifest(editedTag(request))),
      resolveSources(client, request, reading),
    ]);
    const indexOf = (image: FetchedManifest): Promise<FetchedManifest> =>
      indexOfImage(client, request.target, image, images, reading);
    if (index.mediaType === DOCKER_MANIFEST_LIST)
      refuseArtifacts(editing(request), images, 'docker-list-entry');
    const lost = request.referrers === true ? await lostReferrers(subjects) : [];
    for (const text of lost) collector.events.warning?.(text);
    if (strict === true) refuseWarnings(editing(request), collector.warnings);
    const referrers =
      request.referrers === true
        ? await new ReferrerCollector(editing(request), {
            onManifest,
            wait,
            signal: client.signal,
          }).collect(images.map(({ manifest: { digest }, source }) => ({ digest, source })))
        : [];
    if (dryRun !== true) await publisher.writeChildren([...images, ...referrers]);
    const edited = await settleEdit(
      { target, index, indexOf },
      request,
      addEntries(images),
      events,
      client.signal,
    );
    return { ...edited, added: images };
  } finally {
    await publisher.end();
  }
}

/** An index of one image, of the type that fits it and the images that are added. */
async function indexOfImage(
  client: Client,
  target: Reference,
  image: FetchedManifest,
  added: readonly ResolvedImage[],
  reading: Reading,
): Promise<FetchedManifest> {
  const source = { reference: withSuffix(target, image.digest) };
  const held = await resolveSources(client, { target, sources: [source] }, reading);
  const type = indexTypeOf({ target, sources: [] }, [...held, ...added]);
  const index = buildIndex({ target, sources: [source], type }, held);
  return { ...index, ...parseDocument(index.bytes, index.mediaType) };
}
