import type { FetchedManifest, ImageReader, ManifestContent } from '../../oci/content.js';
import type { ResolvedImage } from './resolved.js';

/** What is published: the manifest that tags will name, and all that it names, each after what it names itself. */
export interface Content {
  readonly list: ManifestContent;
  readonly images: readonly ResolvedImage[];
}

/** Told of each manifest as soon as it is known, so that work on its blobs need not wait for the rest. */
export type OnManifest = (manifest: FetchedManifest, source: ImageReader) => void;
