import { ManifestToolError } from '../../errors.js';
import type { ImageIndex } from '../../oci/documents.js';
import { formatReference } from '../../oci/reference.js';
import { editList, type EditRequest, type EditResult, type ListEdit } from './loop.js';
import {
  annotateEntriesEdit,
  annotateListEdit,
  checkAnnotations,
  isOfNothing,
  removeEdit,
  selectEntries,
  type EntryChanges,
  type Selection,
} from './changes.js';
import type { PlanEvents } from '../events.js';
import type { Stores } from '../client.js';
import { Patience } from '../wait.js';

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
export function removeFromList(
  stores: Stores,
  request: RemoveRequest,
  events: PlanEvents = {},
): Promise<EditResult> {
  const what = `editing ${formatReference(request.target)}`;
  return changeList(stores, request, events, (index) => {
    if (isOfNothing(request.entries))
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
 * could select, or one of no entry; REFUSED and INTERRUPTED as {@link removeFromList}; as the readers do.
 */
export function annotateList(
  stores: Stores,
  request: AnnotateRequest,
  events: PlanEvents = {},
): Promise<EditResult> {
  const what = `editing ${formatReference(request.target)}`;
  const { entries = {}, changes } = request;
  const annotations = changes.annotations ?? new Map<string, string>();
  return changeList(stores, request, events, (index, mediaType) => {
    checkAnnotations(what, mediaType, annotations);
    if (!isOfNothing(entries))
      return annotateEntriesEdit(selectEntries(what, index, entries), changes);
    if (Object.keys(changes.platform ?? {}).length > 0)
      throw new ManifestToolError('USAGE', what, 'no entry is named whose platform is to change', {
        hint: NAME_ONE,
      });
    return annotateListEdit(annotations);
  });
}

/** Edits a list with a change that is chosen by what the list was at first. */
async function changeList(
  stores: Stores,
  request: EditRequest,
  events: PlanEvents,
  choose: (index: ImageIndex, mediaType: string) => ListEdit,
): Promise<EditResult> {
  const isDry = request.dryRun === true;
  const target = await stores.open(request.target, isDry ? 'pull' : 'push');
  const patience = new Patience(request.waitMs, stores.signal, events);
  let edit: ListEdit | undefined;
  return editList(
    target,
    request,
    (index, text) => {
      edit ??= choose(index, text.mediaType);
      return edit(index, text);
    },
    { events, signal: stores.signal, patience },
  );
}
