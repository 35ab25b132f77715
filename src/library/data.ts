import type { Digest } from '../oci/digest.js';
import type { Platform } from '../oci/platform.js';

/** Annotations by key (OCI image-spec, annotations.md). */
export type Annotations = Readonly<Record<string, string>>;

/** What identifies content, and its size. */
export interface ContentDescriptor {
  /** Of the content. */
  readonly mediaType: string;
  /** Of the content. */
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

/** A reference to a manifest or a blob by its content (OCI image-spec, descriptor.md). */
export interface Descriptor extends ContentDescriptor {
  /** Other places to download the content from; foreign layers have them. */
  readonly urls?: readonly string[];
  /** Of the descriptor, not of the content. */
  readonly annotations?: Annotations;
  /** The content itself, in base64. */
  readonly data?: string;
  /** Of an entry of an index. */
  readonly platform?: Platform;
  /** Of an artifact. */
  readonly artifactType?: string;
}

/** A value of JSON. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** Type, digest and size alone. */
export function contentDescriptor({
  mediaType,
  digest,
  size,
}: ContentDescriptor): ContentDescriptor {
  return { mediaType, digest, size };
}

/** What {@link plain} makes of a type. */
export type Plain<T> = T extends string | number | boolean | null
  ? T
  : T extends ReadonlyMap<string, infer V>
    ? Readonly<Record<string, Plain<V>>>
    : T extends readonly (infer I)[]
      ? readonly Plain<I>[]
      : PlainMembers<T>;

/** Members that may be undefined become members that may be absent. */
type PlainMembers<T> = {
  readonly [K in keyof T as undefined extends T[K] ? never : K]: Plain<T[K]>;
} & {
  readonly [K in keyof T as undefined extends T[K] ? K : never]?: Plain<Exclude<T[K], undefined>>;
};

/** The same value as data that survives JSON: maps as records, nothing that is undefined. */
export function plain<T>(value: T): Plain<T> {
  return plainValue(value) as Plain<T>;
}

function plainValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(plainValue);
  const members = value instanceof Map ? [...value] : Object.entries(value);
  return Object.fromEntries(
    members.flatMap(([key, member]: [string, unknown]) =>
      member === undefined ? [] : [[key, plainValue(member)]],
    ),
  );
}
