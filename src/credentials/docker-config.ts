import { fileReason, systemCode, unreadableHint, interrupted } from '../errors.js';
import type { Credential } from '../http/auth/credential.js';
import { readFile } from '../read-file.js';
import { escapeText } from '../text.js';
import { configError, FORM_HINT, quoted } from './errors.js';
import { isObject, member, parseObject, type JsonObject } from './json.js';
import { hostNames, hostOfKey, namespaceKeys } from './keys.js';

/** Far more than any real config has, so that a wrong path does not exhaust memory. */
const MAX_BYTES = 1024 * 1024;

/** Credentials part of a config. An entry of `auths` is parsed when its host is looked up. */
export interface DockerConfig {
  /** The file, or the variable that it came from, for messages. */
  readonly name: string;
  readonly auths: ReadonlyMap<string, unknown>;
  readonly credHelpers: ReadonlyMap<string, string>;
  readonly credsStore: string | undefined;
  /** Whether `credsStore` is not configured, but was found on this machine. */
  readonly isDetected?: boolean;
}

/** `flat` is the form of ~/.dockercfg, which consists of the entries of `auths`. */
export type ConfigFormat = 'config' | 'flat';

/** A credential helper, with the setting that names it, for messages. */
export interface HelperSetting {
  /** What follows `docker-credential-` in the name of the program. */
  readonly suffix: string;
  /** `credsStore in /home/x/.docker/config.json`. */
  readonly setting: string;
}

/** How to read a config file. */
export interface ReadingOptions {
  readonly signal: AbortSignal | undefined;
  readonly format?: ConfigFormat;
  /** The variable that names the directory of the file, for messages. */
  readonly variable?: string | undefined;
}

/**
 * Reads a config file; undefined if it does not exist. A path through something that is not a
 * directory is an error: what a setting names is there, but is of the wrong kind.
 * @throws {ManifestToolError} CONFIG if it cannot be read, has more than 1 MiB, or is not a config;
 * INTERRUPTED if `signal` was aborted.
 */
export async function readConfig(
  file: string,
  options: ReadingOptions,
): Promise<DockerConfig | undefined> {
  const text = await readText(file, options);
  return text === undefined ? undefined : parseConfig(file, text, options.format);
}

async function readText(
  file: string,
  { signal, variable }: ReadingOptions,
): Promise<string | undefined> {
  const what = `reading ${file}`;
  let bytes: Buffer | undefined;
  try {
    bytes = await readFile(file, { maxBytes: MAX_BYTES, signal });
  } catch (error) {
    if (signal?.aborted === true) throw interrupted(what, error);
    const code = systemCode(error);
    if (code === 'ENOENT') return undefined;
    if (code === 'ENOTDIR' && variable !== undefined) {
      throw configError(what, `${variable} is set to something that is not a directory`, {
        cause: error,
        hint: `set ${variable} to the directory of the file, or unset it`,
      });
    }
    throw configError(what, fileReason(error), { cause: error, hint: unreadableHint(error) });
  }
  if (bytes === undefined) {
    throw configError(what, `it is larger than ${MAX_BYTES} bytes`, {
      hint: 'check that it is the right file',
    });
  }
  // Removes the byte order mark that editors on Windows write.
  return new TextDecoder().decode(bytes);
}

/**
 * Parses the credentials part of a docker config.json or a podman auth.json; nothing else in it is
 * for registries.
 * @throws {ManifestToolError} CONFIG if it is not a JSON object, or a member has the wrong type.
 */
export function parseConfig(
  name: string,
  text: string,
  format: ConfigFormat = 'config',
): DockerConfig {
  const what = `reading ${name}`;
  const document = parseObject(what, text);
  if (format === 'flat')
    return { name, auths: entries(document), credHelpers: new Map(), credsStore: undefined };
  const credHelpers = new Map<string, string>();
  for (const [host, suffix] of entries(objectMember(what, document, 'credHelpers')))
    credHelpers.set(host, stringOf(what, `credHelpers[${quoted(host)}]`, suffix));
  const credsStore = member(document, 'credsStore') ?? '';
  return {
    name,
    auths: entries(objectMember(what, document, 'auths')),
    credHelpers,
    credsStore: stringOf(what, 'credsStore', credsStore) || undefined,
  };
}

function entries(object: JsonObject): Map<string, unknown> {
  return new Map(Object.entries(object));
}

function objectMember(what: string, document: JsonObject, name: string): JsonObject {
  const value = member(document, name) ?? {};
  if (!isObject(value)) throw configError(what, `${name} is not an object`, { hint: FORM_HINT });
  return value;
}

function stringOf(what: string, key: string, value: unknown): string {
  if (typeof value !== 'string')
    throw configError(what, `${key} is not a string`, { hint: FORM_HINT });
  return value;
}

/** Whether a config has any setting for credentials. */
export function hasCredentials({ auths, credHelpers, credsStore }: DockerConfig): boolean {
  return credsStore !== undefined || credHelpers.size > 0 || auths.size > 0;
}

/**
 * The helper for a host: that of `credHelpers`, else `credsStore`. If there is one, `auths` is not
 * used: an entry there is a leftover that `docker login` would not write (docker/cli,
 * configfile/file.go and native_store.go). As in docker, an empty name in `credHelpers` exempts a
 * host from `credsStore`.
 */
export function helperOf(config: DockerConfig, host: string): HelperSetting | undefined {
  const key = hostNames(host).find((name) => config.credHelpers.has(name));
  const suffix = key === undefined ? config.credsStore : config.credHelpers.get(key);
  if (suffix === undefined || suffix === '') return undefined;
  if (config.isDetected === true) return { suffix, setting: 'found on PATH' };
  const name = key === undefined ? 'credsStore' : `credHelpers[${quoted(key)}]`;
  return { suffix, setting: escapeText(`${name} in ${config.name}`) };
}

/**
 * The credential in `auths` for a repository, by the most specific key.
 * @throws {ManifestToolError} CONFIG if its entry is malformed, without anything that it contains.
 */
export function findInAuths(
  config: DockerConfig,
  host: string,
  repository: string,
): Credential | undefined {
  for (const key of keysOf(config, host, repository)) {
    const entry = { name: config.name, key, value: config.auths.get(key) };
    const credential = credentialOf(entry);
    if (credential !== undefined) return credential;
  }
  return undefined;
}

/** The keys of `auths` that are for a repository, the most specific first. */
function keysOf(config: DockerConfig, host: string, repository: string): Set<string> {
  const names = hostNames(host);
  const legacy = [...config.auths.keys()].filter((key) => names.includes(hostOfKey(key)));
  const keys = [...namespaceKeys(host, repository), ...names, ...legacy];
  return new Set(keys.filter((key) => config.auths.has(key)));
}

/** An entry of `auths`, with its place, for messages. */
interface AuthEntry {
  /** The file or variable. */
  readonly name: string;
  readonly key: string;
  readonly value: unknown;
}

/**
 * Undefined if the entry has no credential: `docker login` leaves `{}` if a store holds it. A token
 * precedes the user and password that docker writes beside it.
 */
function credentialOf(entry: AuthEntry): Credential | undefined {
  const value = entry.value ?? {};
  if (!isObject(value)) throw malformed(entry, 'is not an object');
  const source = escapeText(`${entry.name} (auths[${quoted(entry.key)}])`);
  const registryToken = stringMember(entry, value, 'registrytoken');
  if (registryToken !== '') return { kind: 'registry-token', token: registryToken, source };
  const identityToken = stringMember(entry, value, 'identitytoken');
  if (identityToken !== '') return { kind: 'identity-token', token: identityToken, source };
  const login = encodedLogin(entry, stringMember(entry, value, 'auth')) ?? plainLogin(entry, value);
  return login === undefined ? undefined : { kind: 'password', ...login, source };
}

interface Login {
  readonly username: string;
  readonly password: string;
}

/** `auth`, which is base64 of `user:password`; only the password may contain a colon. */
function encodedLogin(entry: AuthEntry, auth: string): Login | undefined {
  if (auth === '') return undefined;
  const login = decodeBase64(auth);
  if (login === undefined) throw malformed(entry, 'has an auth that is not base64 of UTF-8');
  const colon = login.indexOf(':');
  if (colon === -1) throw malformed(entry, 'has an auth without a colon');
  if (colon === 0) throw malformed(entry, 'has an auth without a user name');
  // Old versions of docker padded with NULs.
  let end = login.length;
  while (login[end - 1] === '\0') end -= 1;
  return {
    username: login.slice(0, colon),
    password: login.slice(colon + 1, Math.max(end, colon + 1)),
  };
}

function plainLogin(entry: AuthEntry, value: JsonObject): Login | undefined {
  const username = stringMember(entry, value, 'username');
  const password = stringMember(entry, value, 'password');
  if (username !== '') return { username, password };
  if (password !== '') throw malformed(entry, 'has a password without a user name');
  return undefined;
}

/**
 * Undefined if it is not base64 of UTF-8: Node would skip what is wrong and give a wrong password.
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

function stringMember(entry: AuthEntry, value: JsonObject, name: string): string {
  const found = member(value, name) ?? '';
  if (typeof found !== 'string')
    throw malformed(entry, `has a member ${name} that is not a string`);
  return found;
}

function malformed(entry: AuthEntry, why: string): Error {
  return configError(`reading ${entry.name}`, `auths[${quoted(entry.key)}] ${why}`, {
    hint: 'log in to the registry again (docker login, podman login), which rewrites the entry',
  });
}
