import type { EditResult } from '../../core/edit/edit-index.js';
import {
  countImages,
  isRootWritten,
  type ChildStep,
  type PushPlan,
} from '../../core/publish/plan.js';
import type { Outcome } from '../../core/publish/publisher.js';
import type { Transferred } from '../../core/publish/shared-writes.js';
import type { ResolvedImage } from '../../core/publish/resolved-image.js';
import type { ContentFault, Requirement } from '../../core/read/defects.js';
import type { Verification } from '../../core/read/verify.js';
import { ManifestToolError, type ErrorCode } from '../../errors.js';
import type { Digest } from '../../oci/digest.js';
import { isAttestation } from '../../oci/attestation.js';
import { isIndexType } from '../../oci/media-types.js';
import { formatPlatform } from '../../oci/platform.js';
import {
  formatName,
  formatReference,
  withDefaultTag,
  formatPinned,
  type Reference,
} from '../../oci/reference.js';
import { escapeText } from '../../text.js';
import { changesDocument, changesLines, type ChangesDocument } from './diff.js';
import { entriesOfIndex, type EntryDocument as IndexEntry } from './entry.js';

/** Outcome for a tag, or the expected one in a dry run. */
interface TagResult {
  readonly name: string;
  /** Digest that it had before; null if it is new. */
  readonly from: Digest | null;
  readonly to: Digest;
  readonly status: 'moved' | 'unchanged' | 'would move';
}

/** What was done at one target, or would be in a dry run. */
export interface TargetDocument {
  readonly reference: string;
  /** `repository@digest`. */
  readonly image: string;
  readonly digest: Digest;
  readonly tags: readonly TagResult[];
  /** Manifests of images, and of their attestations, that were written. */
  readonly imagesCopied: number;
  /** Of blobs that were uploaded; null in a dry run, which does not know. */
  readonly bytesCopied: number | null;
  /** Of blobs that the registry took from another of its repositories; null in a dry run. */
  readonly bytesMounted: number | null;
  /**
   * Of a dry run and of an edit: what changes for the tags that do not point to the digest yet. Null
   * for other publishes, which do not read what they replace.
   */
  readonly changes: readonly ChangesDocument[] | null;
  readonly warnings: readonly string[];
}

/** The result of a publish for programs (`--json`). */
export interface ResultDocument {
  readonly target: string;
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly dryRun: boolean;
  /** Whether anything was written. */
  readonly written: boolean;
  /** Of the index that is published; none of a single image. */
  readonly entries: readonly IndexEntry[];
  readonly tags: readonly TagResult[];
  /** Tags of referrers that are published with it, as cosign has them; absent if there are none. */
  readonly referrerTags?: readonly TagResult[];
  readonly images: readonly {
    readonly digest: Digest;
    readonly mediaType: string;
    readonly size: number;
    readonly platform: string | null;
    readonly isAttestation: boolean;
    readonly source: string;
    /** Whether it was written to a target that did not have it. */
    readonly written: boolean;
  }[];
  /** What was done at each target at which the publish did not fail. */
  readonly targets: readonly TargetDocument[];
  /** Targets at which the publish failed, or that a dry run may not push to. */
  readonly failed: readonly { readonly target: string; readonly error: FailureDocument }[];
  /** Source tags that were deleted, or would be in a dry run; only with --untag-sources. */
  readonly untagged?: readonly UntaggedDocument[];
}

/** A tag that was deleted, and what it pointed to. */
export interface UntaggedDocument {
  readonly name: string;
  readonly digest: Digest;
}

export interface FailureDocument {
  readonly code: ErrorCode;
  readonly message: string;
}

/**
 * The result of a publish at all its targets; at one at least it did not fail.
 * @param warnings about the request, from before the publish
 */
export function resultDocument(
  outcomes: readonly Outcome[],
  dryRun: boolean,
  warnings: readonly string[],
): ResultDocument {
  const done = outcomes.flatMap((outcome) => ('plan' in outcome ? [outcome] : []));
  const { root, images } = done[0]!.plan;
  const written = new Set(
    done.flatMap(({ plan }) => plan.children.map(({ manifest }) => manifest.digest)),
  );
  return {
    target: formatReference(outcomes[0]!.target.target),
    mediaType: root.mediaType,
    digest: root.digest,
    size: root.size,
    dryRun,
    written: !dryRun && done.some(({ plan }) => isWritten(plan)),
    entries: entriesOfIndex(root),
    tags: done.flatMap(({ target, plan }) => tagResults(target.target, plan, dryRun)),
    ...referrerTags(
      done.flatMap(({ target, plan }) => childTags(target.target, plan.children, dryRun)),
    ),
    images: images.map((image) => imageResult(image, written.has(image.entry.digest))),
    targets: done.map(({ target, plan, transferred, warnings: own, changes }) => ({
      reference: formatReference(target.target),
      image: formatPinned(target.target, root.digest),
      digest: root.digest,
      tags: tagResults(target.target, plan, dryRun),
      imagesCopied: countImages(plan),
      ...bytesOf(transferred, dryRun),
      changes: changes?.map((each) => changesDocument(target.target, each)) ?? null,
      warnings: [...warnings, ...own],
    })),
    failed: outcomes.flatMap((outcome) => {
      const error = 'error' in outcome ? outcome.error : outcome.refusal;
      return failedTargets(outcome.target.target, error);
    }),
  };
}

function isWritten(plan: PushPlan): boolean {
  return isRootWritten(plan) || plan.children.some(({ isBlobsOnly }) => !isBlobsOnly);
}

export function bytesOf(
  transferred: Transferred,
  dryRun: boolean,
): Pick<TargetDocument, 'bytesCopied' | 'bytesMounted'> {
  return dryRun ? { bytesCopied: null, bytesMounted: null } : transferred;
}

function tagResults(target: Reference, plan: PushPlan, dryRun: boolean): TagResult[] {
  const tag = (name: string, isMoved: boolean): TagResult => ({
    name: `${formatName(target)}:${name}`,
    from: plan.before.get(name) ?? null,
    to: plan.root.digest,
    status: isMoved ? (dryRun ? 'would move' : 'moved') : 'unchanged',
  });
  return [
    ...plan.tags.map((name) => tag(name, true)),
    ...plan.unchanged.map((name) => tag(name, false)),
  ];
}

function childTags(
  target: Reference,
  children: readonly ChildStep[],
  dryRun: boolean,
): TagResult[] {
  return children.flatMap(({ tag, tagBefore, manifest }) => {
    if (tag === undefined) return [];
    const name = `${formatName(target)}:${tag}`;
    const status = dryRun ? 'would move' : 'moved';
    return [{ name, from: tagBefore ?? null, to: manifest.digest, status }];
  });
}

function referrerTags(tags: readonly TagResult[]): Pick<ResultDocument, 'referrerTags'> {
  return tags.length === 0 ? {} : { referrerTags: tags };
}

function imageResult({ entry, name }: ResolvedImage, written: boolean) {
  const { digest, mediaType, size, platform } = entry;
  return {
    digest,
    mediaType,
    size,
    platform: platform === undefined ? null : formatPlatform(platform),
    isAttestation: isAttestation(entry),
    source: name,
    written,
  };
}

export function failedTargets(
  target: Reference,
  error: ManifestToolError | undefined,
): ResultDocument['failed'] {
  return error === undefined ? [] : [{ target: formatReference(target), error: failure(error) }];
}

export function failure({ code, message }: ManifestToolError): FailureDocument {
  return { code, message };
}

/** The result of an edit. */
export function editDocument(
  target: Reference,
  result: EditResult,
  dryRun: boolean,
  warnings: readonly string[],
): ResultDocument {
  const { before, after, added = [], children = [], refusal, changes } = result;
  const { transferred = { bytesCopied: 0, bytesMounted: 0 }, warnings: own = [] } = result;
  const isSame = before.digest === after.digest;
  const status = isSame ? 'unchanged' : dryRun ? 'would move' : 'moved';
  const name = formatReference(withDefaultTag(target));
  const tags: TagResult[] = [{ name, from: before.digest, to: after.digest, status }];
  const images = added.map((image) => imageResult(image, formatName(target) !== image.source.name));
  return {
    target: name,
    mediaType: after.mediaType,
    digest: after.digest,
    size: after.size,
    dryRun,
    written: !dryRun && (!isSame || children.length > 0),
    entries: entriesOfIndex(after),
    tags,
    ...referrerTags(childTags(target, children, dryRun)),
    images,
    targets: [
      {
        reference: name,
        image: formatPinned(target, after.digest),
        digest: after.digest,
        tags,
        imagesCopied: images.filter(({ written }) => written).length,
        ...bytesOf(transferred, dryRun),
        changes: changes.map((each) => changesDocument(target, each)),
        warnings: [...warnings, ...own],
      },
    ],
    failed: failedTargets(target, refusal),
  };
}

/**
 * The result for people: the digest, as manifest-tool v2 prints it, after the plan of a dry run.
 */
export function resultText(result: ResultDocument): string {
  return `${planText(result)}Digest: ${result.digest} ${result.size}\n`;
}

/**
 * The plan of a dry run, empty for any other result: one line for each image, then for each target
 * what would change, and each of its tags.
 */
export function planText(result: ResultDocument): string {
  const { dryRun, images, targets, referrerTags: others = [], untagged = [] } = result;
  if (!dryRun) return '';
  const lines = [
    ...images.map((image) => {
      const how = image.written ? 'would be copied from' : 'exists as';
      return `${imageName(image)} ${image.digest} ${how} ${image.source}`;
    }),
    ...others.map((tag) => tagLine(tag, false)),
    ...targets.flatMap(({ tags, changes }) => {
      const all = changes ?? [];
      const added = new Set(all.flatMap((each) => (each.from === null ? each.tags : [])));
      return [
        ...all.flatMap(changesLines),
        ...tags.map((tag) => tagLine(tag, added.has(tag.name))),
      ];
    }),
    ...untagged.map(({ name }) => `tag ${name} would be deleted`),
  ];
  return lines.map((line) => `${escapeText(line)}\n`).join('');
}

function imageName({ mediaType, platform, ...image }: ResultDocument['images'][0]): string {
  if (isIndexType(mediaType)) return 'index';
  if (image.isAttestation) return 'attestation';
  return platform === null ? 'manifest without platform' : `image ${platform}`;
}

function tagLine({ name, from, to, status }: TagResult, isNew: boolean): string {
  if (status === 'unchanged') return `tag ${name} points to ${to} already`;
  if (isNew) return `tag ${name} is new, and would point to ${to}`;
  return `tag ${name} would move ${from === null ? '' : `from ${from} `}to ${to}`;
}

/** How many defects an error lists. */
const MAX_DEFECTS = 20;

/** @throws {ManifestToolError} REFUSED with the first defects, if there are any. */
export function refuseDefects(name: string, { mediaType, defects }: Verification): void {
  if (defects.length === 0) return;
  const hints = defects.flatMap(({ requirement, fault }) =>
    DEFECT_HINTS[fault ?? requirement ?? 'none'](isIndexType(mediaType)),
  );
  const hint = [...new Set(hints)].join('; ');
  const each = defects.map(({ where, what }) => `${where} ${what}`);
  if (each.length === 1) {
    throw new ManifestToolError('REFUSED', `verifying ${name}`, `1 defect: ${each[0]!}`, { hint });
  }
  const rest = each.length - MAX_DEFECTS;
  const items = [
    ...each.slice(0, MAX_DEFECTS),
    ...(rest > 0 ? [`and ${rest} more: verify --json lists all`] : []),
  ];
  const why = `${each.length} defects`;
  throw new ManifestToolError('REFUSED', `verifying ${name}`, why, { hint, items });
}

const CHANGE = 'add and remove change the entries of an index';

function platformHint(isIndex: boolean): string[] {
  return [
    isIndex ? CHANGE : 'it is a single image: verify an index, or the image for that platform',
  ];
}

/** What to do about a requirement that is not met, or something that is wrong by itself. */
const DEFECT_HINTS: Readonly<
  Record<Requirement | ContentFault | 'none', (isIndex: boolean) => string[]>
> = {
  architecture: () => [
    'build the image again for its platform: a cross-build probably copied a program of the host',
  ],
  ambiguous: () => ['build the image again: tools read this document differently'],
  empty: () => [CHANGE],
  none: (isIndex) => [
    'push or copy the missing or damaged content again',
    ...(isIndex ? [CHANGE] : []),
  ],
  platforms: platformHint,
  unexpected: (isIndex) =>
    isIndex
      ? ['remove the unexpected platforms, or pass --at-least to allow them']
      : platformHint(isIndex),
  atLeast: platformHint,
  sameAs: () => ['copy publishes the same image again'],
  sameLabels: () => ['build the images again with the same label'],
  attestations: () => [
    'build the image with attestations, for example docker buildx build --sbom=true --provenance=true',
  ],
};
