import { ManifestToolError } from '../errors.js';
import { digestHash, encodedPart } from './digest.js';
import type { Descriptor } from './documents.js';

/** What to do about content that is not what its descriptor says at the source. */
export const SOURCE_HINT =
  'it is damaged where it is read: make it anew there, or push it there again';

/** Content that is not what its descriptor says. */
export class WrongContent extends Error {}

/** The error of a source with wrong content: CORRUPT. `what` is `reading REFERENCE`. */
export function wrongSource(
  what: string,
  cause: WrongContent,
  why = cause.message,
): ManifestToolError {
  return new ManifestToolError('CORRUPT', what, why, { cause, hint: SOURCE_HINT });
}

/**
 * Passes content on and verifies it on the way (OCI image-spec, descriptor.md, Verification): never
 * more bytes than the descriptor says, and at the end size and digest.
 * @throws {WrongContent} while it is read.
 */
export async function* verifiedContent(
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
  content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = digestHash(digest);
  let length = 0;
  for await (const chunk of content) {
    length += chunk.length;
    if (length > size)
      throw new WrongContent(`it has more than the ${size} bytes that are announced`);
    hash.update(chunk);
    yield chunk;
  }
  if (length !== size) throw new WrongContent(`it has ${length} bytes, and ${size} are announced`);
  if (hash.digest('hex') !== encodedPart(digest)) {
    throw new WrongContent(`what came does not have the digest ${digest}`);
  }
}
