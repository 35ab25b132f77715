import { ManifestToolError } from '../errors.js';
import type { Descriptor } from './descriptor.js';
import { digestHash, encodedPart } from './digest.js';

/** What to do about content that does not match its descriptor at the source. */
export const SOURCE_HINT = 'the source is damaged: build the image there again, or push it again';

/** Content that does not match its descriptor. */
export class WrongContent extends Error {}

/** The error about a source with wrong content: CORRUPT. `what` is `reading REFERENCE`. */
export function wrongSource(
  what: string,
  cause: WrongContent,
  why = cause.message,
): ManifestToolError {
  return new ManifestToolError('CORRUPT', what, why, { cause, hint: SOURCE_HINT });
}

/**
 * Passes content through and verifies it (OCI image-spec, descriptor.md, Verification): it is never
 * longer than the descriptor says, and has its size and digest at the end.
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
      throw new WrongContent(`it has more than the ${size} bytes in its descriptor`);
    hash.update(chunk);
    yield chunk;
  }
  if (length !== size)
    throw new WrongContent(`it has ${length} bytes, but its descriptor says ${size}`);
  if (hash.digest('hex') !== encodedPart(digest)) {
    throw new WrongContent(`its digest is not ${digest}`);
  }
}

/** Passes content through and reports the number of bytes so far. */
export async function* counted(
  content: AsyncIterable<Uint8Array>,
  onBytes: ((bytes: number) => void) | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0;
  for await (const chunk of content) {
    yield chunk;
    bytes += chunk.length;
    onBytes?.(bytes);
  }
}
