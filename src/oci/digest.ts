import type { Hash } from 'node:crypto';
import { ManifestToolError } from '../errors.js';

/** A digest `algorithm:encoded` that was checked (OCI image-spec, descriptor.md, Digests). */
export type Digest = string & { readonly __digest: unique symbol };

/**
 * Hex digits of each registered algorithm (OCI image-spec, descriptor.md, Registered algorithms).
 */
const HEX_LENGTH: Readonly<Record<string, number>> = { sha256: 64, sha512: 128 };

const REGISTERED = /^(sha256|sha512):([a-f0-9]+)$/;

/** Whether `text` is a digest of a registered algorithm, with the length of its hash. */
export function isDigest(text: string): text is Digest {
  const match = REGISTERED.exec(text);
  return match !== null && match[2]!.length === HEX_LENGTH[match[1]!];
}

/**
 * Checks a digest before it is used in a URL, a path or a comparison.
 * @throws {ManifestToolError} USAGE if `text` is not a sha256 or sha512 digest.
 */
export function parseDigest(text: string, what = `reading digest ${JSON.stringify(text)}`): Digest {
  if (isDigest(text)) return text;
  throw new ManifestToolError(
    'USAGE',
    what,
    'a digest must be "sha256:" and 64 lower-case hexadecimal digits (or "sha512:" and 128)',
    { reason: 'digest-form' },
  );
}

/** The sha256 digest of `bytes`. */
export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${hash('sha256').update(bytes).digest('hex')}` as Digest;
}

/** Whether `bytes` have this digest, by its algorithm. */
export function matchesDigest(bytes: Uint8Array, digest: Digest): boolean {
  return digestHash(digest).update(bytes).digest('hex') === encodedPart(digest);
}

/** A hash of the algorithm of `digest`, for streams. */
export function digestHash(digest: Digest): Hash {
  return hash(algorithmPart(digest));
}

/** Loads node:crypto on first use: parsing references needs none of it. */
function hash(algorithm: string): Hash {
  return process.getBuiltinModule('node:crypto').createHash(algorithm);
}

/** The algorithm of a digest, for example `sha256`. */
export function algorithmPart(digest: Digest): string {
  return digest.slice(0, digest.indexOf(':'));
}

/** The hexadecimal part of a digest. */
export function encodedPart(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}
