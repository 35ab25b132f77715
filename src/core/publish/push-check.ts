import { ManifestToolError, type ErrorCode } from '../../errors.js';
import type { ImageWriter } from '../../oci/content.js';
import type { ProgressEvents } from '../events.js';

/** What a push would fail with as well. Anything else is about the check, and a warning. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'DENIED',
  'NOT_FOUND',
  'UNAVAILABLE',
  'CONFIG',
  'INTERRUPTED',
]);

/**
 * Why a target cannot be pushed to, for a dry run, which writes nothing that would tell; undefined
 * if it can. Layouts and archives are not checked.
 */
export async function pushRefusal(
  target: ImageWriter,
  events: ProgressEvents,
): Promise<ManifestToolError | undefined> {
  try {
    await target.checkPush?.();
    return undefined;
  } catch (error) {
    if (!(error instanceof ManifestToolError)) throw error;
    if (REFUSALS.has(error.code)) return error;
    events.warning?.(`${error.message}; a push may fail`);
    return undefined;
  }
}
