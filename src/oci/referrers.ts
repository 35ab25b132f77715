import type { FetchedManifest, ManifestContent } from './content.js';
import { algorithmPart, encodedPart, type Digest } from './digest.js';
import type { Descriptor } from './descriptor.js';
import { parseDocument } from './documents.js';

/**
 * The tag of the index of referrers in a registry without the referrers API (OCI distribution-spec,
 * Referrers Tag Schema).
 */
export function referrersTag(subject: Digest): string {
  return `${algorithmPart(subject).slice(0, 32)}-${encodedPart(subject).slice(0, 64)}`;
}

/**
 * The entry of a referrer in an index of referrers, with its own artifact type and annotations (OCI
 * distribution-spec, Listing Referrers).
 */
export function referrerDescriptor(manifest: FetchedManifest): Descriptor {
  const { mediaType, digest, size, document } = manifest;
  const { annotations } = document;
  const artifactType =
    document.artifactType || (document.kind === 'manifest' ? document.config.mediaType : undefined);
  return {
    mediaType,
    digest,
    size,
    ...(annotations === undefined ? {} : { annotations }),
    ...(artifactType === undefined ? {} : { artifactType }),
  };
}

/** A manifest that refers to another one: its `subject`, and its entry in an index of referrers. */
export interface Referrer {
  readonly subject: Digest;
  readonly entry: Descriptor;
}

/** What a manifest is as a referrer; undefined if it has no `subject`. */
export function referrerOf(manifest: ManifestContent): Referrer | undefined {
  const parsed = withDocument(manifest);
  const subject = parsed?.document.subject?.digest;
  return parsed && subject && { subject, entry: referrerDescriptor(parsed) };
}

/** Parses only what may have a subject: the index that a publish builds never has one. */
function withDocument(manifest: ManifestContent | FetchedManifest): FetchedManifest | undefined {
  if ('document' in manifest) return manifest;
  const { bytes, mediaType } = manifest;
  if (!Buffer.from(bytes).includes('"subject"')) return undefined;
  return { ...manifest, ...parseDocument(bytes, mediaType) };
}
