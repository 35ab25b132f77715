import { parseDigest, type Digest } from '../oci/digest.js';
import { parsePlatform, properPlatform, type Platform } from '../oci/platform.js';
import { checkReference, parseReference, type Reference } from '../oci/reference.js';
import { suggestion } from '../text.js';

/**
 * Checks an argument and converts it to what the core takes. `name` is that of the argument.
 * @throws {TypeError} naming the argument, what it must be, and what it is.
 */
export type Reader<T> = (value: unknown, name: string) => T;

/** What readers make of the members of an object. */
type Members<M, R extends keyof M> = { readonly [K in Exclude<keyof M, R>]?: Read<M[K]> } & {
  readonly [K in R]: Read<M[K]>;
};

/** What a reader makes of an argument. */
export type Read<X> = X extends Reader<infer T> ? T : never;

/** A string that is not empty. */
export const string: Reader<string> = (value, name) => {
  if (typeof value !== 'string' || value === '') throw wrong(name, 'a non-empty string', value);
  return value;
};

/** True or false. */
export const boolean: Reader<boolean> = (value, name) => {
  if (typeof value !== 'boolean') throw wrong(name, 'a boolean', value);
  return value;
};

/** A function, whose parameters and result are not checked. */
export const callback: Reader<(...args: never[]) => unknown> = (value, name) => {
  if (typeof value !== 'function') throw wrong(name, 'a function', value);
  return value as (...args: never[]) => unknown;
};

/** A finite number from `min`. */
export function number(min: number, { isInteger = true } = {}): Reader<number> {
  const kind = `${isInteger ? 'an integer' : 'a number'} of at least ${min}`;
  return (value, name) => {
    const isRight = isInteger ? Number.isSafeInteger(value) : Number.isFinite(value);
    if (!isRight || (value as number) < min) throw wrong(name, kind, value);
    return value as number;
  };
}

/** One of several strings. */
export function oneOf<T extends string>(...choices: readonly T[]): Reader<T> {
  const names = choices.map((choice) => JSON.stringify(choice)).join(' or ');
  return (value, name) => {
    const choice = choices.find((each) => each === value);
    if (choice === undefined) throw wrong(name, names, value);
    return choice;
  };
}

/** An array. */
export function list<T>(item: Reader<T>): Reader<T[]> {
  return (value, name) => {
    if (!Array.isArray(value)) throw wrong(name, 'an array', value);
    return value.map((each, index) => item(each, `${name}[${index}]`));
  };
}

/** An object with these members; those that are undefined count as absent. */
export function object<
  M extends Readonly<Record<string, Reader<unknown>>>,
  R extends keyof M = never,
>(members: M, required: readonly (R & string)[] = []): Reader<Members<M, R>> {
  const known = Object.keys(members);
  return (value, name) => {
    if (!isRecord(value)) throw wrong(name, 'an object', value);
    const unknown = Object.keys(value).find((key) => !known.includes(key));
    if (unknown !== undefined) {
      const near = suggestion(unknown, known, `${name}.`);
      throw new TypeError(`${name}.${unknown} is not a known member${near}`);
    }
    const missing = required.find((key) => value[key] === undefined);
    if (missing !== undefined) throw new TypeError(`${name}.${missing} is missing`);
    const given = Object.entries(members).flatMap(([key, read]) =>
      value[key] === undefined ? [] : [[key, read(value[key], `${name}.${key}`)] as const],
    );
    return Object.fromEntries(given) as Members<M, R>;
  };
}

/**
 * A reference: a string as users write it, or what `parseReference` returns.
 * @throws {ManifestToolError} USAGE if a string is malformed.
 */
export const reference: Reader<Reference> = (value, name) => {
  if (typeof value === 'string') return parseReference(value);
  const parts = REFERENCE_PARTS[isRecord(value) ? String(value['kind']) : ''];
  if (parts === undefined) throw wrong(name, 'a reference (a string or an object)', value);
  const given = value as Record<string, unknown>;
  for (const part of parts) string(given[part], `${name}.${part}`);
  for (const part of ['tag', 'digest'])
    if (given[part] !== undefined) string(given[part], `${name}.${part}`);
  checkReference(given as unknown as Reference);
  return given as unknown as Reference;
};

const REFERENCE_PARTS: Readonly<Record<string, readonly string[]>> = {
  registry: ['host', 'repository'],
  layout: ['path'],
  archive: ['format', 'path'],
};

/** @throws {ManifestToolError} USAGE if it is malformed. */
export const digest: Reader<Digest> = (value, name) => parseDigest(string(value, name));

const platformMembers = {
  os: string,
  architecture: string,
  variant: string,
  osVersion: string,
  osFeatures: list(string),
};
const fullPlatform = object(platformMembers, ['os', 'architecture']);
const anyPlatform = object(platformMembers);

/**
 * A platform: a string such as `linux/arm64`, or an object.
 * @throws {ManifestToolError} USAGE if a string is malformed, or names an unknown platform.
 */
export const platform: Reader<Platform> = (value, name) => platformWith(fullPlatform, value, name);

/** A platform of which members may be missing. */
export const partialPlatform: Reader<Partial<Platform>> = (value, name) =>
  platformWith(anyPlatform, value, name);

function platformWith<P extends Partial<Platform>>(
  members: Reader<P>,
  value: unknown,
  name: string,
): P | Platform {
  if (typeof value === 'string') return parsePlatform(value);
  if (!isRecord(value)) throw wrong(name, 'a platform (a string or an object)', value);
  return properPlatform(members(value, name));
}

/** Annotations: a record or a Map of strings. */
export const annotations: Reader<ReadonlyMap<string, string>> = (value, name) => {
  const changes = annotationChanges(value, name);
  for (const [key, text] of changes)
    if (text === undefined) throw wrong(`${name}[${JSON.stringify(key)}]`, 'a string', null);
  return changes as ReadonlyMap<string, string>;
};

/** Changes of annotations: a record or a Map of strings, and of null for those to remove. */
export const annotationChanges: Reader<ReadonlyMap<string, string | undefined>> = (value, name) => {
  if (!(value instanceof Map) && !isRecord(value))
    throw wrong(name, 'an object or a Map of strings', value);
  const entries: [unknown, unknown][] = value instanceof Map ? [...value] : Object.entries(value);
  return new Map(
    entries.map(([key, text]) => {
      if (typeof key !== 'string') throw wrong(`a key of ${name}`, 'a string', key);
      if (text !== null && text !== undefined && typeof text !== 'string')
        throw wrong(`${name}[${JSON.stringify(key)}]`, 'a string', text);
      return [key, text ?? undefined];
    }),
  );
};

/** Environment variables, as in `process.env`. */
export const variables: Reader<Readonly<Record<string, string | undefined>>> = (value, name) => {
  if (!isRecord(value)) throw wrong(name, 'an object', value);
  for (const [key, text] of Object.entries(value))
    if (text !== undefined && typeof text !== 'string')
      throw wrong(`${name}.${key}`, 'a string', text);
  return value as Readonly<Record<string, string | undefined>>;
};

/** One signal, or an array of them. */
export const signals: Reader<readonly AbortSignal[]> = (value, name) =>
  Array.isArray(value) ? list(signal)(value, name) : [signal(value, name)];

/** A signal; those of other realms and of polyfills too. */
const signal: Reader<AbortSignal> = (value, name) => {
  const isSignal =
    typeof value === 'object' &&
    value !== null &&
    'aborted' in value &&
    'addEventListener' in value;
  if (!isSignal) throw wrong(name, 'an AbortSignal', value);
  return value as AbortSignal;
};

function isRecord(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Map)
  );
}

/** Longest string that an error repeats, in characters. */
const MAX_SHOWN = 60;

export function wrong(name: string, expected: string, value: unknown): TypeError {
  return new TypeError(`${name} must be ${expected}, but is ${shown(value)}`);
}

function shown(value: unknown): string {
  if (typeof value === 'string') {
    const text = JSON.stringify(value);
    return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
  }
  if (value === null || ['undefined', 'number', 'boolean', 'bigint'].includes(typeof value))
    return String(value);
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return value instanceof Map ? 'a Map' : 'an object';
  return `a ${typeof value}`;
}
