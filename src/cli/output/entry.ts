import type { QueriedEntry } from '../../core/read/query.js';
import { isAttestation } from '../../oci/attestation.js';
import type { ManifestContent } from '../../oci/content.js';
import { parseDocument } from '../../oci/documents.js';
import { formatPlatform } from '../../oci/platform.js';

/** An entry of an index for programs. */
export interface EntryDocument {
  /** As the command line writes it; null if there is none. */
  readonly platform: string | null;
  readonly digest: string;
  readonly mediaType: string;
  /** Of the manifest, in bytes. */
  readonly size: number;
  readonly isAttestation: boolean;
}

export function entryDocument(entry: QueriedEntry): EntryDocument {
  const { platform, digest, mediaType, size } = entry;
  const shown = platform === undefined ? null : formatPlatform(platform);
  return { platform: shown, digest, mediaType, size, isAttestation: entry.isAttestation };
}

/** The entries of an index in its order; none of an image. */
export function entriesOfIndex({ bytes, mediaType }: ManifestContent): EntryDocument[] {
  const { document } = parseDocument(bytes, mediaType);
  if (document.kind !== 'index') return [];
  return document.manifests.map((entry) =>
    entryDocument({ ...entry, isAttestation: isAttestation(entry) }),
  );
}
