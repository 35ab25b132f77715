import type { ManifestContent } from '../oci/content.js';
import { digestOf } from '../oci/digest.js';
import { descriptorOf, type Descriptor } from '../oci/descriptor.js';
import { encodeIndex, type IndexType } from '../oci/json/encode-index.js';
import { DOCKER_CONFIG, DOCKER_MANIFEST, OCI_CONFIG, OCI_MANIFEST } from '../oci/media-types.js';
import { DOCKER_LAYER, imageOf, jsonBlob, makeLayer, type Blob } from '../registry/test-image.js';

const STATEMENT = 'application/vnd.in-toto+json';
/** Not a known artifact type, so that nothing takes the referrer for a signature or an SBOM. */
const REFERRER = 'application/vnd.example.manifest-tool.check';

/**
 * Images that are in no index, each for one check. Distribution 2.8 may refuse an index while one
 * of its images is written again, so the images of the indexes are written once.
 */
const PURPOSES = [
  'by-digest',
  'first',
  'second',
  'several',
  'untagged',
  'deleted',
  'kept',
] as const;

/** Images of one type: two for indexes, and one for each purpose. */
export type ImagesOfType = Readonly<
  Record<'amd64' | 'arm64' | (typeof PURPOSES)[number], ManifestContent>
>;

/**
 * Everything that one run pushes. Its digests differ from those of any other run, so that no other
 * content is overwritten or deleted.
 */
export interface TestImages {
  readonly layer: Blob;
  /** All blobs, the layer among them. */
  readonly blobs: readonly Blob[];
  readonly docker: ImagesOfType;
  readonly oci: ImagesOfType;
  /** The attestation of the OCI image for linux/amd64. */
  readonly attestation: ManifestContent;
  /** A referrer of that image. */
  readonly referrer: ManifestContent;
}

/** Makes the images of a run; `id` makes their digests unique. */
export function makeImages(id: string): TestImages {
  const { layer, diffId } = makeLayer(
    'check-registry',
    `pushed by manifest-tool check-registry ${id}`,
  );
  const config = (os: string, architecture: string, purpose: string): Blob =>
    jsonBlob(OCI_CONFIG, {
      architecture,
      os,
      config: { Labels: { 'check-registry': `${id} ${purpose}` } },
      rootfs: { type: 'layers', diff_ids: [diffId] },
      history: [{ created_by: `manifest-tool check-registry ${id}` }],
    });
  const amd64 = config('linux', 'amd64', 'image');
  const arm64 = config('linux', 'arm64', 'image');
  const others = PURPOSES.map((purpose) => [purpose, config('linux', 'amd64', purpose)] as const);
  const configs = [['amd64', amd64] as const, ['arm64', arm64] as const, ...others];
  const ofType = (make: (config: Blob) => ManifestContent): ImagesOfType =>
    Object.fromEntries(configs.map(([name, each]) => [name, make(each)])) as ImagesOfType;
  const docker = ofType((each) =>
    imageOf(DOCKER_MANIFEST, as(DOCKER_CONFIG, each), as(DOCKER_LAYER, layer)),
  );
  const oci = ofType((each) => imageOf(OCI_MANIFEST, each, layer));

  const unknown = config('unknown', 'unknown', 'attestation');
  const statement = jsonBlob(STATEMENT, {
    _type: 'https://in-toto.io/Statement/v0.1',
    predicateType: 'https://slsa.dev/provenance/v0.2',
    subject: [{ name: id, digest: { sha256: oci.amd64.digest.slice('sha256:'.length) } }],
    predicate: { builder: { id: 'manifest-tool check-registry' } },
  });
  return {
    layer,
    blobs: [layer, ...configs.map(([, each]) => each), unknown, statement],
    docker,
    oci,
    attestation: imageOf(OCI_MANIFEST, unknown, statement),
    referrer: imageOf(OCI_MANIFEST, amd64, layer, {
      artifactType: REFERRER,
      subject: descriptorOf(oci.amd64),
    }),
  };
}

/** The entry of an image for linux. */
export function entry(manifest: ManifestContent, architecture: string): Descriptor {
  return { ...descriptorOf(manifest), platform: { os: 'linux', architecture } };
}

/** The entry of an attestation (BuildKit, docs/attestations/attestation-storage.md). */
export function attestationEntry(attestation: ManifestContent, of: ManifestContent): Descriptor {
  return {
    ...descriptorOf(attestation),
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: new Map([
      ['vnd.docker.reference.digest', of.digest],
      ['vnd.docker.reference.type', 'attestation-manifest'],
    ]),
  };
}

/** An index of exactly `size` bytes: filled up with spaces, which JSON parsers ignore. */
export function indexOfSize(
  type: IndexType,
  entries: readonly Descriptor[],
  size: number,
): ManifestContent {
  const index = encodeIndex(type, entries, new Map());
  const end = index.bytes.length - 1;
  const bytes = Buffer.concat([
    index.bytes.subarray(0, end),
    Buffer.alloc(Math.max(0, size - index.size), ' '),
    index.bytes.subarray(end),
  ]);
  return { mediaType: index.mediaType, digest: digestOf(bytes), size: bytes.length, bytes };
}

/** The descriptor of the same blob with another media type. */
function as(mediaType: string, { digest, size }: Blob): Descriptor {
  return { mediaType, digest, size };
}
