import type { FetchedManifest, ImageReader } from '../../oci/content.js';
import type { Descriptor } from '../../oci/descriptor.js';
import type { Digest } from '../../oci/digest.js';

/** An image, attestation or index to publish: its entry, its manifest and its source. */
export interface ResolvedImage {
  /** The entry of the index that is published. */
  readonly entry: Descriptor;
  /** What the entry names. */
  readonly manifest: FetchedManifest;
  /** Where it was read. */
  readonly source: ImageReader;
  /** The reference by which the user named it, for messages. */
  readonly name: string;
  /** The source of which it is an entry, if that is an index. */
  readonly index?: string;
  /** Whether a source names it itself, not as an entry of an index. */
  readonly isNamed?: boolean;
  /** Whether its platform is what an index lists, not what its config names. */
  readonly isPlatformListed?: boolean;
  /** Whether its source does not hold it: it is an index with only some entries of that there. */
  readonly isMade?: boolean;
  /** The manifest that it refers to, if that is why it is published and no index names it. */
  readonly refersTo?: Digest;
  /** The tag of its own under which it is published, as cosign's signatures are. */
  readonly tag?: string;
}
