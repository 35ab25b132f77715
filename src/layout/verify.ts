import { matchesDigest } from '../oci/digest.js';
import type { Descriptor } from '../oci/documents.js';
import { SOURCE_HINT, verifiedContent, WrongContent } from '../oci/verified-content.js';
import { corrupt } from './errors.js';

/** What identifies content: its digest and its size in bytes. */
export type ContentId = Pick<Descriptor, 'digest' | 'size'>;

/** @throws {ManifestToolError} CORRUPT where a size is known and `actual` is another. */
export function checkSize(
  what: string,
  where: string,
  actual: number,
  expected: number | undefined,
): void {
  if (expected === undefined || actual === expected) return;
  throw corrupt(what, where, `it has ${actual} bytes, its descriptor says ${expected}`);
}

/**
 * @throws {ManifestToolError} CORRUPT where the bytes do not hash to the digest (OCI image-spec,
 * descriptor.md, Verification).
 */
export function checkDigest(
  what: string,
  where: string,
  bytes: Uint8Array,
  digest: ContentId['digest'],
): void {
  if (!matchesDigest(bytes, digest)) throw mismatch(what, where, digest);
}

/**
 * Passes content through while checking it: it ends well only where it is what `id` says, and it is never longer.
 * @throws {ManifestToolError} CORRUPT, when the content goes beyond its size or at its end.
 */
export async function* verified(
  what: string,
  where: string,
  id: ContentId,
  content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* verifiedContent(id, content);
  } catch (error) {
    if (!(error instanceof WrongContent)) throw error;
    throw corrupt(what, where, error.message, { cause: error, hint: SOURCE_HINT });
  }
}

function mismatch(what: string, where: string, digest: string) {
  return corrupt(what, where, `the content is damaged: it does not have the digest ${digest}`);
}
