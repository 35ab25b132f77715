import type { ErrorCode, ErrorData, ErrorReason, ManifestToolError } from '../../errors.js';

/**
 * What to do about a cause, in the words of the command line; one entry for each {@link
 * ErrorReason}, in sections as there.
 */
const HINTS: Readonly<Record<ErrorReason, (data: ErrorData) => string>> = {
  // http
  'certificate-invalid': () =>
    'replace the certificate of the registry; --insecure accepts any certificate',
  'certificate-untrusted': ({ host }) =>
    `trust its authority with --ca-file FILE or /etc/docker/certs.d/${host}/ca.crt; ` +
    '--insecure accepts any certificate',
  'client-certificate-missing': () => 'give its certificate with --cert-file FILE',
  'client-key-missing': () => 'give its key with --key-file FILE',
  'tls-not-spoken': () => 'if it is meant to be spoken to in plain HTTP, give --plain-http',
  'token-denied': () => 'log in to the registry (docker login), or give --username and --password',
  'token-server-unavailable': () => 'try again later, or raise --retry',
  // credentials
  'auth-file-missing': () => 'correct --authfile, or omit it to use the default files',
  // registry
  // layout
  // core
  'docker-annotations': () => 'give --type oci, or omit the annotations',
  'docker-list-annotations': () => 'publish it as an OCI index first: create --type oci',
  'entry-not-found': () => 'inspect --format table shows its entries',
  'not-an-index': () => 'create an index from it first, with create',
  'several-failed': () =>
    'fix the errors above and run it again: what has been published is not published again',
  'tag-exists': () => 'publish under another tag, or omit --no-clobber to move it',
  'warnings-refused': ({ count }) => `fix ${count === 1 ? 'it' : 'them'}, or omit --strict`,
  // spec
  'spec-empty': () => 'write a spec, or make one from a published index with spec from REF',
  none: () => '',
};

/** One line that says what to do next about an error; `command` is the one that runs, if known. */
export function hintFor(error: ManifestToolError, command: string | undefined): string {
  const { code, data, hint, reason } = error;
  if (reason !== undefined) return HINTS[reason](data);
  return hint ?? defaultHint(code, command);
}

function defaultHint(code: ErrorCode, command: string | undefined): string {
  if (code === 'USAGE') return command === undefined ? 'see --help' : `see ${command} --help`;
  // Only the user knows whether what was stopped is still wanted.
  if (code === 'INTERRUPTED') return 'run it again to have it done';
  return '--debug shows each request, and the causes of an error';
}
