import { readDescriptor, type Annotations, type Descriptor } from './descriptor.js';
import { FieldError, Fields, present } from './json/fields.js';
import { AMBIGUOUS_HINT, parseJsonBytes } from './json/parse.js';
import { MAX_INDEX_ENTRIES } from './limits.js';
import { isIndexType, isManifestType, OCI_INDEX, OCI_MANIFEST } from './media-types.js';

/**
 * The manifest of one image: OCI image-spec, manifest.md, or Docker image manifest version 2 schema
 * 2.
 */
export interface ImageManifest {
  /** Distinguishes it from an index. */
  readonly kind: 'manifest';
  /** 2 in all current manifests. */
  readonly schemaVersion: number;
  /** Its own, if it has one. */
  readonly mediaType?: string;
  /** Of an artifact. */
  readonly artifactType?: string;
  /** The image config (OCI image-spec, config.md), or what an artifact has in its place. */
  readonly config: Descriptor;
  /** From the lowest to the highest. */
  readonly layers?: readonly Descriptor[];
  /** The manifest that it refers to (OCI image-spec, manifest.md, `subject`). */
  readonly subject?: Descriptor;
  /** Its own. */
  readonly annotations?: Annotations;
}

/** An index of manifests: OCI image-spec, image-index.md, or Docker manifest list. */
export interface ImageIndex {
  /** Distinguishes it from the manifest of one image. */
  readonly kind: 'index';
  /** 2 in all current indexes. */
  readonly schemaVersion: number;
  /** Its own, if it has one. */
  readonly mediaType?: string;
  /** Of an artifact. */
  readonly artifactType?: string;
  /** Its entries, in their order. */
  readonly manifests: readonly Descriptor[];
  /** The manifest that it refers to. */
  readonly subject?: Descriptor;
  /** Its own. */
  readonly annotations?: Annotations;
}

/** The content of a manifest; `kind` distinguishes the two. */
export type ImageDocument = ImageManifest | ImageIndex;

/** What to do about undamaged content that is neither a manifest nor an index. */
export const NO_IMAGE_HINT = 'check that the reference is to an image or an index';

/** A manifest or an index as it was read. */
export interface ParsedDocument {
  /** Its own, or else that with which it was served, or else that of its form. */
  readonly mediaType: string;
  readonly document: ImageDocument;
}

/**
 * A document that two readers could take differently, so that a check of one says nothing about
 * what the other uses (CVE-2021-41190; GHSA-mc8v-mgrf-8f4m).
 */
export class AmbiguousDocument extends FieldError {
  constructor(
    /** What readers disagree about, each with its place. */
    readonly faults: readonly string[],
    /** As Go reads it, as far as possible. */
    readonly parsed: ParsedDocument,
    /** What was read. */
    readonly bytes: Uint8Array,
  ) {
    super('', `is ambiguous: ${faults[0]!}`, AMBIGUOUS_HINT);
  }
}

/**
 * Reads a manifest or an index. Its own `mediaType` must agree with the content type it was served
 * with, and it must not be possible to read it as either (OCI image-spec, image-index.md,
 * `mediaType`).
 * @throws {AmbiguousDocument} if two readers could take it differently.
 * @throws {SyntaxError | FieldError} if the bytes are neither.
 */
export function parseDocument(bytes: Uint8Array, contentType: string | undefined): ParsedDocument {
  const faults = new Set<string>();
  const onAmbiguity = ({ message }: Error): void => void faults.add(message);
  const fields = Fields.of(parseJsonBytes(bytes, onAmbiguity), '', onAmbiguity);
  const parsed = readDocument(fields, contentType);
  if (faults.size > 0) throw new AmbiguousDocument([...faults], parsed, bytes);
  return parsed;
}

function readDocument(fields: Fields, contentType: string | undefined): ParsedDocument {
  const isImage = fields.has('layers') || fields.has('config');
  // Without entries it may be an index all the same: Go writes an empty list as null.
  const isIndex = fields.has('manifests') || (fields.isMember('manifests') && !isImage);
  const isBoth = isIndex && isImage;
  if (isIndex && (isImage || fields.has('fsLayers')))
    fields.ambiguous('', 'has both "manifests" and "config" or "layers"');
  if (fields.integer('schemaVersion') === 1 || (!isIndex && fields.isMember('fsLayers'))) {
    throw new FieldError(
      '',
      'is a Docker manifest of schema version 1, which is not supported',
      'convert the image, for example with skopeo copy --format v2s2',
    );
  }
  const mediaType = documentType(fields, contentType, isIndex);
  if (isIndexType(mediaType)) {
    if (isImage && !isBoth)
      throw new FieldError('', `is of type ${mediaType} but looks like an image`);
    return { mediaType, document: readIndex(fields) };
  }
  if (isManifestType(mediaType)) {
    if (isIndex && !isBoth)
      throw new FieldError('', `is of type ${mediaType} but looks like an index`);
    return { mediaType, document: readManifest(fields) };
  }
  throw new FieldError(
    'mediaType',
    `${JSON.stringify(mediaType)} is neither an image nor an index`,
    'use an image or an index: other content is not supported here',
  );
}

/**
 * The type that a document gives itself, or else the content type if it is known, or else the form.
 */
function documentType(fields: Fields, contentType: string | undefined, isIndex: boolean): string {
  const served = contentType?.split(';')[0]!.trim();
  const isKnown = served !== undefined && (isIndexType(served) || isManifestType(served));
  const own = fields.string('mediaType');
  if (own !== undefined && own !== '') {
    if (isKnown && served !== own)
      fields.ambiguous('mediaType', `is ${own} but it was served as ${served}`);
    return own;
  }
  if (isKnown) return served;
  return isIndex ? OCI_INDEX : OCI_MANIFEST;
}

function readIndex(fields: Fields): ImageIndex {
  const entries = fields.list('manifests') ?? [];
  if (entries.length > MAX_INDEX_ENTRIES) {
    throw fields.wrong(
      'manifests',
      `has ${entries.length} entries, more than ${MAX_INDEX_ENTRIES}`,
      'divide it into several indexes',
    );
  }
  return { kind: 'index', ...commonMembers(fields), manifests: entries.map(readDescriptor) };
}

function readManifest(fields: Fields): ImageManifest {
  const config = fields.fields('config');
  if (config === undefined) throw fields.wrong('config', 'is missing');
  return {
    kind: 'manifest',
    ...commonMembers(fields),
    config: readDescriptor(config),
    ...present('layers', fields.list('layers')?.map(readDescriptor)),
  };
}

function commonMembers(fields: Fields) {
  const subject = fields.fields('subject');
  return {
    schemaVersion: fields.integer('schemaVersion') ?? 0,
    ...present('mediaType', fields.string('mediaType')),
    ...present('artifactType', fields.string('artifactType')),
    ...present('subject', subject && readDescriptor(subject)),
    ...present('annotations', fields.stringMap('annotations')),
  };
}
