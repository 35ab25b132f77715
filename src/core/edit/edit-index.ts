import { mapInOrder } from '../../concurrency.js';
import { ManifestToolError } from '../../errors.js';
import type { Digest } from '../../oci/digest.js';
import type { Descriptor } from '../../oci/descriptor.js';
import { isManifestType } from '../../oci/media-types.js';
import { formatPlatform } from '../../oci/platform.js';
import type { FetchedManifest, ImageStore, ManifestContent } from '../../oci/content.js';
import { digestOf } from '../../oci/digest.js';
import { parseDocument, type ImageIndex } from '../../oci/documents.js';
import { FieldError } from '../../oci/json/fields.js';
import { IndexText } from '../../oci/json/index-text.js';
import { DEFAULT_TAG, formatReference, type Reference } from '../../oci/reference.js';
import { settle } from '../../settle.js';
import type { Client } from '../client.js';
import type { ProgressEvents } from '../events.js';
import { refuseOtherArchitectures, type PublishedImage } from '../publish/executables.js';
import { checkIndexSize } from '../publish/build.js';
import { checkGuard, isGuarded } from '../publish/guard.js';
import { pushRefusal } from '../publish/push-check.js';
import type { PublishingOptions } from '../publish/request.js';
import type { Transferred } from '../publish/shared-writes.js';
import type { ChildStep } from '../publish/plan.js';
import type { ResolvedImage } from '../publish/resolved-image.js';
import { editChanges, reviewTags, type TagChanges } from '../publish/review.js';
import { WaitPolicy } from '../wait.js';

/**
 * A change of an index. Applied to an index that has it already, it changes nothing, so that it can
 * be applied again to what others have written in the meantime.
 */
export type IndexEdit = (index: ImageIndex, text: IndexText) => IndexText;

/** Which index to edit, and under which conditions. */
export interface EditRequest extends PublishingOptions {
  /** An index, by its tag; without one, the tag is `latest`. */
  readonly target: Reference;
}

/** The outcome of an edit, or of its dry run. Both digests are the same if nothing has changed. */
export interface EditResult {
  /** What the tag pointed to. */
  readonly before: FetchedManifest;
  /** What the tag points to now. */
  readonly after: ManifestContent;
  /** The images that were added. */
  readonly added?: readonly ResolvedImage[];
  /** What each source pointed to when it was read, by its reference. */
  readonly sources?: ReadonlyMap<string, Digest>;
  /** Blobs that were written; undefined for an edit that needs none. */
  readonly transferred?: Transferred;
  /** What was warned of. */
  readonly warnings?: readonly string[];
  /** What the target did not hold, and was written for the images. */
  readonly children?: readonly ChildStep[];
  /**
   * What changes for the tag; empty if the index stays as it is. Of a dry run with all entries,
   * their sizes and what is left behind; otherwise as the two indexes say it.
   */
  readonly changes: readonly TagChanges[];
  /** In a dry run: why the target cannot be pushed to. */
  readonly refusal?: ManifestToolError;
}

/** An index whose tag has been read. */
export interface OpenIndex {
  readonly target: ImageStore;
  readonly index: FetchedManifest;
  /** The index to edit if the tag points to an image; without it, an image is refused. */
  readonly indexOf?: (image: FetchedManifest) => Promise<FetchedManifest>;
  /** The images that are added, which the target may not hold. */
  readonly images?: readonly ResolvedImage[];
}

/** What a tag points to, and the index to edit: the same, or one of the image. */
interface Editable {
  readonly current: FetchedManifest;
  readonly index: FetchedManifest;
}

/** Names an edit in messages. */
export function editing({ target }: EditRequest): string {
  return `editing ${formatReference(target)}`;
}

/** The tag that an edit moves; {@link checkTarget} refuses a digest. */
export function editedTag({ target }: EditRequest): string {
  return target.tag ?? DEFAULT_TAG;
}

/**
 * @throws {ManifestToolError} USAGE if the target has a digest, because only a tag can point to
 * something else afterwards, or is in an archive, which is written as a whole.
 */
export function checkTarget(request: EditRequest): void {
  if (request.target.kind === 'archive') {
    const why = 'an archive cannot be edited in place';
    throw new ManifestToolError('USAGE', editing(request), why, {
      hint: 'copy the image to a layout (oci-layout://PATH:TAG), edit it there, and copy it back',
    });
  }
  if (request.target.digest === undefined) return;
  throw new ManifestToolError(
    'USAGE',
    editing(request),
    'content identified by a digest cannot change',
    {
      hint: 'refer to the index by tag',
    },
  );
}

/**
 * Applies an edit that is chosen by what the index is at first.
 * @throws {ManifestToolError} as {@link settleEdit}; what `choose` throws.
 */
export async function editIndex(
  client: Client,
  request: EditRequest,
  events: ProgressEvents,
  choose: (index: ImageIndex, mediaType: string) => IndexEdit,
): Promise<EditResult> {
  checkTarget(request);
  const target = await client.open(request.target, 'push');
  const wait = new WaitPolicy(request.waitMs, client.signal, events);
  const index = await wait.until(() => target.getManifest(editedTag(request)));
  let chosen: IndexEdit | undefined;
  const edit: IndexEdit = (document, text) => {
    chosen ??= choose(document, text.mediaType);
    return chosen(document, text);
  };
  return settleEdit(client, { target, index }, request, edit, events);
}

/**
 * Applies an edit to the index that a tag points to, so that concurrent edits by others who do the
 * same are not lost: reads the tag right before the write, reads it again after a settling time,
 * and applies the edit again until the index has it. Registries have no compare-and-set.
 * @throws {ManifestToolError} USAGE if the tag points to an image that cannot become an index;
 * REFUSED if others keep changing it, or `expect` does not match; INTERRUPTED.
 */
export async function settleEdit(
  client: Pick<Client, 'signal'>,
  { target, index: first, indexOf, images = [] }: OpenIndex,
  request: EditRequest,
  edit: IndexEdit,
  events: ProgressEvents,
): Promise<EditResult> {
  const what = editing(request);
  const tag = editedTag(request);
  const editable = async (current: FetchedManifest): Promise<Editable> => {
    const isImage = current.document.kind === 'manifest';
    return { current, index: isImage && indexOf ? await indexOf(current) : current };
  };
  const start = await editable(first);
  const next = applied(what, start, edit);
  if (request.executables === true) {
    const changed = await changedImages(target, start.index, next, images);
    await refuseOtherArchitectures(changed, { what, signal: client.signal, events });
  }
  const isUnchanged = next.digest === first.digest;
  if (isUnchanged) events.unchanged?.(`${target.name}:${tag}`, next);
  else if (isGuarded(request))
    checkGuard(request, request, next.digest, new Map([[tag, first.digest]]));
  if (request.dryRun === true) {
    const planned = { root: next, images, before: new Map([[tag, first.digest]]) };
    const [refusal, changes] = await Promise.all([
      pushRefusal(target, events),
      reviewTags(client, target, planned, events),
    ]);
    return { before: first, after: next, changes, ...(refusal !== undefined && { refusal }) };
  }
  if (isUnchanged) return { before: first, after: next, changes: [] };
  const settled = await settle<Editable, ManifestContent>(start, {
    what,
    signal: client.signal,
    isAtomic: target.isAtomic,
    read: async () => editable(await target.getManifest(tag)),
    change(read) {
      const changed = read === start ? next : applied(what, read, edit);
      return changed.digest === read.current.digest ? undefined : changed;
    },
    isStill: async ({ current: { digest } }) =>
      (await target.tagDigest(tag, { isConfirmed: true })) === digest,
    write: (changed, { current }) => target.replaceTag(tag, changed, current.digest),
    onWritten(written, round) {
      if (round === 1) events.tagged?.(`${target.name}:${tag}`, written, first.digest);
      if (!target.isAtomic) events.progress?.(`checking that ${tag} keeps the edit`);
    },
  });
  const after = 'current' in settled ? settled.current : settled;
  const changes = await editChanges(tag, { root: first, index: start.index.document }, after);
  return { before: first, after, changes };
}

/** The images that an edited index has for another platform than before; not those that were added. */
async function changedImages(
  source: ImageStore,
  { document }: FetchedManifest,
  { bytes, mediaType }: ManifestContent,
  added: readonly ResolvedImage[],
): Promise<PublishedImage[]> {
  const key = ({ digest, platform }: Descriptor): string =>
    `${digest} ${platform === undefined ? '' : formatPlatform(platform)}`;
  const known = new Set(added.map(({ entry }) => key(entry)));
  if (document.kind === 'index') for (const entry of document.manifests) known.add(key(entry));
  const after = parseDocument(bytes, mediaType).document;
  const entries = after.kind === 'index' ? after.manifests : [];
  const changed = entries.filter(
    (entry) => isManifestType(entry.mediaType) && !known.has(key(entry)),
  );
  return mapInOrder(changed, async (entry) => ({
    entry,
    manifest: await source.getManifest(entry.digest, entry),
    source,
  }));
}

/** The index with an edit applied, checked to be one that can be read. */
function applied(what: string, { index }: Editable, edit: IndexEdit): ManifestContent {
  const { document, mediaType } = index;
  if (document.kind !== 'index') {
    throw new ManifestToolError('USAGE', what, 'it is an image, not an index', {
      reason: 'not-an-index',
    });
  }
  const text = edit(document, new IndexText(Buffer.from(index.bytes).toString(), mediaType)).text;
  const bytes = Buffer.from(text);
  if (bytes.equals(index.bytes)) return index;
  checkIndexSize(what, bytes.length);
  checkReadable(what, bytes, mediaType);
  return { mediaType, digest: digestOf(bytes), size: bytes.length, bytes };
}

/**
 * Reads what is going to be written: an edit that breaks an index, or adds too many entries, must
 * not be published.
 */
function checkReadable(what: string, bytes: Uint8Array, mediaType: string): void {
  try {
    parseDocument(bytes, mediaType);
  } catch (error) {
    // Without a hint it is a fault of this program.
    if (!(error instanceof FieldError) || error.hint === undefined) throw error;
    const why = `the index could not be read afterwards: ${error.message}`;
    throw new ManifestToolError('FAILED', what, why, { cause: error, hint: error.hint });
  }
}
