import { addToIndex } from '../core/edit/add.js';
import { annotateIndex } from '../core/edit/annotate.js';
import type { EditResult as CoreEditResult } from '../core/edit/edit-index.js';
import { removeFromIndex } from '../core/edit/remove.js';
import { untag as untagTags } from '../core/edit/untag.js';
import { copyTags as copyTagsOf, type TagCopy } from '../core/publish/copy-tags.js';
import { copyImage } from '../core/publish/copy.js';
import type { ChildStep } from '../core/publish/plan.js';
import type { Outcome as CoreOutcome, PushResult } from '../core/publish/publisher.js';
import { pushIndex } from '../core/publish/push.js';
import type { RequestedType } from '../core/publish/request.js';
import type { TagChanges as CoreTagChanges } from '../core/publish/review.js';
import type { Transferred } from '../core/publish/shared-writes.js';
import type { ErrorRecord } from '../errors.js';
import type { Digest } from '../oci/digest.js';
import type { Platform } from '../oci/platform.js';
import { formatReference, withSuffix, type Reference } from '../oci/reference.js';
import {
  annotationChanges,
  annotations,
  boolean,
  digest,
  list,
  number,
  object,
  oneOf,
  partialPlatform,
  platform,
  reference,
  string,
  type Read,
} from './arguments.js';
import { callMembers, type Call, type CallOptions } from './call.js';
import { contentDescriptor, plain, type Annotations, type ContentDescriptor } from './data.js';
import { failureOf } from './error-reference.js';
import type { Difference, DiffSide } from './read.js';

/** Annotations to set; null removes one. */
export type AnnotationChanges =
  | Readonly<Record<string, string | null>>
  | ReadonlyMap<string, string | null>;

/** A repository, layout or archive, and the tags in it that will point to what is published. */
export interface Target {
  /**
   * With no tag here and none in `tags`, the manifest is written by its digest and no tag moves.
   */
  readonly target: Reference | string;
  /** Additional tags. */
  readonly tags?: readonly string[];
}

/** Conditions under which tags move. */
export interface PublishingOptions extends CallOptions {
  /** Refuses to move a tag that exists; the default is false. */
  readonly noClobber?: boolean;
  /**
   * Moves tags only if they point to this digest. Registries have no compare-and-set: the tag is
   * read right before it is written, and another publisher can still write in between.
   */
  readonly expect?: string;
  /** Turns each warning into an error, before anything is written; the default is false. */
  readonly strict?: boolean;
  /**
   * How long to wait for content that is missing, in milliseconds for the whole call; the default
   * is not to wait.
   */
  readonly waitMs?: number;
  /** Writes nothing; the result is what would be written. The default is false. */
  readonly dryRun?: boolean;
}

/** Which entries of a source are taken. */
export interface EntryFilter {
  /** Of sources that are indexes, only the images for these platforms, with what belongs to them. */
  readonly platforms?: readonly (Platform | string)[];
  /** Leaves out attestations; the default is false. */
  readonly dropAttestations?: boolean;
  /**
   * Also writes what refers to an image, such as signatures and SBOMs, and what cosign keeps under
   * the tags of its digest; the default is false.
   */
  readonly referrers?: boolean;
}

/** An image, or an index whose entries are added. */
export interface Source {
  /** Without a tag and a digest, the tag is `latest`. */
  readonly reference: Reference | string;
  /**
   * Members that are left out are read from the config of the image (OCI image-spec, config.md).
   */
  readonly platform?: Partial<Platform> | string;
  /**
   * If the source is an index: adds only the entry for `platform`, instead of all entries. The
   * default is false.
   */
  readonly onlyPlatform?: boolean;
  /** Added to the annotations of the entries; only an OCI index has them. */
  readonly annotations?: Annotations | ReadonlyMap<string, string>;
}

/** Annotations for entries of the index. */
export interface EntryAnnotations {
  /** The entry to annotate; all images if it is left out. */
  readonly platform?: Platform | string;
  /** Changes of the annotations that the entry has in its source. */
  readonly annotations: AnnotationChanges;
}

/** What can be said of the sources of an index. */
export interface SourceOptions extends EntryFilter {
  /** In the order of the entries: references, or objects that say more. */
  readonly sources: readonly (Source | Reference | string)[];
  /** Refuses an index without these platforms, before a tag moves; it may have others. */
  readonly requiredPlatforms?: readonly (Platform | string)[];
  /**
   * Leaves out a source that is not found, with a warning; other errors remain errors. The default
   * is false.
   */
  readonly ignoreMissing?: boolean;
}

/** An index to publish. A `Spec` is a part of it. */
export interface PushRequest extends Target, PublishingOptions, SourceOptions {
  /** Additional targets. A failure at one of them does not affect the others. */
  readonly alsoTo?: readonly Target[];
  /**
   * `auto`, the default: a Docker manifest list if all images are Docker images and there are no
   * annotations, otherwise an OCI index.
   */
  readonly type?: RequestedType;
  /** Annotations of the index. Only an OCI index has annotations. */
  readonly annotations?: AnnotationChanges;
  /** The type of artifact that the index is. Only an OCI index has one. */
  readonly artifactType?: string;
  /** Annotations of its entries. */
  readonly entryAnnotations?: readonly EntryAnnotations[];
  /**
   * If the only source is an index, and the request changes nothing of it: publishes that index byte
   * for byte. The default is false, which builds the index anew as manifest-tool does.
   */
  readonly keepUnchanged?: boolean;
}

/** What to copy, and where to. */
export interface CopyRequest extends Target, PublishingOptions, EntryFilter {
  /** An image or an index. Without a tag and a digest, the tag is `latest`. */
  readonly source: Reference | string;
  /** Additional targets. A failure at one of them does not affect the others. */
  readonly alsoTo?: readonly Target[];
}

/** Which tags to copy, and where to. */
export interface CopyTagsRequest extends Omit<PublishingOptions, 'expect'>, EntryFilter {
  /** A repository, a layout or an archive: a reference without a tag and a digest. */
  readonly source: Reference | string;
  /** The tags; all tags of the source by default. */
  readonly tags?: readonly string[];
  /** Without `tags`: only those that match this pattern, as in `listTags`. */
  readonly match?: string;
  /** Where to copy them, each under its own name: references without a tag and a digest. */
  readonly targets: readonly (Reference | string)[];
}

/** An index to edit, and under which conditions. */
export interface EditRequest extends PublishingOptions {
  /** An index, by its tag; without one, the tag is `latest`. */
  readonly target: Reference | string;
}

/** Which images to add to which index. */
export interface AddRequest extends EditRequest, SourceOptions {}

/** Entries of an index: those for these platforms, and those with these digests. */
export interface Selection {
  /** Each selects the images for this platform. */
  readonly platforms?: readonly (Platform | string)[];
  /** Of entries of any kind, including attestations. */
  readonly digests?: readonly string[];
}

/** Which entries to remove from which index. */
export interface RemoveRequest extends EditRequest {
  /** At least one entry. */
  readonly entries: Selection;
}

/** Which entries of which index to change, and how. */
export interface AnnotateRequest extends EditRequest {
  /** Without any entry, the annotations of the index are changed. */
  readonly entries?: Selection;
  /** Changes of annotations. */
  readonly annotations?: AnnotationChanges;
  /** Members of the platform to change; needs `entries`. */
  readonly platform?: Partial<Platform> | string;
}

const targetMembers = { target: reference, tags: list(string) };
const target = object(targetMembers, ['target']);

const publishingMembers = {
  ...callMembers,
  noClobber: boolean,
  expect: digest,
  strict: boolean,
  waitMs: number(0),
  dryRun: boolean,
};

const filterMembers = {
  platforms: list(platform),
  dropAttestations: boolean,
  referrers: boolean,
};

const sourceObject = object(
  {
    reference,
    platform: partialPlatform,
    onlyPlatform: boolean,
    annotations,
  } satisfies Record<keyof Source, unknown>,
  ['reference'],
);

/** A source: a reference, or an object with one. */
export function source(value: unknown, name: string): Read<typeof sourceObject> {
  const isReference =
    typeof value !== 'object' || value === null || Array.isArray(value) || 'kind' in value;
  return isReference ? { reference: reference(value, name) } : sourceObject(value, name);
}

const sourceMembers = {
  ...filterMembers,
  sources: list(source),
  requiredPlatforms: list(platform),
  ignoreMissing: boolean,
};

/** Checks a {@link PushRequest}. */
export const pushRequest = object(
  {
    ...publishingMembers,
    ...targetMembers,
    ...sourceMembers,
    alsoTo: list(target),
    type: oneOf('auto', 'docker', 'oci'),
    annotations: annotationChanges,
    artifactType: string,
    entryAnnotations: list(
      object(
        { platform, annotations: annotationChanges } satisfies Record<
          keyof EntryAnnotations,
          unknown
        >,
        ['annotations'],
      ),
    ),
    keepUnchanged: boolean,
  } satisfies Record<keyof PushRequest, unknown>,
  ['target', 'sources'],
);

/** Checks a {@link CopyRequest}. */
export const copyRequest = object(
  {
    ...publishingMembers,
    ...targetMembers,
    ...filterMembers,
    source: reference,
    alsoTo: list(target),
  } satisfies Record<keyof CopyRequest, unknown>,
  ['source', 'target'],
);

const { expect: _, ...tagPublishingMembers } = publishingMembers;

/** Checks a {@link CopyTagsRequest}. */
export const copyTagsRequest = object(
  {
    ...tagPublishingMembers,
    ...filterMembers,
    source: reference,
    tags: list(string),
    match: string,
    targets: list(reference),
  } satisfies Record<keyof CopyTagsRequest, unknown>,
  ['source', 'targets'],
);

const selection = object({
  platforms: list(platform),
  digests: list(digest),
} satisfies Record<keyof Selection, unknown>);

/** Checks an {@link AddRequest}. */
export const addRequest = object(
  { ...publishingMembers, ...sourceMembers, target: reference } satisfies Record<
    keyof AddRequest,
    unknown
  >,
  ['target', 'sources'],
);

/** Checks a {@link RemoveRequest}. */
export const removeRequest = object(
  { ...publishingMembers, target: reference, entries: selection } satisfies Record<
    keyof RemoveRequest,
    unknown
  >,
  ['target', 'entries'],
);

/** Checks an {@link AnnotateRequest}. */
export const annotateRequest = object(
  {
    ...publishingMembers,
    target: reference,
    entries: selection,
    annotations: annotationChanges,
    platform: partialPlatform,
  } satisfies Record<keyof AnnotateRequest, unknown>,
  ['target'],
);

/** Checks an {@link UntagRequest}. */
export const untagRequest = object(
  { ...callMembers, references: list(reference), expect: digest, dryRun: boolean } satisfies Record<
    keyof UntagRequest,
    unknown
  >,
  ['references'],
);

/** A manifest below what the tags point to, written by its digest. */
export interface WrittenManifest extends ContentDescriptor {
  /** Where it was read: a repository, layout or archive. */
  readonly source: string;
  /** The tag of its own under which it was written, as cosign's signatures are. */
  readonly tag?: string;
}

/** What became of a tag. */
export interface TagOutcome {
  /** Its full reference. */
  readonly reference: string;
  /** Whether it was written, or would be in a dry run. */
  readonly status: 'moved' | 'unchanged';
  /** What it pointed to before; absent if it did not exist, or could not be read. */
  readonly from?: Digest;
}

/** What refers to an image that a tag would no longer lead to. */
export interface LeftReferrer {
  /** Of the referrer. */
  readonly digest: Digest;
  /** Of the referrer. */
  readonly artifactType?: string;
  /** The tag under which cosign keeps it, if there is one: `sha256-HEX.sig`. */
  readonly tag?: string;
  /** What it refers to. */
  readonly subject: Digest;
  /** Of the subject. */
  readonly platform?: Platform;
}

/** What would change for tags that point to the same digest now, or to nothing. */
export interface TagChanges extends Difference {
  /** Tags of the target. */
  readonly tags: readonly string[];
  /** What they point to now; absent if they do not exist. */
  readonly from?: DiffSide;
  /** What they would point to. */
  readonly to: DiffSide;
  /**
   * What refers to an image or index that these tags would no longer lead to, and stays where it
   * is; absent if that is not known.
   */
  readonly leftBehind?: readonly LeftReferrer[];
}

/** What was written to a target, or would be in a dry run. */
export interface TargetWrites {
  /** The reference of the target. */
  readonly target: string;
  /** Its tags. */
  readonly tags: readonly TagOutcome[];
  /** What was written by its digest, unless another call had written it just before. */
  readonly manifests: readonly WrittenManifest[];
  /** Bytes of blobs that were written; none in a dry run. */
  readonly transferred: Transferred;
  /** What was warned of. */
  readonly warnings: readonly string[];
}

/** The outcome at one target. */
export type Outcome =
  | ({
      /** `unchanged` if all tags pointed there already. */
      readonly status: 'published' | 'unchanged';
    } & TargetWrites)
  | ({
      /** A dry run, which has written nothing. */
      readonly status: 'planned';
      /** What would change for the tags that would move. */
      readonly changes: readonly TagChanges[];
      /** Why the target cannot be pushed to; absent if it can. */
      readonly refusal?: ErrorRecord;
    } & TargetWrites)
  | {
      /** Nothing was published there, unless the error says so. */
      readonly status: 'failed';
      /** The reference of the target. */
      readonly target: string;
      /** Why. */
      readonly error: ErrorRecord;
    };

/** The outcome of `push` and `copy`. */
export interface PublishResult {
  /** What the tags point to: the index, or the manifest that was copied. */
  readonly root: ContentDescriptor;
  /** One for each target, in their order. If all have failed, the call throws instead. */
  readonly outcomes: readonly Outcome[];
  /** What each source of an index pointed to when it was read, by its reference. */
  readonly sources?: Readonly<Record<string, Digest>>;
}

/** Which tags to delete. */
export interface UntagRequest extends CallOptions {
  /** Each with a tag and without a digest. */
  readonly references: readonly (Reference | string)[];
  /** Deletes a tag only if it points to this digest, and refuses it otherwise. */
  readonly expect?: string;
  /** Deletes nothing; the result is what would be deleted. The default is false. */
  readonly dryRun?: boolean;
}

/** The outcome for one tag. */
export type UntagOutcome =
  | {
      /** `planned` in a dry run. */
      readonly status: 'deleted' | 'planned';
      /** With the tag. */
      readonly reference: string;
      /** What the tag pointed to. */
      readonly digest: Digest;
    }
  | {
      /** The tag was not deleted. */
      readonly status: 'failed';
      /** With the tag. */
      readonly reference: string;
      /** Why. */
      readonly error: ErrorRecord;
    };

/** The outcome for one tag at one target. */
export type TagCopyOutcome =
  | {
      /** `planned` in a dry run; `unchanged` if the tag pointed to the same manifest. */
      readonly status: 'published' | 'unchanged' | 'planned';
      /** With the tag. */
      readonly source: string;
      /** With the tag. */
      readonly target: string;
      /** What the tag points to now, or would after a dry run. */
      readonly root: ContentDescriptor;
      /** What it pointed to before; absent if it is new, or that could not be read. */
      readonly from?: Digest;
      /**
       * Images that were written for this tag. Tags that point to the same manifest share its copy,
       * which counts for the first of them.
       */
      readonly imagesCopied: number;
      /** Blobs that were written for this tag, counted in the same way. */
      readonly transferred: Transferred;
      /** What was warned of. */
      readonly warnings: readonly string[];
      /** In a dry run: why the target cannot be pushed to. */
      readonly refusal?: ErrorRecord;
    }
  | {
      /** The tag was not copied. */
      readonly status: 'failed';
      /** With the tag. */
      readonly source: string;
      /** With the tag. */
      readonly target: string;
      /** Why. */
      readonly error: ErrorRecord;
    };

/** The outcome of an edit. */
export interface EditResult {
  /** `unchanged` if the index was as requested; `planned` after a dry run that would change it. */
  readonly status: 'published' | 'unchanged' | 'planned';
  /** What the tag pointed to. */
  readonly before: ContentDescriptor;
  /** What the tag points to now, or would after a dry run. */
  readonly after: ContentDescriptor;
  /** What changes for the tag; empty if the index stays as it is. */
  readonly changes: readonly TagChanges[];
  /** What was written by its digest for the images that were added. */
  readonly manifests: readonly WrittenManifest[];
  /** Bytes of blobs that were written. */
  readonly transferred: Transferred;
  /** What was warned of. */
  readonly warnings: readonly string[];
  /** In a dry run: why the target cannot be pushed to. */
  readonly refusal?: ErrorRecord;
}

export async function push(call: Call, request: Read<typeof pushRequest>): Promise<PublishResult> {
  return publishResult(await pushIndex(call.client, request, call.events), request);
}

export async function copy(call: Call, request: Read<typeof copyRequest>): Promise<PublishResult> {
  return publishResult(await copyImage(call.client, request, call.events), request);
}

export async function copyTags(
  call: Call,
  request: Read<typeof copyTagsRequest>,
): Promise<readonly TagCopyOutcome[]> {
  const copies = await copyTagsOf(call.client, request, call.events);
  return copies.map((each) => tagCopyOutcome(each, request.dryRun === true));
}

export async function add(call: Call, request: Read<typeof addRequest>): Promise<EditResult> {
  return editResult(await addToIndex(call.client, request, call.events), request);
}

export async function remove(call: Call, request: Read<typeof removeRequest>): Promise<EditResult> {
  return editResult(await removeFromIndex(call.client, request, call.events), request);
}

export async function annotate(
  call: Call,
  { annotations: changes, platform: changed, ...request }: Read<typeof annotateRequest>,
): Promise<EditResult> {
  const edit = {
    ...request,
    changes: {
      ...(changes && { annotations: changes }),
      ...(changed && { platform: changed }),
    },
  };
  return editResult(await annotateIndex(call.client, edit, call.events), request);
}

export async function untag(
  { client, events }: Call,
  { references, expect, dryRun = false }: Read<typeof untagRequest>,
): Promise<readonly UntagOutcome[]> {
  const isExpected = (held: Digest): boolean => expect === undefined || held === expect;
  const outcomes = await untagTags(client, { references, dryRun, isExpected }, events);
  return outcomes.map((outcome) => {
    const named = formatReference(outcome.reference);
    return 'error' in outcome
      ? { status: 'failed', reference: named, error: failureOf(outcome.error, [outcome.reference]) }
      : { status: dryRun ? 'planned' : 'deleted', reference: named, digest: outcome.digest };
  });
}

interface DryRun {
  readonly dryRun?: boolean;
}

function publishResult(
  { root, outcomes, sources }: PushResult,
  { dryRun = false }: DryRun,
): PublishResult {
  return {
    ...(sources && { sources: plain(sources) }),
    root: contentDescriptor(root),
    outcomes: outcomes.map((outcome) => plainOutcome(outcome, dryRun)),
  };
}

function plainOutcome(outcome: CoreOutcome, isDryRun: boolean): Outcome {
  const named = formatReference(outcome.target.target);
  if ('error' in outcome)
    return {
      status: 'failed',
      target: named,
      error: failureOf(outcome.error, [outcome.target.target]),
    };
  const { plan, transferred, warnings, refusal, changes = [] } = outcome;
  const tag = (status: TagOutcome['status']) => (name: string) => {
    const from = plan.before.get(name);
    const full = formatReference(withSuffix(outcome.target.target, name));
    return { reference: full, status, ...(from !== undefined && { from }) };
  };
  const writes: TargetWrites = {
    target: named,
    tags: [...plan.tags.map(tag('moved')), ...plan.unchanged.map(tag('unchanged'))],
    manifests: writtenManifests(plan.children),
    transferred: plain(transferred),
    warnings: [...warnings],
  };
  if (isDryRun) {
    const refused = refusal && { refusal: refusal.toJSON() };
    return { status: 'planned', ...writes, changes: changes.map(plainChanges), ...refused };
  }
  const isUnchanged = plan.tags.length === 0 && plan.unchanged.length > 0;
  return { status: isUnchanged ? 'unchanged' : 'published', ...writes };
}

function writtenManifests(steps: readonly ChildStep[]): WrittenManifest[] {
  return steps
    .filter(({ isBlobsOnly }) => !isBlobsOnly)
    .map(({ manifest, source: { name }, tag }) => ({
      ...contentDescriptor(manifest),
      source: name,
      ...(tag !== undefined && { tag }),
    }));
}

function plainChanges(changes: CoreTagChanges): TagChanges {
  return plain(changes);
}

function tagCopyOutcome(outcome: TagCopy, isDryRun: boolean): TagCopyOutcome {
  const names = {
    source: formatReference(outcome.source),
    target: formatReference(outcome.target),
  };
  if ('error' in outcome)
    return {
      status: 'failed',
      ...names,
      error: failureOf(outcome.error, [outcome.source, outcome.target]),
    };
  const { root, from, imagesCopied, transferred, warnings, refusal } = outcome;
  const isUnchanged = from === root.digest && imagesCopied === 0;
  const isPlanned = isDryRun && !isUnchanged;
  return {
    status: isPlanned ? 'planned' : isUnchanged ? 'unchanged' : 'published',
    ...names,
    root: contentDescriptor(root),
    ...(from !== undefined && { from }),
    imagesCopied,
    transferred: plain(transferred),
    warnings: [...warnings],
    ...(refusal && { refusal: refusal.toJSON() }),
  };
}

function editResult(
  {
    before,
    after,
    changes,
    children = [],
    transferred = { bytesCopied: 0, bytesMounted: 0 },
    warnings = [],
    refusal,
  }: CoreEditResult,
  { dryRun = false }: DryRun,
): EditResult {
  const isUnchanged = before.digest === after.digest;
  return {
    status: isUnchanged ? 'unchanged' : dryRun ? 'planned' : 'published',
    before: contentDescriptor(before),
    after: contentDescriptor(after),
    changes: changes.map(plainChanges),
    manifests: writtenManifests(children),
    transferred: plain(transferred),
    warnings: [...warnings],
    ...(refusal && { refusal: refusal.toJSON() }),
  };
}
