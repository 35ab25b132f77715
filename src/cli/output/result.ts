import type { EditResult } from '../../core/edit/edit-index.js';
import { documentChanges } from '../../core/read/index-changes.js';
import type { ChildStep, PushPlan } from '../../core/publish/plan.js';
import type { IndexChanges, ListedEntry } from '../../core/read/index-changes.js';
import type { Outcome } from '../../core/publish/publisher.js';
import type { Transferred } from '../../core/publish/shared-writes.js';
import type { ResolvedImage } from '../../core/publish/resolved-image.js';
import type { ContentFault, Requirement } from '../../core/read/defects.js';
import type { Verification } from '../../core/read/verify.js';
import { ManifestToolError, type ErrorCode } from '../../errors.js';
import type { Digest } from '../../oci/digest.js';
import { isIndexType } from '../../oci/media-types.js';
import { formatPlatform } from '../../oci/platform.js';
import {
  formatName,
  formatReference,
  withDefaultTag,
  type Reference,
} from '../../oci/reference.js';
import { escapeText } from '../../text.js';
import { changeDocument, changeDocuments, type ChangeDocument } from './changes.js';

/** Outcome for a tag, or the expected one in a dry run. */
interface TagResult {
  readonly name: string;
  /** Digest that it had before; null if it is new. */
  readonly from: Digest | null;
  readonly to: Digest;
  readonly status: 'moved' | 'unchanged' | 'would move';
}

/** What was done at one target, or would be in a dry run. */
interface TargetDocument {
  readonly reference: string;
  readonly digest: Digest;
  readonly tags: readonly TagResult[];
  /** Manifests of images, and of their attestations, that were written. */
  readonly imagesCopied: number;
  /** Of blobs that were uploaded; null in a dry run, which does not know. */
  readonly bytesCopied: number | null;
  /** Of blobs that the registry took from another of its repositories; null in a dry run. */
  readonly bytesMounted: number | null;
  readonly warnings: readonly string[];
}

/** The result of a publish for programs (`--json`). */
export interface ResultDocument {
  readonly target: string;
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly dryRun: boolean;
  readonly tags: readonly TagResult[];
  /** Tags of referrers that are published with it, as cosign has them; absent if there are none. */
  readonly referrerTags?: readonly TagResult[];
  readonly images: readonly {
    readonly digest: Digest;
    readonly size: number;
    readonly platform: string | null;
    readonly source: string;
    /** Whether it was written to a target that did not have it. */
    readonly written: boolean;
  }[];
  /** What was done at each target at which the publish did not fail. */
  readonly targets: readonly TargetDocument[];
  /** Targets at which the publish failed, or that a dry run may not push to. */
  readonly failed: readonly { readonly target: string; readonly error: FailureDocument }[];
}

/** The result of an edit for programs. */
export interface EditDocument extends ResultDocument {
  /** What differs from the index that the tag pointed to before. */
  readonly changes: {
    readonly added: readonly EntryDocument[];
    readonly removed: readonly EntryDocument[];
    readonly changed: readonly ChangedEntryDocument[];
    /** Of the index, by key. */
    readonly annotations: Readonly<Record<string, ChangeDocument>>;
  };
}

interface EntryDocument {
  readonly digest: string;
  readonly platform: string | null;
  readonly isAttestation: boolean;
}

interface ChangedEntryDocument extends EntryDocument {
  /** Null if it is the same. */
  readonly platformChange: ChangeDocument | null;
  /** Of the entry, by key. */
  readonly annotations: Readonly<Record<string, ChangeDocument>>;
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
    tags: done.flatMap(({ target, plan }) => tagResults(target.target, plan, dryRun)),
    ...referrerTags(
      done.flatMap(({ target, plan }) => childTags(target.target, plan.children, dryRun)),
    ),
    images: images.map((image) => imageResult(image, written.has(image.entry.digest))),
    targets: done.map(({ target, plan, transferred, warnings: own }) => ({
      reference: formatReference(target.target),
      digest: root.digest,
      tags: tagResults(target.target, plan, dryRun),
      imagesCopied: imagesCopied(plan),
      ...bytesOf(transferred, dryRun),
      warnings: [...warnings, ...own],
    })),
    failed: outcomes.flatMap((outcome) => {
      const error = 'error' in outcome ? outcome.error : outcome.refusal;
      return failedTargets(outcome.target.target, error);
    }),
  };
}

/** The image manifests that a plan writes. */
function imagesCopied({ children, tags, unchanged }: PushPlan): number {
  const isRootWritten = tags.length > 0 || unchanged.length === 0;
  const written = children.filter(
    ({ manifest, isBlobsOnly }) =>
      manifest.document.kind === 'manifest' && (isRootWritten || !isBlobsOnly),
  );
  return written.length;
}

function bytesOf(
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
  const { digest, size, platform } = entry;
  return {
    digest,
    size,
    platform: platform === undefined ? null : formatPlatform(platform),
    source: name,
    written,
  };
}

function failedTargets(
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
): EditDocument {
  const { before, after, added = [], children = [], refusal } = result;
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
    tags,
    ...referrerTags(childTags(target, children, dryRun)),
    images,
    targets: [
      {
        reference: name,
        digest: after.digest,
        tags,
        imagesCopied: images.filter(({ written }) => written).length,
        ...bytesOf(transferred, dryRun),
        warnings: [...warnings, ...own],
      },
    ],
    failed: failedTargets(target, refusal),
    changes: changesDocument(documentChanges(result)),
  };
}

function changesDocument(changes: IndexChanges): EditDocument['changes'] {
  return {
    added: changes.added.map(entryDocument),
    removed: changes.removed.map(entryDocument),
    changed: changes.changed.map((entry) => ({
      ...entryDocument(entry),
      platformChange:
        entry.platformChange === undefined ? null : changeDocument(entry.platformChange),
      annotations: changeDocuments(entry.annotations),
    })),
    annotations: changeDocuments(changes.annotations),
  };
}

function entryDocument({ digest, platform, isAttestation }: ListedEntry): EntryDocument {
  return { digest, platform: platform ?? null, isAttestation };
}

/**
 * The result for people: the digest, as manifest-tool v2 prints it, after the plan of a dry run.
 */
export function resultText(result: ResultDocument | EditDocument): string {
  const plan = result.dryRun ? planText(result) : '';
  return `${plan}Digest: ${result.digest} ${result.size}\n`;
}

/** One line for each image, each other change of an edit, and each tag. */
function planText(result: ResultDocument | EditDocument): string {
  const { images, tags, referrerTags: others = [] } = result;
  const lines = [
    ...images.map(({ digest, platform, source, written }) => {
      const how = written ? 'would be copied from' : 'is there, as';
      return `image ${platform ?? 'without platform'} ${digest} ${how} ${source}`;
    }),
    ...('changes' in result ? changeLines(result.changes) : []),
    ...[...others, ...tags].map(({ name, from, to, status }) => {
      if (status === 'unchanged') return `tag ${name} names ${to} already`;
      return `tag ${name} would move ${from === null ? '' : `from ${from} `}to ${to}`;
    }),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** One line for each entry that an edit removes or changes, and for the index. */
function changeLines({ removed, changed, annotations }: EditDocument['changes']): string[] {
  const index = annotationWords(annotations);
  return [
    ...removed.map((entry) => `${entryName(entry)} would be removed`),
    ...changed.map((entry) => {
      const to = entry.platformChange?.to;
      const platform = entry.platformChange === null ? [] : [`platform ${to ?? 'removed'}`];
      const words = [...platform, ...annotationWords(entry.annotations)];
      return `${entryName(entry)} would change: ${words.join(', ')}`;
    }),
    ...(index.length === 0 ? [] : [`index would change: ${index.join(', ')}`]),
  ].map(escapeText);
}

function entryName({ digest, platform, isAttestation }: EntryDocument): string {
  return isAttestation
    ? `attestation ${digest}`
    : `entry ${platform ?? 'without platform'} ${digest}`;
}

function annotationWords(changes: Readonly<Record<string, ChangeDocument>>): string[] {
  return Object.entries(changes).map(([key, { to }]) =>
    to === null ? `annotation ${key} removed` : `annotation ${key}=${to}`,
  );
}

/** @throws {ManifestToolError} REFUSED with all defects, if there are any. */
export function refuseDefects(name: string, { mediaType, defects }: Verification): void {
  if (defects.length === 0) return;
  const count = defects.length === 1 ? 'a defect' : `${defects.length} defects`;
  const each = defects.map(({ where, what }) => `${where} ${what}`);
  const hints = defects.flatMap(({ requirement, fault }) =>
    DEFECT_HINTS[requirement ?? fault ?? 'none'](isIndexType(mediaType)),
  );
  throw new ManifestToolError('REFUSED', `verifying ${name}`, `${count}: ${each.join('; ')}`, {
    hint: [...new Set(hints)].join('; '),
  });
}

const CHANGE = 'add and remove change the entries of an index';

function platformHint(isIndex: boolean): string[] {
  return [isIndex ? CHANGE : 'it is a single image: name an index, or the image of that platform'];
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
    'push or copy again what is missing or damaged',
    ...(isIndex ? [CHANGE] : []),
  ],
  platforms: platformHint,
  atLeast: platformHint,
  sameAs: () => ['copy publishes the same image again'],
  sameLabels: () => ['build the images again with the same label'],
  attestations: () => [
    'build the image with attestations, for example docker buildx build --sbom=true --provenance=true',
  ],
};
