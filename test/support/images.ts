import { openLayout } from '../../src/layout/layout.js';
import type { ManifestContent } from '../../src/oci/content.js';
import { digestOf } from '../../src/oci/digest.js';
import { formatReference, type Reference } from '../../src/oci/reference.js';
import { putBlob, putManifest } from './http.js';

/** A platform as the configuration of an image has it. */
export type ImagePlatform = Readonly<Record<string, unknown>> & {
  readonly os: string;
  readonly architecture: string;
};

const TYPES = {
  docker: {
    manifest: 'application/vnd.docker.distribution.manifest.v2+json',
    config: 'application/vnd.docker.container.image.v1+json',
  },
  oci: {
    manifest: 'application/vnd.oci.image.manifest.v1+json',
    config: 'application/vnd.oci.image.config.v1+json',
  },
} as const;

/** Puts an image without layers where the reference says: in a registry that speaks plain HTTP, or in a layout. */
export async function imageFor(
  reference: Reference,
  platform: ImagePlatform,
  kind: keyof typeof TYPES,
): Promise<void> {
  // Another digest for each reference, as builds have it.
  const author = formatReference(reference);
  const config = bytesOf({ ...platform, author, rootfs: { type: 'layers', diff_ids: [] } });
  const types = TYPES[kind];
  const manifest = bytesOf({
    schemaVersion: 2,
    mediaType: types.manifest,
    config: { mediaType: types.config, digest: digestOf(config), size: config.length },
    layers: [],
  });
  const { tag = 'latest' } = reference;
  if (reference.kind === 'registry') {
    await putBlob(reference.host, reference.repository, config);
    await putManifest(reference.host, reference.repository, tag, types.manifest, manifest);
    return;
  }
  const layout = openLayout(reference.path);
  await layout.putChild(contentOf(types.config, config));
  await layout.publish(contentOf(types.manifest, manifest), [tag], () => {});
}

function contentOf(mediaType: string, bytes: Buffer): ManifestContent {
  return { mediaType, digest: digestOf(bytes), size: bytes.length, bytes };
}

function bytesOf(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
