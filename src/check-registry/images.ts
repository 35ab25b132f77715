import { gzipSync } from 'node:zlib';
import { Header } from 'tar/header';
import type { ManifestContent } from '../oci/content.js';
import { digestOf } from '../oci/digest.js';
import { descriptorOf, type Descriptor } from '../oci/descriptor.js';
import type { ImageManifest } from '../oci/documents.js';
import { encodeIndex, type IndexType } from '../oci/json/encode-index.js';
import { goMarshalIndent, Members } from '../oci/json/go-marshal.js';
import { manifestMembers } from '../oci/json/go-structs.js';
import { DOCKER_CONFIG, DOCKER_MANIFEST, OCI_CONFIG, OCI_MANIFEST } from '../oci/media-types.js';

const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const STATEMENT = 'application/vnd.in-toto+json';
/** Not a known artifact type, so that nothing takes the referrer for a signature or an SBOM. */
const REFERRER = 'application/vnd.example.manifest-tool.check';

/** Bytes and their descriptor. */
export interface Blob extends Descriptor {
  readonly bytes: Uint8Array;
}

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
  const { tar, gzip } = makeLayer('check-registry', `pushed by manifest-tool check-registry ${id}`);
  const layer = blob(OCI_LAYER, gzip);
  const config = (os: string, architecture: string, purpose: string): Blob =>
    json(OCI_CONFIG, {
      architecture,
      os,
      config: { Labels: { 'check-registry': `${id} ${purpose}` } },
      rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
      history: [{ created_by: `manifest-tool check-registry ${id}` }],
    });
  const amd64 = config('linux', 'amd64', 'image');
  const arm64 = config('linux', 'arm64', 'image');
  const others = PURPOSES.map((purpose) => [purpose, config('linux', 'amd64', purpose)] as const);
  const configs = [['amd64', amd64] as const, ['arm64', arm64] as const, ...others];
  const ofType = (make: (config: Blob) => ManifestContent): ImagesOfType =>
    Object.fromEntries(configs.map(([name, each]) => [name, make(each)])) as ImagesOfType;
  const docker = ofType((each) =>
    image(DOCKER_MANIFEST, as(DOCKER_CONFIG, each), as(DOCKER_LAYER, layer)),
  );
  const oci = ofType((each) => image(OCI_MANIFEST, each, layer));

  const unknown = config('unknown', 'unknown', 'attestation');
  const statement = json(STATEMENT, {
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
    attestation: image(OCI_MANIFEST, unknown, statement),
    referrer: image(OCI_MANIFEST, amd64, layer, {
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

function image(
  mediaType: string,
  config: Descriptor,
  layer: Descriptor,
  more: Partial<ImageManifest> = {},
): ManifestContent {
  const members = manifestMembers({
    kind: 'manifest',
    schemaVersion: 2,
    mediaType,
    config,
    layers: [layer],
    ...more,
  });
  const bytes = Buffer.from(goMarshalIndent(new Members(members), '  '));
  return { mediaType, digest: digestOf(bytes), size: bytes.length, bytes };
}

function json(mediaType: string, document: object): Blob {
  return blob(mediaType, Buffer.from(JSON.stringify(document)));
}

function blob(mediaType: string, bytes: Uint8Array): Blob {
  return { mediaType, digest: digestOf(bytes), size: bytes.length, bytes };
}

/** The descriptor of the same blob with another media type. */
function as(mediaType: string, { digest, size }: Blob): Descriptor {
  return { mediaType, digest, size };
}

const BLOCK = 512;

/** A layer: a tar archive of one file, and the same compressed. */
function makeLayer(
  name: string,
  text: string,
): { readonly tar: Uint8Array; readonly gzip: Uint8Array } {
  const content = Buffer.from(text);
  const blocks = Math.ceil(content.length / BLOCK);
  // Two blocks of zeros end an archive.
  const tar = Buffer.alloc((1 + blocks + 2) * BLOCK);
  const header = new Header({
    path: name,
    size: content.length,
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: new Date(0),
    type: 'File',
  });
  header.encode(tar);
  content.copy(tar, BLOCK);
  return { tar, gzip: gzipSync(tar) };
}
