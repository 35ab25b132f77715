import type { Credential } from '../http/auth/credential.js';
import { configError, quoted } from './errors.js';
import { isObject, member, type JsonObject } from './json.js';

/** An entry of `auths`, and where it stands, for messages. */
export interface AuthEntry {
  /** The file or variable. */
  readonly name: string;
  readonly key: string;
  readonly value: unknown;
}

type Found = { readonly username: string; readonly password: string };

/**
 * The credential of an entry; undefined where it has none: `{}` is a mark that `docker login`
 * leaves when a store holds the credential. A token stands before user and password, which docker
 * writes beside it.
 * @throws {ManifestToolError} CONFIG where it is malformed, without anything that the entry holds.
 */
export function credentialOf(entry: AuthEntry, source: string): Credential | undefined {
  const value = entry.value ?? {};
  if (!isObject(value)) throw malformed(entry, 'is not an object');
  const registryToken = text(entry, value, 'registrytoken');
  if (registryToken !== '') return { kind: 'registry-token', token: registryToken, source };
  const identityToken = text(entry, value, 'identitytoken');
  if (identityToken !== '') return { kind: 'identity-token', token: identityToken, source };
  const found = decoded(entry, text(entry, value, 'auth')) ?? plain(entry, value);
  return found === undefined ? undefined : { kind: 'password', ...found, source };
}

/** `auth`, which is base64 of `user:password`; only the password may hold a colon. */
function decoded(entry: AuthEntry, auth: string): Found | undefined {
  if (auth === '') return undefined;
  const userAndPassword = decodeBase64(auth);
  if (userAndPassword === undefined)
    throw malformed(entry, 'has an auth that is not base64 of text');
  const colon = userAndPassword.indexOf(':');
  if (colon === -1) throw malformed(entry, 'has an auth without a colon');
  if (colon === 0) throw malformed(entry, 'has an auth without a user');
  // Old dockers padded with NULs.
  let end = userAndPassword.length;
  while (userAndPassword[end - 1] === '\0') end -= 1;
  return {
    username: userAndPassword.slice(0, colon),
    password: userAndPassword.slice(colon + 1, Math.max(end, colon + 1)),
  };
}

function plain(entry: AuthEntry, value: JsonObject): Found | undefined {
  const username = text(entry, value, 'username');
  const password = text(entry, value, 'password');
  if (username !== '') return { username, password };
  if (password !== '') throw malformed(entry, 'has a password without a username');
  return undefined;
}

/**
 * Undefined where it is no base64, or not of UTF-8: Node itself would read on over both, and give
 * a wrong password.
 */
function decodeBase64(base64: string): string | undefined {
  const joined = base64.replaceAll(/[\r\n]/g, '');
  if (joined.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(joined)) return undefined;
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    return decoder.decode(Buffer.from(joined, 'base64'));
  } catch {
    return undefined;
  }
}

function text(entry: AuthEntry, value: JsonObject, name: string): string {
  const found = member(value, name) ?? '';
  if (typeof found !== 'string') throw malformed(entry, `has a member ${name} that is no string`);
  return found;
}

function malformed(entry: AuthEntry, why: string): Error {
  return configError(`reading ${entry.name}`, `auths[${quoted(entry.key)}] ${why}`, {
    hint: 'log in to the registry again (docker login, podman login) to have it written anew',
  });
}
