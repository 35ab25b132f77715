import type { ErrorCode, ErrorData, ErrorReason, ManifestToolError } from '../../errors.js';

/** What a hint depends on besides the error. */
export interface HintContext {
  /** The command that runs, if it is known. */
  readonly command?: string | undefined;
  /** The registry that --username is for, if it is known. */
  readonly typedHost?: string | undefined;
}

/** --username is of no use for any other registry than that of the target. */
function logIn({ host }: ErrorData, { typedHost }: HintContext): string {
  const login = `log in with "docker login ${host}"`;
  const isTyped = typedHost === undefined || typedHost === host;
  return isTyped ? `${login}, or pass --username and --password-stdin` : login;
}

/** The hint for each reason, with commands and options; in the sections of {@link ErrorReason}. */
const HINTS: Readonly<Record<ErrorReason, (data: ErrorData, context: HintContext) => string>> = {
  // oci
  'digest-form': () => '"manifest-tool digest REF" prints the digest of an image',
  // http
  'certificate-invalid': () =>
    'replace the certificate of the registry; --insecure accepts any certificate',
  'certificate-untrusted': ({ host }) =>
    `trust its authority with --ca-file FILE or /etc/docker/certs.d/${host}/ca.crt; ` +
    '--insecure accepts any certificate',
  'client-certificate-demanded': ({ host }) =>
    `pass one with --cert-file and --key-file, or as client.cert and client.key in /etc/docker/certs.d/${host}/`,
  'client-certificate-missing': () => 'pass its certificate with --cert-file FILE',
  'client-certificate-refused': ({ host }) =>
    `pass one that the registry trusts: --cert-file and --key-file, or /etc/docker/certs.d/${host}/`,
  'client-key-missing': () => 'pass its key with --key-file FILE',
  'tls-not-spoken': () => 'if the registry uses plain HTTP, pass --plain-http',
  'token-denied': logIn,
  'token-server-unavailable': () => 'try again later, or raise --retry',
  // credentials
  'auth-file-missing': () => 'correct --authfile, or omit it to use the default files',
  // registry
  'registry-unavailable': () => 'try again later, or raise --retry',
  'answer-unexpected': () =>
    'run check-registry to see what the registry supports; --debug shows the request',
  'manifest-invalid': () =>
    'try the other type of index (--type docker or --type oci); check-registry shows what the registry accepts',
  'login-required': logIn,
  'credentials-rejected': ({ host }) => `correct or renew these credentials: ${host} rejects them`,
  'content-missing': () =>
    'push the image again: the registry lacks a part of it; verify lists what else is missing',
  'named-content-missing': () =>
    'run it again; pass --wait TIME if the registry needs time to show pushed content',
  'referrers-unreadable': () => 'omit --referrers, or use another version of the registry',
  // layout
  'ambiguous-name': () => 'refer to one by digest, or select one with --platform',
  // core
  'docker-annotations': () => 'pass --type oci, or omit the annotations',
  'docker-artifact-type': () => 'pass --type oci, or omit the artifact type',
  'docker-list-annotations': () => 'publish it as an OCI index first: create --type oci',
  'docker-list-entry': () => 'publish it as an OCI index first: create --type oci',
  'docker-artifact': () => 'pass --type oci: an OCI index can contain artifacts',
  'entry-not-an-image': () =>
    'copy keeps such an index unchanged; inspect --format table shows its entries',
  'entry-not-found': () => 'inspect --format table shows its entries',
  'several-entries': () => 'select one with --digest',
  'image-for-other-platform': () => 'omit --platform to use that image',
  'image-not-selected': () => 'pass --platform, or the digest of an image',
  'index-limit': () =>
    'refer to an index or image inside it by digest: inspect --format raw shows its entries',
  'needs-other-repositories': ({ repository }) =>
    `check-registry creates repositories beside ${repository}; with --tags-only it uses only ${repository}`,
  'no-image': () => 'copy keeps it unchanged; inspect --format raw shows its entries',
  'no-tags': () => '"manifest-tool tags REPOSITORY" lists the tags',
  'none-found': () =>
    'check the names in the warnings; --wait TIME waits for images that are not published yet',
  'not-an-image': () =>
    'it is probably an artifact and not an image: inspect --format raw shows its manifest',
  'not-an-index': () => 'create an index from it first, with create',
  'other-architecture': () =>
    'build the image again for its platform: a cross-build probably copied a program of the host; verify --executables shows more',
  'platform-not-found': () => 'omit it from --platform, or add a source that has it',
  'platform-missing': () =>
    'specify both os and architecture, under platform in a spec (push from-spec) or with push from-args --platforms',
  'referrers-too-deep': () =>
    'copy it without --referrers, then copy the referrers that you need by digest',
  'required-platforms': () =>
    'check that each build has pushed its image, or omit the platform from --require',
  'several-failed': () => 'fix the errors above and run it again: what succeeded is not repeated',
  'several-not-deleted': () => 'fix the errors above, and run it again for the tags that failed',
  'sources-missing': () =>
    'check the names; --wait TIME waits for images that are not published yet, --ignore-missing skips them',
  'tag-exists': () => 'publish under another tag, or omit --no-clobber to overwrite it',
  'warnings-refused': ({ count }) => `fix ${count === 1 ? 'it' : 'them'}, or omit --strict`,
  // spec
  'spec-empty': () =>
    'check that the file or pipe contains a spec; "manifest-tool spec from REF" writes one from a published index',
  'spec-variable': ({ name }) => `pass --env to replace \${${name}} from the environment`,
  'spec-variable-unbraced': ({ name }) =>
    `$${name} is not replaced: write \${${name}}, and pass --env to replace it from the environment`,
};

/** The hint of an error. */
export function hintFor(error: ManifestToolError, context: HintContext): string {
  const { code, data, hint, reason } = error;
  if (reason !== undefined) return HINTS[reason](data, context);
  return hint ?? defaultHint(code, context.command);
}

function defaultHint(code: ErrorCode, command: string | undefined): string {
  if (code === 'USAGE') {
    return `see "manifest-tool ${command === undefined ? '' : `${command} `}--help"`;
  }
  // Only the user knows whether what was stopped is still wanted.
  if (code === 'INTERRUPTED') return 'run it again to complete it';
  return '--debug shows each request, and the causes of an error';
}
