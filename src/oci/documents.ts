import type { Digest } from './digest.js';
import { FieldError, Fields } from './json/fields.js';
import { isJsonObject, parseJson, type JsonObject } from './json/parse.js';
import { isIndexType, isManifestType, OCI_INDEX, OCI_MANIFEST } from './media-types.js';
import type { Platform } from './platform.js';

/** Annotations in the order of the document. */
export type Annotations = ReadonlyMap<string, string>;

/** What names a manifest or a blob (OCI image-spec, descriptor.md). */
export interface Descriptor {
  /** Of what is named. */
  readonly mediaType: string;
  /** Of what is named. */
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  /** Where it may be fetched from as well: foreign layers have them. */
  readonly urls?: readonly string[];
  /** Of this entry, and not of what is named. */
  readonly annotations?: Annotations;
  /** The content itself, in base64. */
  readonly data?: string;
  /** What an entry of a list runs on. */
  readonly platform?: Platform;
  /** The kind of an artifact that is no image. */
  readonly artifactType?: string;
}

/** One image: OCI image-spec, manifest.md, or Docker image manifest version 2 schema 2. */
export interface ImageManifest {
  /** Tells it from a list. */
  readonly kind: 'manifest';
  /** 2 in what is written today. */
  readonly schemaVersion: number;
  /** Its own, where it says one. */
  readonly mediaType?: string;
  /** The kind of an artifact that is no image. */
  readonly artifactType?: string;
  /** Its configuration (OCI image-spec, config.md). */
  readonly config: Descriptor;
  /** From the lowest to the highest. */
  readonly layers?: readonly Descriptor[];
  /** The manifest that it refers to (OCI image-spec, manifest.md, `subject`). */
  readonly subject?: Descriptor;
  /** Its own. */
  readonly annotations?: Annotations;
}

/** Several images: OCI image-spec, image-index.md, or Docker manifest list. */
export interface ImageIndex {
  /** Tells it from an image. */
  readonly kind: 'index';
  /** 2 in what is written today. */
  readonly schemaVersion: number;
  /** Its own, where it says one. */
  readonly mediaType?: string;
  /** The kind of an artifact that is no list of images. */
  readonly artifactType?: string;
  /** Its entries, in their order. */
  readonly manifests: readonly Descriptor[];
  /** The manifest that it refers to. */
  readonly subject?: Descriptor;
  /** Its own. */
  readonly annotations?: Annotations;
}

/** What a manifest is; `kind` tells the two apart. */
export type ImageDocument = ImageManifest | ImageIndex;

/** Entries that an index may have: more is neither read nor written. */
export const MAX_INDEX_ENTRIES = 1000;

/** What is read of a manifest, an index or a config, and what is written of an index, in bytes. */
export const MAX_DOCUMENT_SIZE = 4 * 1024 * 1024;

/** Where the bytes are whole, and no such document, it is the name that is wrong. */
export const NO_IMAGE_HINT = 'check that the name is that of an image or a list of images';

/**
 * Reads a manifest or an index. The type on the wire and `mediaType` inside must agree, and a document that is both is refused
 * (CVE-2021-41190; OCI image-spec, image-index.md, `mediaType`).
 * @throws {SyntaxError | FieldError} where the bytes are no such document.
 */
export function parseDocument(
  bytes: Uint8Array,
  wireType: string | undefined,
): { mediaType: string; document: ImageDocument } {
  const json = parseJson(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'),
  );
  const fields = Fields.of(json, '');
  const members = json as JsonObject;
  const isIndex = fields.has('manifests');
  const isImage = fields.has('layers') || fields.has('config');
  if (isIndex && (isImage || fields.has('fsLayers'))) {
    throw new FieldError('', 'has both "manifests" and "config" or "layers": it is ambiguous');
  }
  if (fields.integer('schemaVersion') === 1 || members.has('fsLayers')) {
    throw new FieldError(
      '',
      'is a Docker manifest of schema version 1, which is too old for a list',
      'convert the image, for example with skopeo copy --format v2s2',
    );
  }
  const mediaType = documentType(fields, wireType, isIndex);
  if (isIndexType(mediaType)) {
    if (isImage) throw new FieldError('', `is of type ${mediaType} but has the shape of an image`);
    return { mediaType, document: parseIndex(fields) };
  }
  if (isManifestType(mediaType)) {
    if (isIndex) throw new FieldError('', `is of type ${mediaType} but has the shape of an index`);
    return { mediaType, document: parseManifest(fields) };
  }
  throw new FieldError(
    'mediaType',
    `${JSON.stringify(mediaType)} is neither an image nor a list of images`,
    'name an image or a list: other kinds of content cannot be read here',
  );
}

/** The type of a document: its own word first, then the wire's where that is a known one, then its shape. */
function documentType(fields: Fields, wireType: string | undefined, isIndex: boolean): string {
  const wire = wireType?.split(';')[0]!.trim();
  const wireIsKnown = wire !== undefined && (isIndexType(wire) || isManifestType(wire));
  const own = fields.text('mediaType');
  if (own !== undefined && own !== '') {
    if (wireIsKnown && wire !== own)
      throw fields.wrong('mediaType', `is ${own} but it was served as ${wire}`);
    return own;
  }
  if (wireIsKnown) return wire;
  return isIndex ? OCI_INDEX : OCI_MANIFEST;
}

function parseIndex(fields: Fields): ImageIndex {
  const entries = fields.list('manifests') ?? [];
  if (entries.length > MAX_INDEX_ENTRIES) {
    throw fields.wrong(
      'manifests',
      `has ${entries.length} entries, more than ${MAX_INDEX_ENTRIES}`,
      'make several lists of them',
    );
  }
  return {
    kind: 'index',
    ...common(fields),
    manifests: entries.map(parseDescriptor),
  };
}

function parseManifest(fields: Fields): ImageManifest {
  const config = fields.fields('config');
  if (config === undefined) throw fields.wrong('config', 'is missing');
  return {
    kind: 'manifest',
    ...common(fields),
    config: parseDescriptor(config),
    ...present('layers', fields.list('layers')?.map(parseDescriptor)),
  };
}

function common(fields: Fields) {
  const subject = fields.fields('subject');
  return {
    schemaVersion: fields.integer('schemaVersion') ?? 0,
    ...present('mediaType', fields.text('mediaType')),
    ...present('artifactType', fields.text('artifactType')),
    ...present('subject', subject === undefined ? undefined : parseDescriptor(subject)),
    ...present('annotations', fields.textMap('annotations')),
  };
}

function parseDescriptor(fields: Fields): Descriptor {
  const platform = fields.fields('platform');
  return {
    mediaType: fields.requiredText('mediaType'),
    digest: fields.digest('digest'),
    size: fields.size('size'),
    ...present('urls', fields.texts('urls')),
    ...present('annotations', fields.textMap('annotations')),
    ...present('data', fields.text('data')),
    ...present('platform', platform === undefined ? undefined : parsePlatformFields(platform)),
    ...present('artifactType', fields.text('artifactType')),
  };
}

/** Reads a platform as descriptors and image configs have it; absent and empty members are the same. */
function parsePlatformFields(fields: Fields): Platform {
  const osFeatures = fields.texts('os.features');
  return {
    architecture: fields.text('architecture') ?? '',
    os: fields.text('os') ?? '',
    ...present('osVersion', fields.text('os.version') || undefined),
    ...present('osFeatures', osFeatures?.length ? osFeatures : undefined),
    ...present('variant', fields.text('variant') || undefined),
  };
}

/** The configuration of an image, as far as this program reads it (OCI image-spec, config.md). */
export interface ImageConfig {
  /** What the image says it runs on. */
  readonly platform: Platform;
  /**
   * The whole document.
   * @internal
   */
  readonly json: JsonObject;
}

/**
 * Reads an image configuration.
 * @throws {SyntaxError | FieldError} where the bytes are no such document.
 */
export function parseConfig(bytes: Uint8Array): ImageConfig {
  const json = parseJson(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'),
  );
  if (!isJsonObject(json)) throw new FieldError('', 'is not an object');
  return { platform: parsePlatformFields(Fields.of(json, '')), json };
}

/** `{ key: value }`, or nothing where the value is undefined: an optional property is absent, never undefined. */
function present<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]: V });
}
