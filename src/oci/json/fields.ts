import { isDigest, type Digest } from '../digest.js';
import { isJsonObject, JsonNumber, type JsonObject, type JsonValue } from './parse.js';

/** What is wrong with a document, and where in it (`manifests[2].size`); the reader of the document says which document it was. */
export class FieldError extends Error {
  constructor(
    path: string,
    problem: string,
    /** What to try, where it is not what one tries after any damage. */
    readonly hint?: string,
  ) {
    super(`${path === '' ? 'the document' : path} ${problem}`);
  }
}

/** One object of a document, read member by member; null counts as absent, as it does in Go. */
export class Fields {
  private constructor(
    private readonly members: JsonObject,
    private readonly path: string,
  ) {}

  static of(value: JsonValue | undefined, path: string): Fields {
    if (!isJsonObject(value)) throw new FieldError(path, 'is not an object');
    return new Fields(value, path);
  }

  has(key: string): boolean {
    return this.value(key) !== undefined;
  }

  text(key: string): string | undefined {
    const value = this.value(key);
    if (value === undefined || typeof value === 'string') return value;
    throw this.wrong(key, 'is not a string');
  }

  requiredText(key: string): string {
    const value = this.text(key);
    if (value === undefined || value === '') throw this.wrong(key, 'is missing');
    return value;
  }

  digest(key: string): Digest {
    const value = this.requiredText(key);
    if (!isDigest(value)) throw this.wrong(key, 'is not a digest');
    return value;
  }

  /** A number of bytes: an integer from 0 to 2^53-1. */
  size(key: string): number {
    const value = this.value(key);
    const size = value instanceof JsonNumber ? value.toSize() : undefined;
    if (size === undefined) throw this.wrong(key, 'is not a number of bytes');
    return size;
  }

  integer(key: string): number | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    const integer = value instanceof JsonNumber ? value.toSize() : undefined;
    if (integer === undefined) throw this.wrong(key, 'is not a whole number');
    return integer;
  }

  texts(key: string): string[] | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
      throw this.wrong(key, 'is not a list of strings');
    }
    return value;
  }

  textMap(key: string): Map<string, string> | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (!isJsonObject(value)) throw this.wrong(key, 'is not an object');
    for (const [name, item] of value) {
      if (typeof item !== 'string')
        throw this.wrong(`${key}[${JSON.stringify(name)}]`, 'is not a string');
    }
    return new Map(value as ReadonlyMap<string, string>);
  }

  fields(key: string): Fields | undefined {
    const value = this.value(key);
    return value === undefined ? undefined : Fields.of(value, this.at(key));
  }

  list(key: string): Fields[] | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) throw this.wrong(key, 'is not a list');
    return (value as JsonValue[]).map((item, i) => Fields.of(item, `${this.at(key)}[${i}]`));
  }

  wrong(key: string, problem: string, hint?: string): FieldError {
    return new FieldError(this.at(key), problem, hint);
  }

  private value(key: string): JsonValue | undefined {
    return this.members.get(key) ?? undefined;
  }

  private at(key: string): string {
    return this.path === '' ? key : `${this.path}.${key}`;
  }
}
