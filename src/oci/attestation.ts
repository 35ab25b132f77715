import type { Descriptor, ImageDocument } from './documents.js';

const REFERENCE_TYPE = 'vnd.docker.reference.type';
const REFERENCE_DIGEST = 'vnd.docker.reference.digest';
const PREDICATE_TYPE = 'in-toto.io/predicate-type';

/** Whether an entry of an index is an attestation of another entry (BuildKit, docs/attestations/attestation-storage.md). */
export function isAttestation(entry: Descriptor): boolean {
  return entry.annotations?.get(REFERENCE_TYPE) === 'attestation-manifest';
}

/** The digest of the image that an attestation is for, as its annotation has it: remote text, not checked. */
export function attestedDigest(entry: Descriptor): string | undefined {
  return entry.annotations?.get(REFERENCE_DIGEST);
}

/** What the statements of an attestation manifest are about, a layer each: types of predicates, remote text. */
export function predicateTypes(document: ImageDocument): string[] {
  if (document.kind === 'index') return [];
  const types = (document.layers ?? []).map(({ annotations }) => annotations?.get(PREDICATE_TYPE));
  return types.filter((type) => type !== undefined);
}
