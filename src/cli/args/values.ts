import { parseDuration } from '../../duration.js';
import { ManifestToolError } from '../../errors.js';
import { suggestion } from '../../text.js';
import {
  OPTIONS,
  placeholder,
  type Definitions,
  type OptionDefinition,
  type OptionName,
} from './options.js';

/** `dry-run` as a member of an object: `dryRun`. */
type CamelCase<S extends string> = S extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S;

/** All hosts, or the hosts of this list; a host is `host[:port]`. */
export type Hosts = true | readonly string[];

interface ValueOfKind {
  readonly switch: boolean;
  readonly hosts: Hosts;
  readonly string: string | undefined;
  readonly integer: number | undefined;
  /** In milliseconds. */
  readonly duration: number | undefined;
  readonly list: readonly string[];
  readonly strings: readonly string[];
}

type ValueOf<D extends OptionDefinition> = D extends {
  readonly kind: 'checks';
  readonly values: readonly (infer V)[];
}
  ? readonly V[] | undefined
  : D extends {
        readonly kind: 'choice';
        readonly values: readonly (infer V)[];
      }
    ? V | undefined
    : D extends { readonly kind: infer K extends keyof ValueOfKind }
      ? ValueOfKind[K]
      : never;

/** The values of some options, by their names in camel case. */
export type Options<N extends OptionName> = {
  readonly [K in N as CamelCase<K>]: ValueOf<Definitions[K]>;
};

/** The same with a value for each: for options that a command requires. */
export type RequiredOptions<N extends OptionName> = {
  readonly [K in N as CamelCase<K>]: NonNullable<ValueOf<Definitions[K]>>;
};

/** Values as they were typed, by the long names of their options; a switch has none. */
export type TypedOptions = ReadonlyMap<OptionName, readonly string[]>;

/**
 * Reads the values of these options.
 * @throws {ManifestToolError} USAGE for a value that the option cannot have.
 */
export function readOptions<N extends OptionName>(
  names: readonly N[],
  typed: TypedOptions,
): Options<N> {
  const values = names.map((name) => [camelCase(name), readValue(name, typed.get(name))] as const);
  return Object.fromEntries(values) as Options<N>;
}

function camelCase(name: string): string {
  return name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function readValue(name: OptionName, typed: readonly string[] | undefined): unknown {
  const option: OptionDefinition = OPTIONS[name];
  const values = typed ?? [];
  const [value] = values;
  if (option.kind === 'switch') return typed !== undefined;
  if (option.kind === 'hosts') return readHosts(name, values);
  if (option.kind === 'checks') return typed && readChecks(name, values, option.values);
  if (option.kind === 'list') return values.flatMap((each) => readItems(name, each));
  if (option.kind === 'strings') return values;
  if (value === undefined || option.kind === 'string') return value;
  if (option.kind === 'choice') return readChoice(name, value, option.values);
  if (option.kind === 'integer') return readInteger(name, value, option.min);
  return readDuration(name, value);
}

/** Items between commas; blanks around an item are not part of it. */
function readItems(name: OptionName, value: string): string[] {
  const items = value.split(',').map((item) => item.trim());
  if (!items.includes('')) return items;
  throw usageError(
    `option --${name} has an empty item`,
    `separate values with commas, without spaces: --${name} ${items.filter(Boolean).join(',') || placeholder(OPTIONS[name])}`,
  );
}

function readHosts(name: OptionName, values: readonly string[]): Hosts {
  if (values.includes('')) {
    throw usageError(
      `option --${name}= has no host`,
      `write --${name}, or --${name}=localhost:5000`,
    );
  }
  return values.includes(NO_VALUE) || values;
}

/** Placeholder of the parser for an optional value that is not given. */
export const NO_VALUE = 'true';

function readChecks(
  name: OptionName,
  values: readonly string[],
  known: readonly string[],
): string[] {
  const checks = values.filter((value) => value !== NO_VALUE);
  return checks.flatMap((value) =>
    readItems(name, value).map((item) => readChoice(name, item, known)),
  );
}

function readChoice(name: OptionName, value: string, values: readonly string[]): string {
  if (values.includes(value)) return value;
  const known = `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
  const typed = JSON.stringify(value);
  if (value.includes('{{')) {
    throw usageError(
      `--${name} must be ${known}: Go templates are not supported`,
      value.includes('igest')
        ? 'to print the digest, use "manifest-tool digest REF"'
        : `give --${name} json, and select fields with jq`,
    );
  }
  throw usageError(`--${name} must be ${known}, not ${typed}${suggestion(value, values)}`);
}

function readInteger(name: OptionName, value: string, min: number): number {
  if (/^[0-9]{1,3}$/.test(value) && Number(value) >= min) return Number(value);
  throw usageError(
    `--${name} ${JSON.stringify(value)} is not a number from ${min} to 999`,
    `for example --${name} 4`,
  );
}

function readDuration(name: OptionName, value: string): number {
  const milliseconds = parseDuration(value);
  if (milliseconds !== undefined && milliseconds > 0) return milliseconds;
  throw usageError(
    `--${name} ${JSON.stringify(value)} is not a duration`,
    `for example --${name} 500ms, 2s or 1m30s`,
  );
}

/**
 * The members that have a value: libraries tell an option that is left out from one that is
 * undefined.
 */
export function defined<T extends object>(
  members: T,
): { readonly [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** An error in the command line; without a hint it refers to the help of the command. */
export function usageError(why: string, hint?: string): ManifestToolError {
  return new ManifestToolError('USAGE', 'reading the command line', why, { hint });
}
