import type { QueriedEntry } from '../../core/read/query.js';
import { isAttestation } from '../../oci/attestation.js';
import type { ManifestContent } from '../../oci/content.js';
import { parseDocument } from '../../oci/documents.js';
import { formatPlatform } from '../../oci/platform.js';
import { formatPinned, type Reference } from '../../oci/reference.js';

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

function entryDocument(entry: QueriedEntry): EntryDocument {
  const { platform, digest, mediaType, size } = entry;
  const shown = platform === undefined ? null : formatPlatform(platform);
  return { platform: shown, digest, mediaType, size, isAttestation: entry.isAttestation };
}

/** An entry with the reference by which it is pulled. */
export interface PinnedEntry extends EntryDocument {
  /** `repository@digest`. */
  readonly image: string;
}

export function pinnedEntry(reference: Reference, entry: QueriedEntry): PinnedEntry {
  return { ...entryDocument(entry), image: formatPinned(reference, entry.digest) };
}

/** The entries of an index in its order; none of an image. */
export function entriesOfIndex({ bytes, mediaType }: ManifestContent): EntryDocument[] {
  const { document } = parseDocument(bytes, mediaType);
  if (document.kind !== 'index') return [];
  return document.manifests.map((entry) =>
    entryDocument({ ...entry, isAttestation: isAttestation(entry) }),
  );
}
