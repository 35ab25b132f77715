import type { Hash } from 'node:crypto';
import { ManifestToolError } from '../errors.js';

/** A content identifier `algorithm:encoded`, checked by {@link parseDigest} (OCI image-spec, descriptor.md, Digests). */
export type Digest = string & { readonly __digest: unique symbol };

/** Hex lengths of the registered algorithms (OCI image-spec, descriptor.md, Registered algorithms). */
const HEX_LENGTH: Readonly<Record<string, number>> = { sha256: 64, sha512: 128 };

const REGISTERED = /^(sha256|sha512):([a-f0-9]+)$/;

/** Whether `text` is a digest of a registered algorithm with the exact length of its hash. */
export function isDigest(text: string): text is Digest {
  const match = REGISTERED.exec(text);
  return match !== null && match[2]!.length === HEX_LENGTH[match[1]!];
}

/**
 * Checks a digest before it is used in a URL, a path or a comparison.
 * @throws {ManifestToolError} USAGE where `text` is no sha256 or sha512 digest.
 */
export function parseDigest(text: string, what = `reading digest ${JSON.stringify(text)}`): Digest {
  if (isDigest(text)) return text;
  throw new ManifestToolError(
    'USAGE',
    what,
    'it is not "sha256:" and 64 hexadecimal digits in lower case (or "sha512:" and 128)',
    { hint: 'inspect and query show the digest of an image' },
  );
}

/** The sha256 digest of `bytes`: the canonical algorithm of the specifications. */
export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${hash('sha256').update(bytes).digest('hex')}` as Digest;
}

/** Whether `bytes` hash to `digest`, with the algorithm that the digest names. */
export function matchesDigest(bytes: Uint8Array, digest: Digest): boolean {
  return digestHash(digest).update(bytes).digest('hex') === encodedPart(digest);
}

/** A running hash of the algorithm that `digest` names, for content that streams. */
export function digestHash(digest: Digest): Hash {
  return hash(algorithmPart(digest));
}

/** Loaded when it is needed: to read references and digests takes none of it. */
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
