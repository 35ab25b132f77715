import type { FetchedManifest } from './content.js';
import { algorithmPart, encodedPart, type Digest } from './digest.js';
import type { Descriptor } from './descriptor.js';

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
