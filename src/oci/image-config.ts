import { FieldError, Fields } from './json/fields.js';
import { isJsonObject, parseJsonBytes, type JsonObject } from './json/parse.js';
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
 * Reads an image config.
 * @throws {SyntaxError | FieldError} if the bytes are not one.
 */
export function parseConfig(bytes: Uint8Array): ImageConfig {
  const json = parseJsonBytes(bytes);
  if (!isJsonObject(json)) throw new FieldError('', 'is not an object');
  return { platform: readPlatform(Fields.of(json, '')), json };
}

/**
 * The labels of an image (OCI image-spec, config.md, `config.Labels`).
 * @throws {FieldError} if they are not a map of strings.
 */
export function labelsOf({ json }: ImageConfig): ReadonlyMap<string, string> {
  return Fields.of(json, '').fields('config')?.stringMap('Labels') ?? new Map<string, string>();
}
