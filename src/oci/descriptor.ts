import { matchesDigest, type Digest } from './digest.js';
import { present, type Fields } from './json/fields.js';
import { readPlatform, type Platform } from './platform.js';

/** Annotations in the order of the document (OCI image-spec, annotations.md). */
export type Annotations = ReadonlyMap<string, string>;

/** A reference to a manifest or a blob by its content (OCI image-spec, descriptor.md). */
export interface Descriptor {
  /** Of the content. */
  readonly mediaType: string;
  /** Of the content. */
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  /** Other places to download the content from; foreign layers have them. */
  readonly urls?: readonly string[];
  /** Of the descriptor, not of the content. */
  readonly annotations?: Annotations;
  /** The content itself, in base64. */
  readonly data?: string;
  /** What the image of an index entry runs on. */
  readonly platform?: Platform;
  /** Of an artifact. */
  readonly artifactType?: string;
}

/** The descriptor of content, without anything that only an index says about it. */
export function descriptorOf({
  mediaType,
  digest,
  size,
}: Pick<Descriptor, 'mediaType' | 'digest' | 'size'>): Descriptor {
  return { mediaType, digest, size };
}

/**
 * Reads a descriptor. Embedded content that is not what the digest says is ambiguous: readers may
 * use either (OCI image-spec, descriptor.md, Embedded Content).
 * @throws {FieldError} if a member is missing or of the wrong form.
 */
export function readDescriptor(fields: Fields): Descriptor {
  const platform = fields.fields('platform');
  const descriptor = {
    mediaType: fields.requiredString('mediaType'),
    digest: fields.digest('digest'),
    size: fields.size('size'),
    ...present('urls', fields.strings('urls')),
    ...present('annotations', fields.stringMap('annotations')),
    ...present('data', fields.string('data')),
    ...present('platform', platform && readPlatform(platform)),
    ...present('artifactType', fields.string('artifactType')),
  };
  if (descriptor.data) checkData(fields, descriptor, descriptor.data);
  return descriptor;
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function checkData(fields: Fields, { digest, size }: Descriptor, data: string): void {
  // Go ignores line breaks.
  const text = data.replace(/[\r\n]/g, '');
  if (!BASE64.test(text)) return fields.ambiguous('data', 'is not base64');
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== size || !matchesDigest(bytes, digest))
    fields.ambiguous('data', `is not the content with the digest ${digest}`);
}
