import { ManifestToolError, type ErrorDetails } from '../errors.js';
import { escapeText } from '../text.js';

/** The hint after a config that does not have the form that docker and podman write. */
export const FORM_HINT =
  'correct it, or move it away and log in again (docker login, podman login)';

/** A key of a config in a message: `auths["ghcr.io"]`. */
export function quoted(key: string): string {
  return escapeText(JSON.stringify(key));
}

/**
 * An error in what the user has configured. Neither `why` nor `details` may contain what a config
 * or a helper says that can be a secret.
 */
export function configError(what: string, why: string, details: ErrorDetails): ManifestToolError {
  return new ManifestToolError('CONFIG', escapeText(what), escapeText(why), details);
}
