import type { ManifestContent } from '../oci/content.js';
import { digestOf } from '../oci/digest.js';
import type { Descriptor, ImageManifest } from '../oci/documents.js';
import { encodeIndex, type IndexType } from '../oci/json/encode-index.js';
import { goMarshalIndent, Members } from '../oci/json/go-marshal.js';
import { manifestMembers } from '../oci/json/go-structs.js';
import { DOCKER_MANIFEST, OCI_CONFIG, OCI_MANIFEST } from '../oci/media-types.js';
import { makeLayer } from './layer.js';

const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json';
const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const STATEMENT = 'application/vnd.in-toto+json';
/** A type of its own, so that nothing takes what refers to an image for a signature or a bill of materials. */
const REFERRER = 'application/vnd.example.manifest-tool.check';

/** Bytes with what describes them. */
export interface Blob extends Descriptor {
  readonly bytes: Uint8Array;
}

/**
 * Images that are in no list, each for one check. Distribution 2.8 may refuse a list while one of its images is written once more, so
 * those of the lists are written once.
 */
const PURPOSES = ['by-digest', 'first', 'second', 'several', 'untagged', 'deleted'] as const;

/** Images of one kind: two for lists, and one for each purpose. */
export type ImagesOfKind = Readonly<
  Record<'amd64' | 'arm64' | (typeof PURPOSES)[number], ManifestContent>
>;

/** All that a check pushes. Nothing in it is the same in two checks, so that nothing of anybody else is ever overwritten or deleted. */
export interface SmallImages {
  readonly layer: Blob;
  /** All blobs, the layer among them. */
  readonly blobs: readonly Blob[];
  readonly docker: ImagesOfKind;
  readonly oci: ImagesOfKind;
  /** The attestation of the OCI image for linux/amd64. */
  readonly attestation: ManifestContent;
  /** What has that image as its `subject`. */
  readonly referrer: ManifestContent;
}

/** Makes the images of a check; `id` is what makes them its own. */
export function makeImages(id: string): SmallImages {
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
  const ofKind = (make: (config: Blob) => ManifestContent): ImagesOfKind =>
    Object.fromEntries(configs.map(([name, each]) => [name, make(each)])) as ImagesOfKind;
  const docker = ofKind((each) =>
    image(DOCKER_MANIFEST, as(DOCKER_CONFIG, each), as(DOCKER_LAYER, layer)),
  );
  const oci = ofKind((each) => image(OCI_MANIFEST, each, layer));

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

/** The descriptor of a manifest, as a list has it. */
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

export function descriptorOf({ mediaType, digest, size }: ManifestContent): Descriptor {
  return { mediaType, digest, size };
}

/** A list that has exactly so many bytes: filled up with blanks, which every reader of JSON passes over. */
export function listOfSize(
  type: IndexType,
  entries: readonly Descriptor[],
  size: number,
): ManifestContent {
  const list = encodeIndex(type, entries, new Map());
  const end = list.bytes.length - 1;
  const bytes = Buffer.concat([
    list.bytes.subarray(0, end),
    Buffer.alloc(Math.max(0, size - list.size), ' '),
    list.bytes.subarray(end),
  ]);
  return { mediaType: list.mediaType, digest: digestOf(bytes), size: bytes.length, bytes };
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

/** The same blob as the other kind of image calls it. */
function as(mediaType: string, { digest, size }: Blob): Descriptor {
  return { mediaType, digest, size };
}
