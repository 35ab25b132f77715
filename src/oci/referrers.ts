import type { FetchedManifest, ManifestContent } from './content.js';
import { algorithmPart, digestOf, encodedPart, type Digest } from './digest.js';
import type { Descriptor } from './descriptor.js';
import { parseDocument } from './documents.js';
import { encodeIndex } from './json/encode-index.js';
import { IndexText } from './json/index-text.js';
import { OCI_INDEX } from './media-types.js';

/**
 * The tag of the index of referrers in a registry without the referrers API (OCI distribution-spec,
 * Referrers Tag Schema).
 */
export function referrersTag(subject: Digest): string {
  return `${algorithmPart(subject).slice(0, 32)}-${encodedPart(subject).slice(0, 64)}`;
}

/** The tags under which cosign keeps signatures, attestations and SBOMs of a manifest. */
export function cosignTags(subject: Digest): string[] {
  return ['sig', 'att', 'sbom'].map((kind) => `${referrersTag(subject)}.${kind}`);
}

/**
 * Whether a tag is that of the digest of another manifest: a referrers tag, or one that cosign
 * derives from it (`sha256-HEX.sig`).
 */
export function isDigestTag(tag: string): boolean {
  return /^sha\d+-[0-9a-f]{64}(?:\.[a-z]+)?$/.test(tag);
}

/** Whether a tag has the form of {@link referrersTag}. */
export function isReferrersTag(tag: string): boolean {
  return isDigestTag(tag) && !tag.includes('.');
}

/**
 * The entry of a referrer in an index of referrers, with its own artifact type and annotations (OCI
 * distribution-spec, Listing Referrers).
 */
export function referrerDescriptor(manifest: FetchedManifest): Descriptor {
  const { mediaType, digest, size, document } = manifest;
  const { annotations } = document;
  const artifactType =
    document.artifactType || (document.kind === 'manifest' ? document.config.mediaType : undefined);
  return {
    mediaType,
    digest,
    size,
    ...(annotations === undefined ? {} : { annotations }),
    ...(artifactType === undefined ? {} : { artifactType }),
  };
}

/** A manifest that refers to another one: its `subject`, and its entry in an index of referrers. */
export interface Referrer {
  readonly subject: Digest;
  readonly entry: Descriptor;
}

/** What a manifest is as a referrer; undefined if it has no `subject`. */
export function referrerOf(manifest: ManifestContent): Referrer | undefined {
  const parsed = withDocument(manifest);
  const subject = parsed?.document.subject?.digest;
  return parsed && subject && { subject, entry: referrerDescriptor(parsed) };
}

/** Parses only what may have a subject: the index that a publish builds never has one. */
function withDocument(manifest: ManifestContent | FetchedManifest): FetchedManifest | undefined {
  if ('document' in manifest) return manifest;
  const { bytes, mediaType } = manifest;
  if (!Buffer.from(bytes).includes('"subject"')) return undefined;
  return { ...manifest, ...parseDocument(bytes, mediaType) };
}

/**
 * Whether a manifest under the referrers tag of `subject` is an index of its referrers: of the OCI
 * type, with an artifact type in each entry for a manifest (OCI distribution-spec, Referrers Tag
 * Schema). `unclear` if no entry has one: then their subjects decide.
 */
export function isReferrersIndex(manifest: FetchedManifest, subject: Digest): boolean | 'unclear' {
  if (manifest.mediaType !== OCI_INDEX || manifest.digest === subject) return false;
  const entries = indexEntries(manifest);
  if (entries.some(({ digest }) => digest === subject)) return false;
  return entries.length === 0 || entries.some(({ artifactType }) => artifactType) || 'unclear';
}

/**
 * An index of referrers with entries added behind its own, and everything else byte for byte;
 * undefined if it has them all.
 */
export function withReferrers(
  index: FetchedManifest | undefined,
  entries: readonly Descriptor[],
): ManifestContent | undefined {
  const held = index === undefined ? [] : indexEntries(index);
  const digests = new Set(held.map(({ digest }) => digest));
  const missing = entries.filter(({ digest }) => !digests.has(digest));
  if (missing.length === 0) return undefined;
  if (index === undefined) return encodeIndex('oci', missing, new Map());
  const { mediaType } = index;
  let text = new IndexText(Buffer.from(index.bytes).toString(), mediaType);
  for (const entry of missing.toReversed()) text = text.withEntryBefore(held.length, entry);
  const bytes = Buffer.from(text.text);
  return { mediaType, digest: digestOf(bytes), size: bytes.length, bytes };
}

/** The entries of an index; none for a manifest. */
export function indexEntries({ document }: FetchedManifest): readonly Descriptor[] {
  return document.kind === 'index' ? document.manifests : [];
}
