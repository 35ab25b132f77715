import type { ManifestToolError } from '../errors.js';
import type { ManifestContent } from '../oci/content.js';
import type { Digest } from '../oci/digest.js';

/** How far a blob is on its way into a target. */
export interface BlobProgress {
  /** The target, as `host/repository` or `oci-layout://PATH`. */
  readonly target: string;
  /** Of the blob. */
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  /** How many of its bytes have been read so far; none where it need not be copied. */
  readonly bytes: number;
  /** `started`, then `copying` as bytes come, then how it ended: `present` was there already, `mounted` came without bytes. */
  readonly state: 'started' | 'copying' | 'present' | 'mounted' | 'copied' | 'failed';
}

/** What a plan tells of while it runs; every member may be left out. */
export interface PlanEvents {
  /** Something that the user should know of, and that stops nothing. */
  readonly warning?: (text: string) => void;
  /** What is being done now, in a few words. */
  readonly progress?: (text: string) => void;
  /** Something is not there yet, and is waited for. */
  readonly waiting?: (reason: string) => void;
  /** An image or a list was read; `name` is the reference in full. */
  readonly read?: (name: string, manifest: ManifestContent) => void;
  /** A blob is on its way into a target. */
  readonly blob?: (progress: BlobProgress) => void;
  /** A manifest was written by its digest, before the tags move. */
  readonly written?: (target: string, manifest: ManifestContent) => void;
  /** One of several targets failed; the others go on. */
  readonly targetFailed?: (target: string, error: ManifestToolError) => void;
  /** A tag of the target now names the list; `from` is what it named before, where that is known. */
  readonly tagged?: (name: string, manifest: ManifestContent, from: Digest | undefined) => void;
  /** A tag of the target named the list already, and was left as it is. */
  readonly unchanged?: (name: string, manifest: ManifestContent) => void;
}
