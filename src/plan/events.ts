import type { ManifestToolError } from '../errors.js';
import type { ManifestContent } from '../oci/content.js';
import type { Digest } from '../oci/digest.js';

/** What a plan tells of while it runs; every member may be left out. */
export interface PlanEvents {
  /** Something that the user should know of, and that stops nothing. */
  readonly warning?: (text: string) => void;
  /** What is being done now, in a few words. */
  readonly progress?: (text: string) => void;
  /** Something is not there yet, and is waited for. */
  readonly waiting?: (reason: string) => void;
  /** A tag of the target now names the list; `from` is what it named before, where that is known. */
  readonly tagged?: (name: string, manifest: ManifestContent, from: Digest | undefined) => void;
  /** One of several targets failed; the others go on. */
  readonly targetFailed?: (target: string, error: ManifestToolError) => void;
  /** A tag of the target named the list already, and was left as it is. */
  readonly unchanged?: (name: string, manifest: ManifestContent) => void;
}
