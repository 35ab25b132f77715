import { ManifestToolError, type ErrorDetails } from '../errors.js';

/**
 * What acts on a terminal or breaks a line: control and format characters, separators, lone
 * surrogates.
 */
const ACTING = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu;

/** Text of a file, a variable or another program, as it may stand in the one line of a message. */
export function oneLine(text: string): string {
  return text.replace(ACTING, ' ').trim();
}

/** After a config that is not of the form that docker and podman write. */
export const FORM_HINT =
  'correct it, or move it away and log in again (docker login, podman login)';

/** A key of a config in a message, as `auths["ghcr.io"]` has it. */
export function quoted(key: string): string {
  return JSON.stringify(oneLine(key));
}

/**
 * A fault of what the user has configured. Neither `why` nor `details` may hold what a config or a
 * helper says of secrets.
 */
export function configError(
  what: string,
  why: string,
  details: ErrorDetails & { readonly hint: string },
): ManifestToolError {
  return new ManifestToolError('CONFIG', oneLine(what), oneLine(why), details);
}
