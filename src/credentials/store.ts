import { ManifestToolError } from '../errors.js';
import type { Credential, CredentialLookup } from '../http/auth/credential.js';
import { createHelpers, type AskHelper } from './helper.js';
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
  const ask = createHelpers({
    env: options.env,
    timeoutMs: options.helperTimeoutMs,
    signal: options.signal,
  });
  return lookupIn(options, ask, onceEach(options.onWarning));
}

function lookupIn(
  options: CredentialOptions,
  ask: AskHelper,
  warn: (text: string) => void,
): CredentialLookup {
  const explicit = explicitCredential(options);
  if (explicit !== undefined) return () => Promise.resolve(explicit);
  const sources = sourcesOf(options, ask, warn);
  return async (host, repository) => {
    for (const source of sources) {
      const credential = await source(host, repository);
      if (credential !== undefined) return credential;
    }
    return undefined;
  };
}

/**
 * Whether there seems to be a credential for a host: as the lookup finds it, but for helpers, which are not run and taken to have one. What
 * is wrong with a source is told when it is used.
 */
export function createCredentialPeek(
  options: CredentialOptions,
): (host: string, repository: string) => Promise<boolean> {
  const lookup = lookupIn(
    options,
    () => Promise.resolve(UNKNOWN),
    () => undefined,
  );
  return async (host, repository) => {
    const found = await lookup(host, repository).catch(() => undefined);
    return found !== undefined;
  };
}

/** What a helper may have. */
const UNKNOWN = { kind: 'password', username: '', password: '', source: '' } as const;

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
