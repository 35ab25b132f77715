import type { FetchedManifest, ImageReader } from '../../oci/content.js';
import type { Digest } from '../../oci/digest.js';
import type { Descriptor } from '../../oci/documents.js';

/** One image (or attestation, or list) that goes into a list: its entry, its manifest and where it was read. */
export interface ResolvedImage {
  /** The entry of the list that is published. */
  readonly entry: Descriptor;
  /** What the entry names. */
  readonly manifest: FetchedManifest;
  /** Where it was read. */
  readonly source: ImageReader;
  /** The reference by which the user named it, for messages. */
  readonly name: string;
  /** Whether a source names it itself, not as an entry of an index. */
  readonly isNamed?: boolean;
  /** The manifest that it refers to, where it comes along for that reason and no list names it. */
  readonly refersTo?: Digest;
}
