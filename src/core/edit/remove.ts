import { ManifestToolError } from '../../errors.js';
import type { Client } from '../client.js';
import type { ProgressEvents } from '../events.js';
import { editIndex, editing, type EditRequest, type EditResult } from './edit-index.js';
import {
  isEmptySelection,
  removedEntries,
  removeEntries,
  selectEntries,
  type Selection,
} from './index-edits.js';

/** Which entries to remove from which index. */
export interface RemoveRequest extends EditRequest {
  /** At least one entry. */
  readonly entries: Selection;
}

/**
 * Removes entries, and what belongs to them alone, from a published index in place (docs/reference/edits.md).
 * @throws {ManifestToolError} NOT_FOUND if the index or an entry does not exist; USAGE if no entry
 * is named, or none would be left; REFUSED if others keep changing the index, or `expect` does not
 * match; INTERRUPTED; otherwise as {@link describeImage}.
 */
export function removeFromIndex(
  client: Client,
  request: RemoveRequest,
  events: ProgressEvents = {},
): Promise<EditResult> {
  const what = editing(request);
  return editIndex(client, request, events, (index) => {
    if (isEmptySelection(request.entries)) {
      throw new ManifestToolError('USAGE', what, 'no entry to remove is selected', {
        hint: 'select an entry by platform or digest',
      });
    }
    const selected = selectEntries(what, index, request.entries, (text) => events.note?.(text));
    if (removedEntries(selected, index.manifests).size === index.manifests.length) {
      throw new ManifestToolError('USAGE', what, 'no entry would be left', {
        hint: 'delete the tag in the registry instead',
      });
    }
    return removeEntries(selected);
  });
}
