import { isUtf8 } from 'node:buffer';
import { FieldError, Fields } from './json/fields.js';
import { isJsonObject, parseJson, refuseAmbiguity, type JsonObject } from './json/parse.js';
import { readPlatform, type Platform } from './platform.js';

/** The config of an image, as far as this program uses it (OCI image-spec, config.md). */
export interface ImageConfig {
  /** What the image runs on. */
  readonly platform: Platform;
  /**
   * The complete document.
   * @internal
   */
  readonly json: JsonObject;
}

/**
 * Reads an image config. Bytes that are not UTF-8 are allowed in what the program does not use.
 * @throws {SyntaxError | FieldError} if the bytes are not one, or two readers could take the
 * platform differently.
 */
export function parseConfig(bytes: Uint8Array): ImageConfig {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  const json = parseJson(text, refuseAmbiguity);
  if (!isJsonObject(json)) throw new FieldError('', 'is not an object');
  const platform = readPlatform(Fields.of(json, ''));
  // The platform is written into indexes, where nothing may be replaced.
  if (!isUtf8(bytes) && Object.values(platform).join('').includes(REPLACEMENT))
    throw new FieldError('', 'has a platform that is not UTF-8');
  return { platform, json };
}

/** What decoding puts in place of bytes that are not UTF-8. */
const REPLACEMENT = '\ufffd';

/** The number of layers that a config announces (`rootfs.diff_ids`); undefined if it does not. */
export function announcedLayers({ json }: ImageConfig): number | undefined {
  const rootfs = json.get('rootfs');
  const ids = isJsonObject(rootfs) ? rootfs.get('diff_ids') : undefined;
  return Array.isArray(ids) ? ids.length : undefined;
}

/**
 * The labels of an image (OCI image-spec, config.md, `config.Labels`).
 * @throws {FieldError} if they are not a map of strings.
 */
export function labelsOf({ json }: ImageConfig): ReadonlyMap<string, string> {
  return Fields.of(json, '').fields('config')?.stringMap('Labels') ?? new Map<string, string>();
}
