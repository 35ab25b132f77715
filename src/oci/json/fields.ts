import { isDigest, type Digest } from '../digest.js';
import {
  AMBIGUOUS_HINT,
  AmbiguousJson,
  isJsonObject,
  JsonNumber,
  refuseAmbiguity,
  type JsonObject,
  type JsonValue,
  type OnAmbiguity,
} from './parse.js';

/**
 * A fault of a document with its place, for example `manifests[2].size`. The caller adds which
 * document it is.
 */
export class FieldError extends Error {
  constructor(
    path: string,
    problem: string,
    /** What to do about it; undefined if it looks like damage. */
    readonly hint?: string,
  ) {
    super(`${path === '' ? 'the document' : path} ${problem}`);
  }
}

/** What to do about a fault of a document, if that is known; undefined if it looks like damage. */
export function faultHint(error: unknown): string | undefined {
  return error instanceof FieldError || error instanceof AmbiguousJson ? error.hint : undefined;
}

/**
 * One object of a document, read member by member. Null counts as absent, as in Go's encoding/json.
 *
 * Go ignores the case of keys and takes the last member that fits, other readers do not: keys that
 * differ only in case, or differ only in case from the one that the specification has, are
 * ambiguous.
 */
export class Fields {
  /** The members by their keys without regard to case. */
  private readonly folded = new Map<string, string>();

  private constructor(
    private readonly members: JsonObject,
    private readonly path: string,
    private readonly onAmbiguity: OnAmbiguity,
  ) {
    for (const key of members.keys()) {
      const other = this.folded.get(fold(key));
      if (other !== undefined) this.ambiguous('', `has both ${quoted(other)} and ${quoted(key)}`);
      this.folded.set(fold(key), key);
    }
  }

  /**
   * The fields of an object; `path` is its position in the document. Ambiguous keys are refused,
   * unless `onAmbiguity` handles them.
   * @throws {FieldError} if `value` is not an object.
   */
  static of(
    value: JsonValue | undefined,
    path: string,
    onAmbiguity: OnAmbiguity = refuseAmbiguity,
  ): Fields {
    if (!isJsonObject(value)) throw new FieldError(path, 'is not an object');
    return new Fields(value, path, onAmbiguity);
  }

  /** Reports that readers disagree about a member, or with an empty key about the object. */
  ambiguous(key: string, problem: string): void {
    this.onAmbiguity(
      new FieldError(key === '' ? this.path : this.at(key), problem, AMBIGUOUS_HINT),
    );
  }

  /** Whether the object has a member that is not null. */
  has(key: string): boolean {
    return this.value(key) !== undefined;
  }

  /** Whether the object has a member, null or not. */
  isMember(key: string): boolean {
    return this.members.has(key);
  }

  string(key: string): string | undefined {
    const value = this.value(key);
    if (value === undefined || typeof value === 'string') return value;
    throw this.wrong(key, 'is not a string');
  }

  requiredString(key: string): string {
    const value = this.string(key);
    if (value === undefined || value === '') throw this.wrong(key, 'is missing');
    return value;
  }

  digest(key: string): Digest {
    const value = this.requiredString(key);
    if (!isDigest(value)) throw this.wrong(key, 'is not a digest');
    return value;
  }

  /** A number of bytes: an integer from 0 to 2^53-1. */
  size(key: string): number {
    const value = this.value(key);
    const size = value instanceof JsonNumber ? value.toSize() : undefined;
    if (size === undefined) throw this.wrong(key, 'is not a valid size in bytes');
    return size;
  }

  /** An integer from 0 to 2^53-1. */
  integer(key: string): number | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    const integer = value instanceof JsonNumber ? value.toSize() : undefined;
    if (integer === undefined) throw this.wrong(key, 'is not an integer');
    return integer;
  }

  strings(key: string): string[] | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
      throw this.wrong(key, 'is not a list of strings');
    }
    return value;
  }

  stringMap(key: string): Map<string, string> | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (!isJsonObject(value)) throw this.wrong(key, 'is not an object');
    for (const [name, item] of value) {
      if (typeof item !== 'string')
        throw this.wrong(`${key}[${JSON.stringify(name)}]`, 'is not a string');
    }
    return new Map(value as ReadonlyMap<string, string>);
  }

  /** A member that is an object itself. */
  fields(key: string): Fields | undefined {
    const value = this.value(key);
    return value === undefined ? undefined : Fields.of(value, this.at(key), this.onAmbiguity);
  }

  /** A member that is a list of objects. */
  list(key: string): Fields[] | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) throw this.wrong(key, 'is not a list');
    return (value as JsonValue[]).map((item, i) =>
      Fields.of(item, `${this.at(key)}[${i}]`, this.onAmbiguity),
    );
  }

  /** The error about a member. */
  wrong(key: string, problem: string, hint?: string): FieldError {
    return new FieldError(this.at(key), problem, hint);
  }

  private value(key: string): JsonValue | undefined {
    const value = this.members.get(key);
    if (value !== undefined) return value ?? undefined;
    const other = this.folded.get(fold(key));
    if (other !== undefined && other !== key) {
      this.ambiguous(other, `is not spelled ${quoted(key)}: some tools ignore it, others do not`);
    }
    return undefined;
  }

  private at(key: string): string {
    return this.path === '' ? key : `${this.path}.${key}`;
  }
}

/** The key as Go compares it (encoding/json, foldName): with `ſ` for s and the Kelvin sign for k. */
function fold(key: string): string {
  return key.toUpperCase().toLowerCase();
}

function quoted(key: string): string {
  return JSON.stringify(key);
}

/**
 * `{ key: value }`, or nothing if the value is undefined: an optional property is absent, never
 * undefined.
 */
export function present<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]: V });
}
