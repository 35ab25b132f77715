import { ManifestToolError } from '../errors.js';
import type { ImageIndex } from '../oci/documents.js';
import { formatReference } from '../oci/reference.js';
import { editList, type EditResult, type ListEdit } from './edit.js';
import {
  annotateEntriesEdit,
  annotateListEdit,
  checkAnnotations,
  removeEdit,
  selectEntries,
  type EntryChanges,
  type Selection,
} from './edits.js';
import type { PlanEvents } from './events.js';
import type { Publication } from './publication.js';
import type { Stores } from './stores.js';
import { Patience } from './waiting.js';

/**
 * Takes entries out of a published list, in place, and their attestations with them.
 * @throws {ManifestToolError} NOT_FOUND for what is not in the list; USAGE where nothing would be left.
 */
export function removeFromList(
  stores: Stores,
  publication: Publication,
  selection: Selection,
  events: PlanEvents = {},
): Promise<EditResult> {
  const what = `editing ${formatReference(publication.target)}`;
  return changeList(stores, publication, events, (index) => {
    const digests = selectEntries(what, index, selection);
    if (index.manifests.every(({ digest }) => digests.has(digest))) {
      throw new ManifestToolError('USAGE', what, 'nothing would be left of the list', {
        hint: 'delete the tag at the registry instead',
      });
    }
    return removeEdit(digests);
  });
}

/**
 * Changes platform fields or annotations of entries of a published list, or the annotations of the list itself where no entry is named.
 * @throws {ManifestToolError} NOT_FOUND for what is not in the list; USAGE for annotations of a Docker manifest list.
 */
export function annotateList(
  stores: Stores,
  publication: Publication,
  selection: Selection,
  changes: EntryChanges,
  events: PlanEvents = {},
): Promise<EditResult> {
  const what = `editing ${formatReference(publication.target)}`;
  return changeList(stores, publication, events, (index, mediaType) => {
    checkAnnotations(what, mediaType, changes.annotations);
    const isEntry = selection.platforms.length + selection.digests.length > 0;
    if (!isEntry) return annotateListEdit(changes.annotations);
    return annotateEntriesEdit(selectEntries(what, index, selection), changes);
  });
}

/** Edits a list with a change that is chosen by what the list was at first. */
async function changeList(
  stores: Stores,
  publication: Publication,
  events: PlanEvents,
  choose: (index: ImageIndex, mediaType: string) => ListEdit,
): Promise<EditResult> {
  const isDry = publication.dryRun === true;
  const target = await stores.open(publication.target, isDry ? 'pull' : 'push');
  const patience = new Patience(publication.waitMs, stores.signal, events);
  let edit: ListEdit | undefined;
  return editList(
    target,
    publication,
    (index, text) => {
      edit ??= choose(index, text.mediaType);
      return edit(index, text);
    },
    { events, signal: stores.signal, patience },
  );
}
