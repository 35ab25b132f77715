import type { EditResult } from '../../core/edit/edit-index.js';
import type { PushPlan } from '../../core/publish/plan.js';
import type { Outcome } from '../../core/publish/publisher.js';
import type { ResolvedImage } from '../../core/publish/resolved.js';
import type { Verification } from '../../core/read/verify.js';
import { ManifestToolError, type ErrorCode } from '../../errors.js';
import type { Digest } from '../../oci/digest.js';
import { formatPlatform } from '../../oci/platform.js';
import {
  formatName,
  formatReference,
  withDefaultTag,
  type Reference,
} from '../../oci/reference.js';

/** Outcome for a tag, or the expected one in a dry run. */
interface TagResult {
  readonly name: string;
  /** Digest that it had before; null if it is new. */
  readonly from: Digest | null;
  readonly to: Digest;
  readonly status: 'moved' | 'unchanged' | 'would move';
}

/** The result of a publish for programs (`--json`). */
export interface ResultDocument {
  readonly target: string;
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly dryRun: boolean;
  readonly tags: readonly TagResult[];
  readonly images: readonly {
    readonly digest: Digest;
    readonly size: number;
    readonly platform: string | null;
    readonly source: string;
    /** Whether it was written to a target that did not have it. */
    readonly written: boolean;
  }[];
  /** Targets at which the publish failed; at one at least it did not. */
  readonly failed: readonly { readonly target: string; readonly error: FailureDocument }[];
}

export interface FailureDocument {
  readonly code: ErrorCode;
  readonly message: string;
}

/** The result of a publish at all its targets; at one at least it did not fail. */
export function resultDocument(outcomes: readonly Outcome[], dryRun: boolean): ResultDocument {
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
    images: images.map((image) => imageResult(image, written.has(image.entry.digest))),
    failed: outcomes.flatMap((outcome) =>
      'error' in outcome
        ? [{ target: formatReference(outcome.target.target), error: failure(outcome.error) }]
        : [],
    ),
  };
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

export function failure({ code, message }: ManifestToolError): FailureDocument {
  return { code, message };
}

/** The result of an edit. */
export function editDocument(
  target: Reference,
  { before, after, added = [] }: EditResult,
  dryRun: boolean,
): ResultDocument {
  const isSame = before.digest === after.digest;
  const status = isSame ? 'unchanged' : dryRun ? 'would move' : 'moved';
  const name = formatReference(withDefaultTag(target));
  return {
    target: name,
    mediaType: after.mediaType,
    digest: after.digest,
    size: after.size,
    dryRun,
    tags: [{ name, from: before.digest, to: after.digest, status }],
    images: added.map((image) => imageResult(image, formatName(target) !== image.source.name)),
    failed: [],
  };
}

/**
 * The result for people: the digest, as manifest-tool v2 prints it, after the plan of a dry run.
 */
export function resultText(result: ResultDocument): string {
  const plan = result.dryRun ? planText(result) : '';
  return `${plan}Digest: ${result.digest} ${result.size}\n`;
}

/** One line for each image and each tag. */
function planText({ images, tags }: ResultDocument): string {
  const lines = [
    ...images.map(({ digest, platform, source, written }) => {
      const how = written ? 'would be brought from' : 'is there, as';
      return `image ${platform ?? 'without platform'} ${digest} ${how} ${source}`;
    }),
    ...tags.map(({ name, from, to, status }) => {
      if (status === 'unchanged') return `tag ${name} names ${to} already`;
      return `tag ${name} would move ${from === null ? '' : `from ${from} `}to ${to}`;
    }),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** @throws {ManifestToolError} REFUSED with all defects, if there are any. */
export function refuseDefects(name: string, { defects }: Verification): void {
  if (defects.length === 0) return;
  const count = defects.length === 1 ? 'a defect' : `${defects.length} defects`;
  const each = defects.map(({ where, what }) => `${where} ${what}`);
  throw new ManifestToolError('REFUSED', `verifying ${name}`, `${count}: ${each.join('; ')}`, {
    hint:
      'push or copy again what is missing or damaged; ' +
      'add and remove change the entries of an index',
  });
}
