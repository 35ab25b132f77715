import { now } from '../../clock.js';
import { pause } from '../../concurrency.js';
import { interruptedBy, ManifestToolError } from '../../errors.js';
import type { FetchedManifest, ImageStore, ManifestContent } from '../../oci/content.js';
import { digestOf } from '../../oci/digest.js';
import { MAX_DOCUMENT_SIZE, parseDocument, type ImageIndex } from '../../oci/documents.js';
import { IndexText } from '../../oci/json/index-text.js';
import { FieldError } from '../../oci/json/fields.js';
import { formatReference, tagOrDigestOf, type Reference } from '../../oci/reference.js';
import { TOO_LARGE_HINT } from '../publish/build.js';
import type { PlanEvents } from '../events.js';
import { checkGuard, isGuarded } from '../publish/guard.js';
import type { PublishingOptions } from '../publish/publication.js';
import type { ResolvedImage } from '../publish/resolved.js';
import type { WaitPolicy } from '../wait.js';

/** A change of a list. Made on a list that has it already it changes nothing, so it can be made again on what others have written. */
export type IndexEdit = (index: ImageIndex, text: IndexText) => IndexText;

/** Which list is edited, and under which conditions. */
export interface EditRequest extends PublishingOptions {
  /** A list, by its tag; without one `latest` is meant. */
  readonly target: Reference;
}

/** What an edit leaves behind, or would in a dry run; one that changes nothing has the same digest before and after. */
export interface EditResult {
  /** What the tag named. */
  readonly before: FetchedManifest;
  /** What it names now. */
  readonly after: ManifestContent;
  /** What was brought into the target for it, or would be. */
  readonly brought?: readonly ResolvedImage[];
}

/** What goes with an edit. */
export interface EditContext {
  readonly events: PlanEvents;
  readonly signal: AbortSignal;
  readonly wait: WaitPolicy;
  /** What the tag names, where that is known already. */
  readonly first?: FetchedManifest;
}

/** A registry has no compare-and-set: another writer may have looked before our write and write after it. Its way from its look to its
 * write is a round trip or two; this many of ours, and never less than a second, are waited before a list counts as holding. */
const SETTLING_ROUND_TRIPS = 8;
const MIN_SETTLING_MS = 1000;
const MAX_SETTLING_MS = 15_000;
const MAX_ROUNDS = 40;

/**
 * Edits the list that a tag names, so that no edit of another writer who does the same is lost: it looks right before it writes, looks
 * again after a settling time, and makes the edit once more on what is there until the list holds it.
 * @throws {ManifestToolError} USAGE where the tag names no list; REFUSED where others change it so often that no end is in sight;
 * INTERRUPTED.
 */
export async function editIndex(
  target: ImageStore,
  request: EditRequest,
  edit: IndexEdit,
  { events, signal, wait, first: known }: EditContext,
): Promise<EditResult> {
  const { digest } = request.target;
  const what = `editing ${formatReference(request.target)}`;
  if (digest !== undefined) {
    throw new ManifestToolError('USAGE', what, 'what a digest names cannot change', {
      hint: 'name the list by a tag',
    });
  }
  const tag = tagOrDigestOf(request.target);
  const first = known ?? (await wait.until(() => target.getManifest(tag)));
  let current = first;
  for (let round = 1; round <= MAX_ROUNDS; round += 1) {
    const next = edited(what, current, edit);
    if (next.digest === current.digest) {
      if (round === 1) events.unchanged?.(`${target.name}:${tag}`, next);
      return { before: first, after: next };
    }
    if (round === 1 && isGuarded(request)) {
      checkGuard(request, request, next.digest, new Map([[tag, current.digest]]));
    }
    if (request.dryRun === true) return { before: first, after: next };
    const written = await write(target, tag, current, next);
    if (written !== undefined) {
      if (round === 1) events.tagged?.(`${target.name}:${tag}`, next, current.digest);
      if (target.isAtomic) return { before: first, after: next };
      events.progress?.(`making sure that ${tag} holds the edit`);
      await pause(settlingTime(written), signal).catch(interruptedBy(what));
    } else {
      await pause(Math.random() * MIN_SETTLING_MS, signal).catch(interruptedBy(what));
    }
    current = await target.getManifest(tag);
  }
  throw new ManifestToolError(
    'REFUSED',
    what,
    `it was changed by others ${MAX_ROUNDS} times while it was edited`,
    {
      hint: 'look at what is there, and try again when they are done',
    },
  );
}

function edited(what: string, current: FetchedManifest, edit: IndexEdit): ManifestContent {
  const { document, mediaType } = current;
  if (document.kind !== 'index') {
    throw new ManifestToolError('USAGE', what, 'it is one image, and no list', {
      hint: 'make a list of it first, with create',
    });
  }
  const text = edit(document, new IndexText(Buffer.from(current.bytes).toString(), mediaType)).text;
  const bytes = Buffer.from(text);
  if (bytes.equals(current.bytes)) return current;
  if (bytes.length > MAX_DOCUMENT_SIZE) {
    const why = `the list would have ${bytes.length} bytes, more than the ${MAX_DOCUMENT_SIZE} that registries take`;
    throw new ManifestToolError('FAILED', what, why, { hint: TOO_LARGE_HINT });
  }
  checkReadable(what, bytes, mediaType);
  return { mediaType, digest: digestOf(bytes), size: bytes.length, bytes };
}

/** What is written is read first: an edit that spoils a list, or makes it too long, must not be published. */
function checkReadable(what: string, bytes: Uint8Array, mediaType: string): void {
  try {
    parseDocument(bytes, mediaType);
  } catch (error) {
    // Without a hint of its own it is a fault of this program.
    if (!(error instanceof FieldError) || error.hint === undefined) throw error;
    const why = `the list could not be read any more: ${error.message}`;
    throw new ManifestToolError('FAILED', what, why, { cause: error, hint: error.hint });
  }
}

/** Writes, where the tag still names what the edit was made on; how long the way there and back was in milliseconds, or undefined. */
async function write(
  target: ImageStore,
  tag: string,
  current: ManifestContent,
  next: ManifestContent,
): Promise<number | undefined> {
  const start = now();
  if ((await target.tagDigest(tag)) !== current.digest) return undefined;
  const looked = now() - start;
  const isWritten = await target.replaceTag(tag, next, current.digest);
  return isWritten ? Math.max(looked, now() - start - looked) : undefined;
}

function settlingTime(roundTrip: number): number {
  const long = Math.max(MIN_SETTLING_MS, roundTrip * SETTLING_ROUND_TRIPS);
  // Those who have collided must not do so again.
  return Math.min(long, MAX_SETTLING_MS) * (1 + Math.random() / 2);
}
