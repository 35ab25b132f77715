import { ManifestToolError, reasonOf, systemCode, type ErrorDetails } from '../errors.js';
import { FieldError } from '../oci/json/fields.js';
import { finalName } from './temporary.js';

const PERMISSIONS = 'check its permissions, and those of the directories that lead to it';
const ROOM = 'make room there, or name a layout in another place';
const IN_THE_WAY = 'move it out of the way, or name another layout';
const LIMIT = 'allow more open files: ulimit -n';
const PATH = 'check the path';

/** What the system's error codes say to a person, and what to try. */
const WORDS: Readonly<Record<string, readonly [why: string, hint: string]>> = {
  EACCES: ['permission denied', PERMISSIONS],
  EDQUOT: ['the disk quota is used up', ROOM],
  EEXIST: ['a file of that name is in the way', IN_THE_WAY],
  EFBIG: ['the file is too large for the file system', 'name a layout in another place'],
  EIO: ['the device failed (input/output error)', 'check the device, or name a copy of the layout'],
  EISDIR: ['it is a directory, a file was expected', IN_THE_WAY],
  ELOOP: ['too many symbolic links', 'check the path, and the links in it'],
  EMFILE: ['too many files are open', LIMIT],
  ENAMETOOLONG: ['the name is too long', 'use a shorter path'],
  ENFILE: ['too many files are open', LIMIT],
  ENOENT: ['there is no such file or directory', PATH],
  ENOSPC: ['no space left on the device', ROOM],
  ENOTDIR: ['a part of the path is not a directory', PATH],
  EPERM: ['the operation is not permitted', PERMISSIONS],
  EROFS: ['the file system is read-only', 'name a layout in another place'],
};

/** What is damaged stays so: a blob of the right size is not written again. */
const DAMAGED = 'the layout is damaged: make it anew with what made it';

/**
 * The error of the file system as one line that names the path and the reason in words. DENIED
 * where permission is missing, INTERRUPTED where a signal has come, else FAILED; an error that is a {@link ManifestToolError} already
 * stays what it is.
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

/** Runs `action`; what the file system throws comes out as {@link layoutFailure} has it. */
export async function guarded<T>(what: string, root: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw layoutFailure(what, root, error);
  }
}

/** Content that is not what it has to be: CORRUPT, with the file that has it. */
export function corrupt(
  what: string,
  file: string,
  why: string,
  { cause, hint = DAMAGED }: ErrorDetails = {},
): ManifestToolError {
  return new ManifestToolError('CORRUPT', what, `${file}: ${why}`, { cause, hint });
}

/**
 * Runs a parser of the content of `file`; `hint` is for errors that have none of their own.
 * @throws {ManifestToolError} CORRUPT where the parser throws.
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
  return typeof error.path === 'string' ? finalName(error.path) : undefined;
}
