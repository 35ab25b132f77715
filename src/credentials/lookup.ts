import { ManifestToolError } from '../errors.js';
import type { Credential, CredentialLookup } from '../transport/credential.js';
import { createHelpers } from './helper.js';
import type { CredentialOptions } from './options.js';
import { sourcesOf } from './order.js';

export type { CredentialOptions } from './options.js';

/**
 * The lookup of credentials: --username and --password for every host, or else what docker's and
 * podman's files and helpers have for the host (the order stands at `sourcesOf`). Files are read
 * when they are first needed, once; a helper runs once for a host.
 *
 * The lookup itself throws a {@link ManifestToolError} CONFIG where a source that it comes to is
 * broken, and INTERRUPTED where the signal came while a helper ran. A source behind the one that
 * has the credential is not looked at.
 * @throws {ManifestToolError} USAGE where there is a password without a user name.
 */
export function createCredentialLookup(options: CredentialOptions): CredentialLookup {
  const explicit = explicitCredential(options);
  if (explicit !== undefined) return () => Promise.resolve(explicit);
  const ask = createHelpers({
    env: options.env,
    timeoutMs: options.helperTimeoutMs,
    signal: options.signal,
  });
  const sources = sourcesOf(options, ask, onceEach(options.onWarning));
  return async (host, repository) => {
    for (const source of sources) {
      const credential = await source(host, repository);
      if (credential !== undefined) return credential;
    }
    return undefined;
  };
}

function explicitCredential({ username, password }: CredentialOptions): Credential | undefined {
  if (username !== undefined && username !== '')
    return { kind: 'password', username, password: password ?? '', source: '--username' };
  if (password === undefined || password === '') return undefined;
  throw new ManifestToolError('USAGE', 'reading the options', 'a password has no user name', {
    hint: 'give --username with it',
  });
}

function onceEach(onWarning: CredentialOptions['onWarning']): (text: string) => void {
  const told = new Set<string>();
  return (text) => {
    if (!told.has(text)) onWarning?.(text);
    told.add(text);
  };
}
