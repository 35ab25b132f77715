import { gzipSync } from 'node:zlib';
import { Header } from 'tar/header';
import type { ManifestContent } from '../oci/content.js';
import { digestOf, type Digest } from '../oci/digest.js';
import type { Descriptor } from '../oci/descriptor.js';
import type { ImageManifest } from '../oci/documents.js';
import { goMarshalIndent, Members } from '../oci/json/go-marshal.js';
import { manifestMembers } from '../oci/json/go-structs.js';

export const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

/** Bytes and their descriptor. */
export interface Blob extends Descriptor {
  readonly bytes: Uint8Array;
}

/** The manifest of an image to test a registry with. */
export function imageOf(
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

/** A blob of a JSON document. */
export function jsonBlob(mediaType: string, document: object): Blob {
  return blob(mediaType, Buffer.from(JSON.stringify(document)));
}

function blob(mediaType: string, bytes: Uint8Array): Blob {
  return { mediaType, digest: digestOf(bytes), size: bytes.length, bytes };
}

const BLOCK = 512;

/** A layer with one file, and the digest of its content before it was compressed. */
export function makeLayer(
  name: string,
  text: string,
): { readonly layer: Blob; readonly diffId: Digest } {
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
  return { layer: blob(OCI_LAYER, gzipSync(tar)), diffId: digestOf(tar) };
}
