import { ManifestToolError, reasonOf } from '../../errors.js';
import type { ImageReader } from '../../oci/content.js';
import { parseConfig, type ImageConfig, type ImageManifest } from '../../oci/documents.js';

/** A configuration with its exact bytes: `JSON.parse` reads all that is in it. */
export interface FetchedConfig extends ImageConfig {
  /** As they are in the registry. */
  readonly bytes: Uint8Array;
}

/** Artifacts have manifests as images have, with anything in the place of a configuration. */
const ARTIFACT_HINT =
  'it may be an artifact of another kind and no image: inspect --format raw shows its manifest';

/**
 * The configuration of an image; `name` is that of the image, for messages.
 * @throws {ManifestToolError} NOT_FOUND where it is not there, CORRUPT where it cannot be read.
 */
export async function readConfig(
  reader: ImageReader,
  { config }: ImageManifest,
  name: string,
): Promise<FetchedConfig> {
  const bytes = await reader.getBlob(config);
  try {
    return { ...parseConfig(bytes), bytes };
  } catch (error) {
    throw new ManifestToolError(
      'CORRUPT',
      `reading the configuration of ${name}`,
      reasonOf(error),
      { cause: error, hint: ARTIFACT_HINT },
    );
  }
}
