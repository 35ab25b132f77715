import type { ErrorCode, ErrorData, ErrorReason, ManifestToolError } from '../../errors.js';

/** The hint for each reason, in the words of the command line; in sections as there. */
const HINTS: Readonly<Record<ErrorReason, (data: ErrorData) => string>> = {
  // http
  'tls-not-spoken': () => 'if it is meant to be spoken to in plain HTTP, give --plain-http',
  'token-denied': () => 'log in to the registry (docker login), or give --username and --password',
  'token-server-unavailable': () => 'try again later, or raise --retry',
  // credentials
  'auth-file-missing': () => 'correct --authfile, or omit it to use the default files',
  // registry
  // layout
  // core
  // spec
  none: () => '',
};

/** The hint of an error; `command` is the command that runs, if it is known. */
export function hintFor(error: ManifestToolError, command: string | undefined): string {
  return ownHint(error) ?? defaultHint(error.code, command);
}

/** The hint of an error that has one of its own: for its reason, or from the layer that threw it. */
export function ownHint({ reason, data, hint }: ManifestToolError): string | undefined {
  return reason === undefined ? hint : HINTS[reason](data);
}

function defaultHint(code: ErrorCode, command: string | undefined): string {
  if (code === 'USAGE') return command === undefined ? 'see --help' : `see ${command} --help`;
  // Only the user knows whether what was stopped is still wanted.
  if (code === 'INTERRUPTED') return 'run it again to have it done';
  return '--debug shows each request, and the causes of an error';
}
