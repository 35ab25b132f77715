import type { ManifestToolError } from '../errors.js';
import type { ManifestContent } from '../oci/content.js';
import type { Descriptor } from '../oci/descriptor.js';
import type { Digest } from '../oci/digest.js';

/** The progress of one blob into a target, or of one that is only read. */
export interface BlobProgress {
  /** The target, or where it is read, as `host/repository` or `oci-layout://PATH`. */
  readonly target: string;
  /** Of the blob. */
  readonly digest: Digest;
  /** Of the blob, in bytes. */
  readonly size: number;
  /** Bytes read so far; 0 if the blob need not be copied. */
  readonly bytes: number;
  /**
   * `started`, then `copying` while bytes arrive, then the outcome: `present` if the target held
   * the blob already, `mounted` if the registry took it from another of its repositories. Of a blob
   * that is only read, `reading`, and then `read` or `failed`.
   */
  readonly state:
    | 'started'
    | 'copying'
    | 'present'
    | 'mounted'
    | 'copied'
    | 'reading'
    | 'read'
    | 'failed';
}

/**
 * Callbacks for what happens during a call; each can be left out, and none may throw. Calls that
 * run at the same time and need the same blob or manifest in one target share its write: an object
 * that several of them are given is called once for it.
 */
export interface ProgressEvents {
  /** A warning; the call continues. */
  readonly warning?: (text: string) => void;
  /** Something legal that a person may want to know; `strict` does not refuse it. */
  readonly note?: (text: string) => void;
  /** A short description of the current step. */
  readonly progress?: (text: string) => void;
  /** Something does not exist yet; the call waits for it, and looks again after each of these. */
  readonly waiting?: (reason: string) => void;
  /** Something that the call has waited for exists now; `what` is the action that succeeded. */
  readonly waited?: (what: string, milliseconds: number) => void;
  /** A manifest was read; `name` is its full reference. */
  readonly read?: (name: string, manifest: ManifestContent) => void;
  /**
   * All images that are written to a target are known, with these blobs; some may be copied
   * already, or need not be copied. Called again if more images follow.
   */
  readonly planned?: (target: string, blobs: readonly Descriptor[]) => void;
  /** A blob was started, copied in part, or finished. */
  readonly blob?: (progress: BlobProgress) => void;
  /** A manifest was written by its digest, before the tags move. */
  readonly written?: (target: string, manifest: ManifestContent) => void;
  /** One of several targets failed; the others continue. */
  readonly targetFailed?: (target: string, error: ManifestToolError) => void;
  /** A tag points to the manifest now; `from` is what it pointed to before, if that is known. */
  readonly tagged?: (name: string, manifest: ManifestContent, from: Digest | undefined) => void;
  /** A tag pointed to the manifest already, and was not written. */
  readonly unchanged?: (name: string, manifest: ManifestContent) => void;
}
