import { diffImages } from '../core/read/diff.js';
import { findDigest } from '../core/read/find-digest.js';
import { listTags as listTagsOf } from '../core/read/list-tags.js';
import { queryImage } from '../core/read/query.js';
import { verifyImage } from '../core/read/verify.js';
import type { ImageExecutables } from '../core/read/executables.js';
import type { AttestationKind } from '../core/read/requirements.js';
import type { ContentFault, Requirement } from '../core/read/defects.js';
import type { Digest } from '../oci/digest.js';
import type { Platform } from '../oci/platform.js';
import type { Reference } from '../oci/reference.js';
import {
  boolean,
  list,
  object,
  oneOf,
  platform,
  reference,
  string,
  type Read,
} from './arguments.js';
import { callMembers, type Call, type CallOptions } from './call.js';
import { plain, type ContentDescriptor } from './data.js';

/** An entry of an index, or the single image. */
export interface QueriedEntry extends ContentDescriptor {
  /** Of the entry, or else of its image; absent if neither has one. */
  readonly platform?: Platform;
  /** Whether it attests another entry. */
  readonly isAttestation: boolean;
}

/** What a reference points to, with its platforms. */
export interface QueryResult extends ContentDescriptor {
  /** What it is. */
  readonly kind: 'index' | 'image' | 'artifact';
  /** In the order of the index; without attestations and artifacts. */
  readonly platforms: readonly Platform[];
  /**
   * All entries in the order of the index, each index inside it followed by its own; of a single
   * image, itself.
   */
  readonly entries: readonly QueriedEntry[];
}

/** Checks the options of a call that has no others. */
export const callOptions = object(callMembers);

export async function query({ client, events }: Call, of: Reference): Promise<QueryResult> {
  return plain(await queryImage(client, of, events));
}

/** Options of `digestOf`. */
export interface DigestOptions extends CallOptions {
  /** Selects the entry of an index for this platform; a single image must be for it. */
  readonly platform?: Platform | string;
}

/** Checks {@link DigestOptions}. */
export const digestOptions = object({
  ...callMembers,
  platform,
} satisfies Record<keyof DigestOptions, unknown>);

export async function digestOf(
  { client, events }: Call,
  of: Reference,
  options: Read<typeof digestOptions>,
): Promise<ContentDescriptor> {
  return findDigest(client, of, options.platform, events);
}

/** Options of `listTags`. */
export interface ListTagsOptions extends CallOptions {
  /** Only those that match this pattern, with `*`, `?`, `[...]`, `{a,b}` and `!` as in a shell. */
  readonly match?: string;
}

/** Checks {@link ListTagsOptions}. */
export const listTagsOptions = object({
  ...callMembers,
  match: string,
} satisfies Record<keyof ListTagsOptions, unknown>);

export async function listTags(
  { client }: Call,
  of: Reference,
  { match }: Read<typeof listTagsOptions>,
): Promise<readonly string[]> {
  return listTagsOf(client, of, match === undefined ? {} : { match });
}

/** Options of `diff`. */
export interface DiffOptions extends CallOptions {
  /** Whether the configs of changed images are compared as well; the default is false. */
  readonly config?: boolean;
}

/** Checks {@link DiffOptions}. */
export const diffOptions = object({
  ...callMembers,
  config: boolean,
} satisfies Record<keyof DiffOptions, unknown>);

/** A value that differs; absent on the side that does not have it. */
export interface ValueChange {
  /** Of the first. */
  readonly from?: string;
  /** Of the second. */
  readonly to?: string;
}

/** One of the two that are compared. */
export type DiffSide = Pick<ContentDescriptor, 'digest' | 'mediaType'>;

/** An entry of one of the two. */
export interface DiffEntry {
  /** Of the manifest. */
  readonly digest: Digest;
  /** Absent if it has none. */
  readonly platform?: Platform;
  /** Whether it attests another entry. */
  readonly isAttestation: boolean;
  /**
   * Of the manifest with its config and layers, in bytes, as they are stored; absent if it was not
   * read.
   */
  readonly size?: number;
}

/** An entry that both have for one platform, with other content or other annotations. */
export interface DiffChange {
  /** As the first has it. */
  readonly from: DiffEntry;
  /** As the second has it. */
  readonly to: DiffEntry;
  /** Of the entry, by key; only those that differ. */
  readonly annotations: Readonly<Record<string, ValueChange>>;
  /**
   * Members of the config that differ, without history and layers: `os`, `config.User`,
   * `config.Env.PATH`, `config.Labels.KEY`. Strings as they are, other values as JSON. Absent if it
   * was not asked for, or is not that of two images.
   */
  readonly config?: Readonly<Record<string, ValueChange>>;
}

/** How the entries and annotations of two images or indexes differ. */
export interface Difference {
  /** In the order of the second. */
  readonly added: readonly DiffEntry[];
  /** In the order of the first. */
  readonly removed: readonly DiffEntry[];
  /** In the order of the first. */
  readonly changed: readonly DiffChange[];
  /** Of the image or index itself, by key; only those that differ. */
  readonly annotations: Readonly<Record<string, ValueChange>>;
}

/** How two images or indexes differ. */
export interface ImageDiff extends Difference {
  /** Whether both have the same digest. */
  readonly isEqual: boolean;
  /** The first. */
  readonly from: DiffSide;
  /** The second. */
  readonly to: DiffSide;
}

export async function diff(
  { client, events }: Call,
  before: Reference,
  after: Reference,
  { config = false }: Read<typeof diffOptions>,
): Promise<ImageDiff> {
  return plain(await diffImages(client, before, after, { config }, events));
}

/** What `verify` checks, beside that everything is there. */
export interface VerifyOptions extends CallOptions {
  /** Exactly these platforms. */
  readonly platforms?: readonly (Platform | string)[];
  /** At least these platforms. */
  readonly atLeast?: readonly (Platform | string)[];
  /** The same platforms as this image or index, each with the same digests. */
  readonly sameAs?: Reference | string;
  /** Labels that every image has, with one value for all platforms (OCI image-spec, config.md). */
  readonly sameLabels?: readonly string[];
  /**
   * Attestations of each image: in the index as BuildKit stores them, as referrers of the image, or
   * under cosign's tag for them.
   */
  readonly attestations?: readonly AttestationKind[];
  /**
   * Reads every blob and checks its digest, instead of only checking that it exists; the default is
   * false.
   */
  readonly deep?: boolean;
  /**
   * Reads the layers, and compares each native program with the platform of its image: an image that
   * starts a program for another architecture has a defect. The default is false.
   */
  readonly executables?: boolean;
}

/** Checks {@link VerifyOptions}. */
export const verifyOptions = object({
  ...callMembers,
  platforms: list(platform),
  atLeast: list(platform),
  sameAs: reference,
  sameLabels: list(string),
  attestations: list(oneOf('sbom', 'provenance')),
  deep: boolean,
  executables: boolean,
} satisfies Record<keyof VerifyOptions, unknown>);

/** Something that is wrong, and where. */
export interface Defect {
  /** The digest of an entry, or a platform. */
  readonly where: string;
  /** A predicate for `where`; it may contain remote text. */
  readonly what: string;
  /** The requirement that is not met; absent for what is wrong by itself. */
  readonly requirement?: Requirement;
  /** A fault of the content itself, which copying it again does not repair. */
  readonly fault?: ContentFault;
}

/** An entry of the index, or the image itself. */
export interface VerifiedEntry {
  /** Of the entry. */
  readonly digest: Digest;
  /** As the index has it. */
  readonly mediaType: string;
  /** Absent if there is none, and for an attestation. */
  readonly platform?: Platform;
  /** Whether it attests another entry. */
  readonly isAttestation: boolean;
  /** The number of its blobs, its config included; 1 for an entry that is a blob. */
  readonly blobs: number;
  /**
   * Defects of the entry and of everything below it; those of a manifest with its first entry only.
   */
  readonly defects: readonly Defect[];
}

/** What was found out about an image or index. */
export interface Verification {
  /** `passed` if there are no defects. */
  readonly status: 'passed' | 'failed';
  /** Of the image or index. */
  readonly digest: Digest;
  /** Of the image or index. */
  readonly mediaType: string;
  /** In the order of the index; one for an image. */
  readonly entries: readonly VerifiedEntry[];
  /** All defects, each once, those of the entries included. */
  readonly defects: readonly Defect[];
  /** What is legal and probably not intended; no defect. */
  readonly warnings: readonly Defect[];
  /**
   * If blobs were read: how many foreign layers are not there. They are downloaded from other places
   * (OCI image-spec, layer.md, Non-Distributable Layers), so it is no defect.
   */
  readonly missingForeignLayers?: number;
  /** If programs were compared: what was found in each image. */
  readonly executables?: readonly ImageExecutables[];
}

export async function verify(
  { client, events }: Call,
  of: Reference,
  options: Read<typeof verifyOptions>,
): Promise<Verification> {
  const verification = await verifyImage(client, of, options, events);
  const status = verification.defects.length === 0 ? 'passed' : 'failed';
  return { status, ...plain(verification) };
}
