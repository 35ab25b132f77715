import type { Digest } from '../../oci/digest.js';
import type { FetchedIndex, FetchedManifest, ImageReader } from '../../oci/content.js';
import { parseDocument } from '../../oci/documents.js';
import { DOCKER_MANIFEST_LIST } from '../../oci/media-types.js';
import { withSuffix, type Reference } from '../../oci/reference.js';
import { countOf } from '../../text.js';
import type { Client } from '../client.js';
import type { ProgressEvents } from '../events.js';
import { buildIndex, indexTypeOf, refuseArtifacts } from '../publish/build.js';
import { refuseOtherArchitectures } from '../publish/executables.js';
import { checkListedPlatforms } from '../publish/entry-platform.js';
import { Publisher } from '../publish/publisher.js';
import { lostReferrers, ReferrerCollector, type NamedSubject } from '../publish/referrers.js';
import type { IndexRequest } from '../publish/request.js';
import { refuseMissingPlatforms } from '../publish/required-platforms.js';
import { resolveSources, type Reading } from '../publish/resolve.js';
import type { ResolvedImage } from '../publish/resolved-image.js';
import { lostMemberWarnings } from '../publish/source-index.js';
import { dockerListWarnings, refuseWarnings, WarningCollector } from '../publish/warnings.js';
import { WaitPolicy } from '../wait.js';
import {
  checkTarget,
  editedTag,
  editing,
  settleEdit,
  type EditRequest,
  type EditResult,
  type IndexEdit,
} from './edit-index.js';
import { addEntries } from './index-edits.js';

/** Which images to add to which index. */
export interface AddRequest
  extends
    EditRequest,
    Pick<
      IndexRequest,
      | 'sources'
      | 'platforms'
      | 'requiredPlatforms'
      | 'ignoreMissing'
      | 'dropAttestations'
      | 'referrers'
    > {}

/**
 * Adds images to a published index in place (docs/reference/edits.md): first their blobs and manifests, then
 * the index. An image replaces the entry with its platform; everything else is kept byte for byte.
 * If the tag points to an image, an index of that image is what the others are added to.
 * @throws {ManifestToolError} NOT_FOUND if the index or an image does not exist; USAGE if `strict`
 * turned a warning into an error, or an entry has no platform in a Docker manifest list; REFUSED if others keep
 * changing the index, `expect` does not match, or a required platform is missing; INTERRUPTED; otherwise as {@link pushIndex}.
 */
export async function addToIndex(
  client: Client,
  request: AddRequest,
  events: ProgressEvents = {},
): Promise<EditResult> {
  checkTarget(request);
  const { strict, waitMs, sources } = request;
  const target = await client.open(request.target, 'push');
  const wait = new WaitPolicy(waitMs, client.signal, events);
  const collector = new WarningCollector(events);
  const publisher = new Publisher(client, target, request, request, wait, events);
  const onManifest = (manifest: FetchedManifest, source: ImageReader): void => {
    events.read?.(`${source.name}@${manifest.digest}`, manifest);
    publisher.startBlobs(manifest, source);
  };
  try {
    events.progress?.(`reading ${countOf(sources.length, 'image')}`);
    const subjects: NamedSubject[] = [];
    const indexes = new Map<string, FetchedIndex>();
    const read = new Map<string, Digest>();
    const reading: Reading = {
      onManifest,
      onSource: (name, digest) => void read.set(name, digest),
      wait,
      events: collector.events,
      onIndex(name, source, reader) {
        indexes.set(name, source);
        subjects.push({ name, digest: source.digest, source: reader });
      },
    };
    const [index, images] = await Promise.all([
      wait.until(() => target.getManifest(editedTag(request))),
      resolveSources(client, request, reading),
    ]);
    const add = addEntries(images);
    const indexOf = (image: FetchedManifest): Promise<FetchedManifest> =>
      indexOfImage(client, request.target, image, images, reading);
    const isDocker = index.mediaType === DOCKER_MANIFEST_LIST;
    if (isDocker) refuseArtifacts(editing(request), images, 'docker-list-entry');
    const edit: IndexEdit = (document, text) => {
      refuseMissingPlatforms(editing(request), request, images, document.manifests);
      return add(document, text);
    };
    // Found out before images are written; the edit checks what others have written since.
    if (request.requiredPlatforms !== undefined) {
      const { document } = index.document.kind === 'index' ? index : await indexOf(index);
      if (document.kind === 'index')
        refuseMissingPlatforms(editing(request), request, images, document.manifests);
    }
    const warning = (text: string): void => collector.events.warning?.(text);
    await checkListedPlatforms(images, warning);
    const lost = [
      ...lostMemberWarnings(indexes, images),
      ...(isDocker ? dockerListWarnings(images.map(({ entry }) => entry)) : []),
      ...(request.referrers === true ? await lostReferrers(subjects) : []),
    ];
    for (const text of lost) warning(text);
    if (strict === true) refuseWarnings(editing(request), collector.warnings);
    if (request.executables === true) {
      const { signal } = client;
      await refuseOtherArchitectures(images, { what: editing(request), signal, events });
    }
    const referrers =
      request.referrers === true
        ? await new ReferrerCollector(editing(request), {
            onManifest,
            wait,
            signal: client.signal,
          }).collect(images.map(({ manifest: { digest }, source }) => ({ digest, source })))
        : [];
    const children = await publisher.publishChildren([...images, ...referrers]);
    const opened = { target, index, indexOf, images };
    const edited = await settleEdit(client, opened, request, edit, collector.events);
    const { transferred } = publisher;
    const warnings = [...collector.warnings, ...publisher.warnings];
    return { ...edited, added: images, sources: read, children, transferred, warnings };
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
