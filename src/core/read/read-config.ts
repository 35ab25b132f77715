import { ManifestToolError, reasonOf } from '../../errors.js';
import type { ImageReader } from '../../oci/content.js';
import type { ImageManifest } from '../../oci/documents.js';
import { faultHint } from '../../oci/json/fields.js';
import { configOf, hasImageConfig, type ImageConfig } from '../../oci/image-config.js';

/** A config with its exact bytes: `JSON.parse` reads all of it. */
export interface FetchedConfig extends ImageConfig {
  /** As they are stored. */
  readonly bytes: Uint8Array;
}

/**
 * Reads the config of an image; undefined for an artifact without one. `name` is that of the image,
 * for errors.
 * @throws {ManifestToolError} NOT_FOUND if it does not exist, CORRUPT if it is not a config or an
 * ambiguous one; what the reader throws.
 */
export async function readConfig(
  reader: Pick<ImageReader, 'getBlob'>,
  manifest: ImageManifest,
  name: string,
): Promise<FetchedConfig | undefined> {
  if (!hasImageConfig(manifest)) return undefined;
  const bytes = await reader.getBlob(manifest.config);
  try {
    const config = configOf(manifest, bytes);
    return config && { ...config, bytes };
  } catch (error) {
    const what = `reading the config of ${name}`;
    const hint = faultHint(error);
    const advice = hint === undefined ? ({ reason: 'not-an-image' } as const) : { hint };
    throw new ManifestToolError('CORRUPT', what, reasonOf(error), { cause: error, ...advice });
  }
}
