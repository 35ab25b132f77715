import { ManifestToolError, reasonOf, systemCode, type ErrorDetails } from '../errors.js';
import { FieldError } from '../oci/json/fields.js';
import { finalPath } from './paths.js';

const PERMISSIONS = 'check its permissions, and those of the directories that lead to it';
const SPACE = 'free some space, or use a layout on another file system';
const IN_THE_WAY = 'move it away, or use another layout';
const ELSEWHERE = 'use a layout on another file system';
const LIMIT = 'allow more open files: ulimit -n';
const PATH = 'check the path';

/** The system's error codes in words, each with what to do about it. */
const WORDS: Readonly<Record<string, readonly [why: string, hint: string]>> = {
  EACCES: ['permission denied', PERMISSIONS],
  EDQUOT: ['the disk quota is used up', SPACE],
  EEXIST: ['a file of that name already exists', IN_THE_WAY],
  EFBIG: ['the file is too large for the file system', ELSEWHERE],
  EIO: ['the device failed (input/output error)', 'check the device, or use a copy of the layout'],
  EISDIR: ['it is a directory, not a file', IN_THE_WAY],
  ELOOP: ['too many symbolic links', 'check the path, and the links in it'],
  EMFILE: ['too many open files', LIMIT],
  ENAMETOOLONG: ['the name is too long', 'use a shorter path'],
  ENFILE: ['too many open files', LIMIT],
  ENOENT: ['no such file or directory', PATH],
  ENOSPC: ['no space left on the device', SPACE],
  ENOTDIR: ['a part of the path is not a directory', PATH],
  EPERM: ['the operation is not permitted', PERMISSIONS],
  EROFS: ['the file system is read-only', ELSEWHERE],
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
    return new ManifestToolError('INTERRUPTED', what, 'it was interrupted', { cause: error });
  }
  const code = systemCode(error);
  const [reason, hint] = WORDS[code ?? ''] ?? [reasonOf(error).replace(/\s+/g, ' '), PATH];
  const denied = code === 'EACCES' || code === 'EPERM';
  return new ManifestToolError(
    denied ? 'DENIED' : 'FAILED',
    what,
    `${pathOf(error) ?? root}: ${reason}`,
    { cause: error, hint },
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
    const own = error instanceof FieldError ? error.hint : undefined;
    throw corrupt(what, file, reasonOf(error), { cause: error, hint: own ?? hint });
  }
}

function pathOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('path' in error)) return undefined;
  return typeof error.path === 'string' ? finalPath(error.path) : undefined;
}
