import type { QueriedEntry } from '../../core/read/query.js';
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

export function entryDocument({ platform, ...entry }: QueriedEntry): EntryDocument {
  const { digest, mediaType, size, isAttestation } = entry;
  const shown = platform === undefined ? null : formatPlatform(platform);
  return { platform: shown, digest, mediaType, size, isAttestation };
}
