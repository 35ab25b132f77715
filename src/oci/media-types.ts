/** Media types of the documents that this program reads and writes. */
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_MANIFEST_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';

/** What a read of a manifest asks for, always all of it: a registry may otherwise answer with one child of a list. */
export const MANIFEST_ACCEPT = [OCI_INDEX, DOCKER_MANIFEST_LIST, OCI_MANIFEST, DOCKER_MANIFEST];

/** Whether the type names a list of manifests: a Docker manifest list or an OCI index. */
export function isIndexType(mediaType: string): boolean {
  return mediaType === OCI_INDEX || mediaType === DOCKER_MANIFEST_LIST;
}

/** Whether the type names the manifest of one image. */
export function isManifestType(mediaType: string): boolean {
  return mediaType === OCI_MANIFEST || mediaType === DOCKER_MANIFEST;
}

/** Whether a layer is fetched from elsewhere and must not be mounted or uploaded (OCI image-spec, layer.md, Non-Distributable Layers). */
export function isForeignLayerType(mediaType: string): boolean {
  return mediaType.includes('foreign') || mediaType.includes('nondistributable');
}
