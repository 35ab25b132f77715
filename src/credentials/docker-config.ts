import { reasonOf, systemCode, unreadableHint } from '../errors.js';
import { configError, FORM_HINT, quoted } from './errors.js';
import { files } from './files.js';
import { isObject, member, parseObject, type JsonObject } from './json.js';

/** Far more than any real config; a limit so that a wrong path does not fill the memory. */
const MAX_SIZE = 1024 * 1024;

/**
 * What a config says of credentials. The entries of `auths` are judged when their host is asked
 * for.
 */
export interface DockerConfig {
  /** Its file, or the variable that it came from, for messages. */
  readonly name: string;
  readonly auths: ReadonlyMap<string, unknown>;
  readonly credHelpers: ReadonlyMap<string, string>;
  /** Undefined where there is none. */
  readonly credsStore: string | undefined;
  /** The store is not configured, but was found on this machine. */
  readonly isDetected?: boolean;
}

/** `flat` is ~/.dockercfg, which is `auths` alone. */
export type ConfigFormat = 'config' | 'flat';

/**
 * Reads a config file; undefined where there is none.
 * @throws {ManifestToolError} CONFIG where it cannot be read, has more than 1 MiB, or is no
 * config.
 */
export async function readConfig(
  file: string,
  format: ConfigFormat = 'config',
): Promise<DockerConfig | undefined> {
  const text = await readText(file);
  return text === undefined ? undefined : parseConfig(file, text, format);
}

/**
 * The credentials part of a docker config.json or a podman auth.json; all else in it is not for
 * registries.
 * @throws {ManifestToolError} CONFIG where it is no JSON object, or a member has the wrong type.
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
  if (!isObject(value)) {
    throw configError(what, `${name} is not an object`, { hint: FORM_HINT });
  }
  return value;
}

function stringOf(what: string, key: string, value: unknown): string {
  if (typeof value !== 'string') {
    throw configError(what, `${key} is not a string`, { hint: FORM_HINT });
  }
  return value;
}

async function readText(file: string): Promise<string | undefined> {
  try {
    const bytes = await readBytes(file);
    // Without the byte order mark that editors on Windows write.
    if (bytes.length <= MAX_SIZE) return new TextDecoder().decode(bytes);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    const why = code === 'EISDIR' ? 'it is a directory' : reasonOf(error);
    throw configError(`reading ${file}`, why, { cause: error, hint: unreadableHint(error) });
  }
  throw configError(`reading ${file}`, `it has more than the ${MAX_SIZE} bytes that are read`, {
    hint: 'check that it is the file that is meant',
  });
}

/**
 * All bytes, or one more than are allowed. By reading to the end: a pipe (`--authfile <(…)`) has
 * no size.
 */
async function readBytes(file: string): Promise<Uint8Array> {
  const descriptor = await files.open(file, 'r');
  try {
    const chunks: Uint8Array[] = [];
    let left = MAX_SIZE + 1;
    while (left > 0) {
      const buffer = Buffer.alloc(Math.min(left, 65_536));
      const { bytesRead } = await files.read(descriptor, buffer, 0, buffer.length, null);
      if (bytesRead === 0) break;
      chunks.push(buffer.subarray(0, bytesRead));
      left -= bytesRead;
    }
    return Buffer.concat(chunks);
  } finally {
    await files.close(descriptor);
  }
}
