import { ManifestToolError } from '../../errors.js';
import type { Client } from '../client.js';
import type { ProgressEvents } from '../events.js';
import { editIndex, editing, type EditRequest, type EditResult } from './edit-index.js';
import {
  annotateEntries,
  annotateRoot,
  checkAnnotations,
  checkOneEach,
  isEmptySelection,
  selectEntries,
  type EntryChanges,
  type Selection,
} from './index-edits.js';

/** Which entries of which index to change, and how. */
export interface AnnotateRequest extends EditRequest {
  /** Without any entry, the annotations of the index are changed. */
  readonly entries?: Selection;
  /** The new values. */
  readonly changes: EntryChanges;
}

/**
 * Changes platform fields or annotations of entries of a published index in place (OCI image-spec,
 * image-index.md), or the annotations of the index if no entry is named.
 * @throws {ManifestToolError} NOT_FOUND if the index or an entry does not exist; USAGE for
 * annotations of a Docker manifest list, a platform that no runtime could select, or platform
 * fields without an entry; REFUSED and INTERRUPTED as {@link removeFromIndex}; otherwise as {@link
 * describeImage}.
 */
export function annotateIndex(
  client: Client,
  request: AnnotateRequest,
  events: ProgressEvents = {},
): Promise<EditResult> {
  const what = editing(request);
  const { entries = {}, changes } = request;
  return editIndex(client, request, events, (index, mediaType) => {
    checkAnnotations(what, mediaType, changes.annotations);
    const changesPlatform = Object.keys(changes.platform ?? {}).length > 0;
    if (!isEmptySelection(entries)) {
      if (changesPlatform) checkOneEach(what, index, entries);
      return annotateEntries(
        selectEntries(what, index, entries, (text) => events.note?.(text)),
        changes,
      );
    }
    if (changesPlatform) {
      throw new ManifestToolError(
        'USAGE',
        what,
        'no entry is selected, and only entries have a platform',
        {
          hint: 'select an entry by platform or digest',
        },
      );
    }
    return annotateRoot(changes.annotations ?? new Map());
  });
}
