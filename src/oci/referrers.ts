import type { FetchedManifest } from './content.js';
import { algorithmPart, encodedPart, type Digest } from './digest.js';
import type { Descriptor } from './documents.js';

/** The tag under which a registry without the referrers API keeps them (OCI distribution-spec, Referrers Tag Schema). */
export function referrersTag(subject: Digest): string {
  return `${algorithmPart(subject).slice(0, 32)}-${encodedPart(subject).slice(0, 64)}`;
}

/** What a list of referrers says of one of them (OCI distribution-spec, Listing Referrers): its own type and annotations. */
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
