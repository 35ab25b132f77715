import type { FetchedManifest } from '../../../oci/content.js';
import type { Descriptor } from '../../../oci/descriptor.js';
import {
  goMarshal,
  goMarshalIndent,
  Members,
  type Writable,
} from '../../../oci/json/go-marshal.js';
import { dockerDescriptor, ociDescriptor } from '../../../oci/json/go-structs.js';
import { escapeHtmlInJson, indentJson } from '../../../oci/json/json-text.js';
import {
  DOCKER_MANIFEST,
  DOCKER_MANIFEST_LIST,
  OCI_INDEX,
  OCI_MANIFEST,
} from '../../../oci/media-types.js';
import type { Platform } from '../../../oci/platform.js';
import { formatReference, withDefaultTag, type Reference } from '../../../oci/reference.js';
import type { InspectedImage, InspectedIndex } from '../../../core/read/inspect.js';

/*
 * The output of docker's client (28.2), byte for byte. The client indents the text of an image
 * manifest. From an index it keeps media type, size, digest and platform of the entries and writes
 * them again; the first image decides whether it calls the index an OCI index.
 */

/** `docker manifest inspect` of one image. */
export function dockerImage({ bytes }: FetchedManifest): string {
  const text = Buffer.from(bytes).toString();
  // Go's json.Indent keeps the white space at the end.
  return `${indentJson(text, '\t')}${/\s*$/.exec(text)![0]}\n`;
}

/** `docker manifest inspect` of an index. */
export function dockerIndex(index: InspectedIndex): string {
  const children = childrenOf(index);
  const [first] = children;
  const isOci = (first ?? index.manifest).mediaType === (first ? OCI_MANIFEST : OCI_INDEX);
  const document = new Members([
    ['schemaVersion', 2],
    ['mediaType', isOci ? OCI_INDEX : DOCKER_MANIFEST_LIST],
    ['manifests', children.map((child) => dockerDescriptor(child))],
  ]);
  return `${goMarshalIndent(document, '   ')}\n`;
}

/**
 * `docker manifest inspect -v` of one image; `entry` is its descriptor in the index that it was
 * selected from.
 */
export function dockerVerboseImage(
  reference: Reference,
  { manifest, config }: InspectedImage,
  entry: Descriptor | undefined,
): string {
  const named = entry === undefined ? reference : { ...reference, digest: entry.digest };
  const platform = entry?.platform ?? config?.platform;
  return verbose(imageObject(named, descriptorOf(manifest, platform), manifest));
}

/** `docker manifest inspect -v` of an index. */
export function dockerVerboseIndex(reference: Reference, index: InspectedIndex): string {
  const objects = childrenOf(index).map((child, i) =>
    imageObject({ ...reference, digest: child.digest }, child, index.children[i]),
  );
  return verbose(`[${objects.join(',')}]`);
}

function verbose(text: string): string {
  return `${indentJson(text, '\t')}\n`;
}

/**
 * Descriptors as docker makes them: from the manifest that it fetched, with the platform of the
 * entry.
 */
function childrenOf({ document, children }: InspectedIndex): Descriptor[] {
  return document.manifests.map((entry, i) => descriptorOf(children[i] ?? entry, entry.platform));
}

function descriptorOf(
  { mediaType, digest, size }: Pick<Descriptor, 'mediaType' | 'digest' | 'size'>,
  platform: Platform = { os: '', architecture: '' },
): Descriptor {
  return { mediaType, digest, size, platform };
}

/** One image with its manifest, as compact JSON; the manifest keeps its white space. */
function imageObject(
  reference: Reference,
  descriptor: Descriptor,
  manifest: FetchedManifest | undefined,
): string {
  const bytes = manifest && Buffer.from(manifest.bytes);
  const members: [string, Writable | undefined][] = [
    ['Ref', formatReference(withDefaultTag(reference))],
    ['Descriptor', ociDescriptor(descriptor)],
    ['Raw', bytes?.toString('base64')],
  ];
  const head = goMarshal(new Members(members));
  const kind = MANIFEST_KEYS.get(descriptor.mediaType);
  if (bytes === undefined || kind === undefined) return head;
  return `${head.slice(0, -1)},"${kind}":${escapeHtmlInJson(bytes.toString())}}`;
}

const MANIFEST_KEYS: ReadonlyMap<string, string> = new Map([
  [DOCKER_MANIFEST, 'SchemaV2Manifest'],
  [OCI_MANIFEST, 'OCIManifest'],
]);
