import type { Descriptor } from './descriptor.js';
import type { ImageDocument } from './documents.js';

/*
 * Attestations as BuildKit stores them: entries of the index of their image (BuildKit,
 * docs/attestations/attestation-storage.md).
 */

const REFERENCE_TYPE = 'vnd.docker.reference.type';
const REFERENCE_DIGEST = 'vnd.docker.reference.digest';
const PREDICATE_TYPE = 'in-toto.io/predicate-type';

/** Whether an entry of an index is an attestation of another entry. */
export function isAttestation({ annotations }: Pick<Descriptor, 'annotations'>): boolean {
  return annotations?.get(REFERENCE_TYPE) === 'attestation-manifest';
}

/**
 * The digest of the image that an attestation is for, as its annotation says: remote, not verified.
 */
export function attestedDigest({
  annotations,
}: Pick<Descriptor, 'annotations'>): string | undefined {
  return annotations?.get(REFERENCE_DIGEST);
}

/** The attestations that an index has for the image with this digest. */
export function attestationsOf(digest: string, entries: readonly Descriptor[]): Descriptor[] {
  return entries.filter((entry) => isAttestation(entry) && attestedDigest(entry) === digest);
}

/** The predicate type of each layer of an attestation manifest: remote text. */
export function predicateTypes(document: ImageDocument): string[] {
  if (document.kind === 'index') return [];
  const types = (document.layers ?? []).map(({ annotations }) => annotations?.get(PREDICATE_TYPE));
  return types.filter((type) => type !== undefined);
}

/** The media types of SBOMs that are attached as they are, as oras, regctl and cosign do. */
const SBOM_TYPES = /^(?:application|text)\/(?:spdx|vnd\.cyclonedx)(?:\+\w+)?(?:;|$)/;

/**
 * Whether a referrer is an SBOM itself, SPDX or CycloneDX, and not a statement that has one (IANA
 * media types; https://cyclonedx.org/specification/overview/, Recognized Media Types).
 */
export function isSbom(document: ImageDocument): boolean {
  const layers = document.kind === 'index' ? [] : (document.layers ?? []);
  const types = [document.artifactType, ...layers.map(({ mediaType }) => mediaType)];
  return types.some((type) => type !== undefined && SBOM_TYPES.test(type));
}

/** How signing tools name the predicate type: cosign on a layer, sigstore bundles on the manifest. */
const OTHER_PREDICATE_TYPES = ['predicateType', 'dev.sigstore.bundle.predicateType'];

/**
 * The predicate types of a referrer: as in an attestation manifest of BuildKit, as cosign writes
 * them, or of a sigstore bundle. Remote text.
 */
export function referrerPredicateTypes(document: ImageDocument): string[] {
  const layers = document.kind === 'index' ? [] : (document.layers ?? []);
  const named = [document, ...layers].flatMap(({ annotations }) =>
    OTHER_PREDICATE_TYPES.flatMap((key) => annotations?.get(key) ?? []),
  );
  return [...predicateTypes(document), ...named];
}
