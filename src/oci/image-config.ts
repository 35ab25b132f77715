import { isUtf8 } from 'node:buffer';
import type { ImageManifest } from './documents.js';
import { FieldError, Fields } from './json/fields.js';
import { isJsonObject, parseJson, refuseAmbiguity, type JsonObject } from './json/parse.js';
import { MAX_DOCUMENT_SIZE } from './limits.js';
import { isConfigType, isImageLayerType } from './media-types.js';
import { isEmptyPlatform, readPlatform, type Platform } from './platform.js';

/** The config of an image, as far as this program uses it (OCI image-spec, config.md). */
export interface ImageConfig {
  /** What the image runs on; undefined if the config names neither os nor architecture. */
  readonly platform: Platform | undefined;
  /**
   * The complete document.
   * @internal
   */
  readonly json: JsonObject;
}

/** What Docker 1.10 wrote instead (github.com/distribution/distribution/issues/1621). */
const EARLY_CONFIG_TYPES: ReadonlySet<string> = new Set([
  'application/json',
  'application/octet-stream',
]);

/**
 * Whether a manifest is an artifact and not an image: it has an artifact type, its config is not an
 * image config, or none of its layers is an image layer, as in cosign's signatures (OCI image-spec,
 * manifest.md, Guidelines for Artifact Usage).
 */
export function isArtifact({ artifactType, config, layers = [] }: ImageManifest): boolean {
  const { mediaType } = config;
  if (artifactType || !(isConfigType(mediaType) || EARLY_CONFIG_TYPES.has(mediaType))) return true;
  return layers.length > 0 && !layers.some((layer) => isImageLayerType(layer.mediaType));
}

/**
 * Whether the config of a manifest is read as an image config. The media type decides, not the
 * content: an artifact may have content of any size and kind in its place.
 */
export function hasImageConfig(manifest: ImageManifest): boolean {
  if (!isArtifact(manifest)) return true;
  const { mediaType, size } = manifest.config;
  return isConfigType(mediaType) && size <= MAX_DOCUMENT_SIZE;
}

/**
 * Reads the bytes of the config of a manifest, if {@link hasImageConfig}; undefined for an artifact
 * with something else under the type of an image config.
 * @throws {SyntaxError | FieldError} if the bytes of an image are not a config.
 */
export function configOf(manifest: ImageManifest, bytes: Uint8Array): ImageConfig | undefined {
  try {
    return parseConfig(bytes);
  } catch (error) {
    if (isArtifact(manifest)) return undefined;
    throw error;
  }
}

/**
 * Reads an image config. Bytes that are not UTF-8 are allowed in what the program does not use.
 * @throws {SyntaxError | FieldError} if the bytes are not one, or two readers could take it
 * differently.
 */
export function parseConfig(bytes: Uint8Array): ImageConfig {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  const json = parseJson(text, refuseAmbiguity);
  if (!isJsonObject(json)) throw new FieldError('', 'is not an object');
  const fields = Fields.of(json, '');
  const platform = readPlatform(fields);
  // Readers have to agree on what runs as well, although this program does not use it.
  for (const key of ['config', 'rootfs']) if (isJsonObject(json.get(key))) fields.fields(key);
  // The platform is copied into indexes, which must not contain replacement characters.
  if (!isUtf8(bytes) && Object.values(platform).join('').includes(REPLACEMENT))
    throw new FieldError('', 'has a platform that is not UTF-8');
  return { platform: isEmptyPlatform(platform) ? undefined : platform, json };
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
