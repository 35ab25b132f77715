import { ManifestToolError, reasonOf, systemCode } from '../errors.js';
import { finalName } from './temporary.js';

/** What the system's error codes say to a person. */
const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'a file of that name is in the way',
  EFBIG: 'the file is too large for the file system',
  EIO: 'the device failed (input/output error)',
  EISDIR: 'it is a directory, a file was expected',
  ELOOP: 'too many symbolic links',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'the name is too long',
  ENFILE: 'too many files are open',
  ENOENT: 'there is no such file or directory',
  ENOSPC: 'no space left on the device',
  ENOTDIR: 'a part of the path is not a directory',
  EPERM: 'the operation is not permitted',
  EROFS: 'the file system is read-only',
};

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
  const words = code === undefined ? undefined : WORDS[code];
  const reason = words ?? reasonOf(error).replace(/\s+/g, ' ');
  const denied = code === 'EACCES' || code === 'EPERM';
  return new ManifestToolError(
    denied ? 'DENIED' : 'FAILED',
    what,
    `${pathOf(error) ?? root}: ${reason}`,
    { cause: error },
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
  cause?: unknown,
): ManifestToolError {
  return new ManifestToolError('CORRUPT', what, `${file}: ${why}`, { cause });
}

/**
 * Runs a parser of the content of `file`.
 * @throws {ManifestToolError} CORRUPT where the parser throws.
 */
export function parsing<T>(what: string, file: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw corrupt(what, file, reasonOf(error), error);
  }
}

function pathOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('path' in error)) return undefined;
  return typeof error.path === 'string' ? finalName(error.path) : undefined;
}
