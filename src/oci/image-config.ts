import { MAX_DOCUMENT_SIZE, type ImageManifest } from './documents.js';
import { FieldError, Fields } from './json/fields.js';
import { isJsonObject, parseJsonBytes, type JsonObject } from './json/parse.js';
import { DOCKER_CONFIG, isImageLayerType, OCI_CONFIG } from './media-types.js';
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

const CONFIG_TYPES: ReadonlySet<string> = new Set([DOCKER_CONFIG, OCI_CONFIG]);

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
  if (artifactType || !(CONFIG_TYPES.has(mediaType) || EARLY_CONFIG_TYPES.has(mediaType)))
    return true;
  return layers.length > 0 && !layers.some((layer) => isImageLayerType(layer.mediaType));
}

/**
 * Whether the config of a manifest is read as an image config. The media type decides, not the
 * content: an artifact may have content of any size and kind in its place.
 */
export function hasImageConfig(manifest: ImageManifest): boolean {
  if (!isArtifact(manifest)) return true;
  const { mediaType, size } = manifest.config;
  return CONFIG_TYPES.has(mediaType) && size <= MAX_DOCUMENT_SIZE;
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
 * Reads an image config.
 * @throws {SyntaxError | FieldError} if the bytes are not one.
 */
export function parseConfig(bytes: Uint8Array): ImageConfig {
  const json = parseJsonBytes(bytes);
  if (!isJsonObject(json)) throw new FieldError('', 'is not an object');
  const platform = readPlatform(Fields.of(json, ''));
  return { platform: isEmptyPlatform(platform) ? undefined : platform, json };
}
