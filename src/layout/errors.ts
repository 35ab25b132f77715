import {
  fileReason,
  ManifestToolError,
  reasonOf,
  systemCode,
  unreadableHint,
  type ErrorDetails,
  interrupted,
} from '../errors.js';
import { faultHint } from '../oci/json/fields.js';
import { finalPath } from './paths.js';

const SPACE = 'free some space, or use a layout on another file system';
const IN_THE_WAY = 'move it away, or use another layout';
const ELSEWHERE = 'use a layout on another file system';

/** What to do about error codes that {@link unreadableHint} does not cover. */
const HINTS: Readonly<Record<string, string>> = {
  EDQUOT: SPACE,
  EEXIST: IN_THE_WAY,
  EFBIG: ELSEWHERE,
  EIO: 'check the device, or use a copy of the layout',
  EISDIR: IN_THE_WAY,
  ENOSPC: SPACE,
  EROFS: ELSEWHERE,
};

/** Writing again does not help: a blob that has the right size is not replaced. */
const DAMAGED = 'the layout is damaged: create it again with the tool that made it';

/**
 * An error of the file system as one line that names the path, with the cause in words: DENIED if a
 * permission is missing, INTERRUPTED after an abort, otherwise FAILED. A {@link ManifestToolError}
 * is returned unchanged.
 */
export function layoutFailure(what: string, root: string, error: unknown): ManifestToolError {
  if (error instanceof ManifestToolError) return error;
  if (error instanceof Error && error.name === 'AbortError') {
    return interrupted(what, error);
  }
  const code = systemCode(error);
  const isDenied = code === 'EACCES' || code === 'EPERM';
  return new ManifestToolError(
    isDenied ? 'DENIED' : 'FAILED',
    what,
    `${pathOf(error) ?? root}: ${fileReason(error)}`,
    { cause: error, hint: HINTS[code ?? ''] ?? unreadableHint(error) },
  );
}

/** Runs `action`; errors of the file system come out as {@link layoutFailure}. */
export async function guarded<T>(what: string, root: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw layoutFailure(what, root, error);
  }
}

/** The error CORRUPT for content that is not what it should be, with its file. */
export function corrupt(
  what: string,
  file: string,
  why: string,
  { cause, hint = DAMAGED }: ErrorDetails = {},
): ManifestToolError {
  return new ManifestToolError('CORRUPT', what, `${file}: ${why}`, { cause, hint });
}

/**
 * Runs a parser of the content of `file`. `hint` is for errors that have none of their own.
 * @throws {ManifestToolError} CORRUPT if the parser throws.
 */
export function parsing<T>(what: string, file: string, parse: () => T, hint = DAMAGED): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ManifestToolError) throw error;
    const own = faultHint(error);
    throw corrupt(what, file, reasonOf(error), { cause: error, hint: own ?? hint });
  }
}

function pathOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('path' in error)) return undefined;
  return typeof error.path === 'string' ? finalPath(error.path) : undefined;
}
