import type { ManifestContent } from '../content.js';
import { digestOf } from '../digest.js';
import type { Annotations, Descriptor } from '../descriptor.js';
import { goMarshalIndent, Members } from './go-marshal.js';
import { annotations, dockerDescriptor, ociDescriptor } from './go-structs.js';
import { DOCKER_MANIFEST_LIST, OCI_INDEX } from '../media-types.js';

/** A Docker manifest list, or an OCI index. */
export type IndexType = 'docker' | 'oci';

/**
 * Encodes an index to the bytes that manifest-tool v2 writes: the same entries always have the same
 * digest.
 */
export function encodeIndex(
  type: IndexType,
  entries: readonly Descriptor[],
  indexAnnotations: Annotations,
  artifactType?: string,
): ManifestContent {
  const mediaType = type === 'docker' ? DOCKER_MANIFEST_LIST : OCI_INDEX;
  const text = goMarshalIndent(
    new Members([
      ['schemaVersion', 2],
      ['mediaType', mediaType],
      ['artifactType', type === 'oci' ? artifactType : undefined],
      ['manifests', entries.map(type === 'docker' ? dockerDescriptor : ociDescriptor)],
      // A Docker manifest list has neither; core/publish refuses a request for one with them.
      ['annotations', type === 'oci' ? annotations(indexAnnotations) : undefined],
    ]),
    '  ',
  );
  const bytes = Buffer.from(text);
  return { mediaType, digest: digestOf(bytes), size: bytes.length, bytes };
}
