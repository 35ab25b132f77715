import type { Descriptor } from './documents.js';

const REFERENCE_TYPE = 'vnd.docker.reference.type';
const REFERENCE_DIGEST = 'vnd.docker.reference.digest';

/** Whether an entry of an index is an attestation of another entry (BuildKit, docs/attestations/attestation-storage.md). */
export function isAttestation(entry: Descriptor): boolean {
  return entry.annotations?.get(REFERENCE_TYPE) === 'attestation-manifest';
}

/** The digest of the image that an attestation is for, as its annotation has it: remote text, not checked. */
export function attestedDigest(entry: Descriptor): string | undefined {
  return entry.annotations?.get(REFERENCE_DIGEST);
}
