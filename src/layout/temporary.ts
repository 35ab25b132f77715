import { randomBytes } from 'node:crypto';

const SUFFIX = /\.[0-9a-f]{16}\.tmp$/;

/**
 * A name beside `file` that no other program has; it is no digest, so that it is never taken for a
 * blob.
 */
export function temporaryName(file: string): string {
  return `${file}.${randomBytes(8).toString('hex')}.tmp`;
}

/** The file that a temporary name stands for, or the name itself where it is none. */
export function finalName(file: string): string {
  return file.replace(SUFFIX, '');
}
