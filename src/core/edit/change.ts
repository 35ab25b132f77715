import { ManifestToolError } from '../../errors.js';
import type { ImageIndex } from '../../oci/documents.js';
import { formatReference } from '../../oci/reference.js';
import { editIndex, type EditRequest, type EditResult, type IndexEdit } from './loop.js';
import {
  annotateEntriesEdit,
  annotateIndexEdit,
  checkAnnotations,
  isEmptySelection,
  removeEdit,
  selectEntries,
  type EntryChanges,
  type Selection,
} from './changes.js';
import type { PlanEvents } from '../events.js';
import type { Client } from '../client.js';
import { WaitPolicy } from '../wait.js';

const NAME_ONE = 'name it by its platform or its digest';

/** What is taken out of a list, and of which. */
export interface RemoveRequest extends EditRequest {
  /** What goes; one at least. */
  readonly entries: Selection;
}

/** What is changed of a list, and of which. */
export interface AnnotateRequest extends EditRequest {
  /** Without any, the annotations of the list itself are changed. */
  readonly entries?: Selection;
  /** What becomes of them. */
  readonly changes: EntryChanges;
}

/**
 * Takes entries out of a published list, in place (docs/edits.md), and their attestations with them.
 * @throws {ManifestToolError} NOT_FOUND for what is not in the list; USAGE where no entry is named or nothing would be left; REFUSED where
 * others change the list without end, or `expect` holds it; INTERRUPTED; as the readers do.
 */
export function removeFromIndex(
  client: Client,
  request: RemoveRequest,
  events: PlanEvents = {},
): Promise<EditResult> {
  const what = `editing ${formatReference(request.target)}`;
  return changeIndex(client, request, events, (index) => {
    if (isEmptySelection(request.entries))
      throw new ManifestToolError('USAGE', what, 'no entry is named to remove', { hint: NAME_ONE });
    const digests = selectEntries(what, index, request.entries);
    if (index.manifests.every(({ digest }) => digests.has(digest))) {
      throw new ManifestToolError('USAGE', what, 'nothing would be left of the list', {
        hint: 'delete the tag at the registry instead',
      });
    }
    return removeEdit(digests);
  });
}

/**
 * Changes platform fields or annotations of entries of a published list (OCI image-spec, image-index.md), or the annotations of the list
 * itself where no entry is named.
 * @throws {ManifestToolError} NOT_FOUND for what is not in the list; USAGE for annotations of a Docker manifest list, a platform that none
 * could select, or one of no entry; REFUSED and INTERRUPTED as {@link removeFromIndex}; as the readers do.
 */
export function annotateIndex(
  client: Client,
  request: AnnotateRequest,
  events: PlanEvents = {},
): Promise<EditResult> {
  const what = `editing ${formatReference(request.target)}`;
  const { entries = {}, changes } = request;
  const annotations = changes.annotations ?? new Map<string, string>();
  return changeIndex(client, request, events, (index, mediaType) => {
    checkAnnotations(what, mediaType, annotations);
    if (!isEmptySelection(entries))
      return annotateEntriesEdit(selectEntries(what, index, entries), changes);
    if (Object.keys(changes.platform ?? {}).length > 0)
      throw new ManifestToolError('USAGE', what, 'no entry is named whose platform is to change', {
        hint: NAME_ONE,
      });
    return annotateIndexEdit(annotations);
  });
}

/** Edits a list with a change that is chosen by what the list was at first. */
async function changeIndex(
  client: Client,
  request: EditRequest,
  events: PlanEvents,
  choose: (index: ImageIndex, mediaType: string) => IndexEdit,
): Promise<EditResult> {
  const isDry = request.dryRun === true;
  const target = await client.open(request.target, isDry ? 'pull' : 'push');
  const wait = new WaitPolicy(request.waitMs, client.signal, events);
  let edit: IndexEdit | undefined;
  return editIndex(
    target,
    request,
    (index, text) => {
      edit ??= choose(index, text.mediaType);
      return edit(index, text);
    },
    { events, signal: client.signal, wait },
  );
}
