import type { TagCopy } from '../../core/publish/copy-tags.js';
import type { ManifestToolError } from '../../errors.js';
import { formatName, formatPinned, formatReference } from '../../oci/reference.js';
import { countOf, escapeText } from '../../text.js';
import { inColumns } from './columns.js';
import { changesDocument, changesLines, type ChangesDocument } from './diff.js';
import { bytesOf, failedTargets, type ResultDocument, type TargetDocument } from './result.js';

/** The result of a copy of several tags for programs (`--json`). */
interface TagCopiesDocument {
  readonly dryRun: boolean;
  /** Whether anything was written. */
  readonly written: boolean;
  /** How many tags were written, or would be; how many were up to date. */
  readonly copied: number;
  readonly unchanged: number;
  /** One for each tag and target at which the copy did not fail. */
  readonly targets: readonly TargetDocument[];
  readonly failed: ResultDocument['failed'];
}

type Done = Exclude<TagCopy, { readonly error: ManifestToolError }>;

function isDone(copy: TagCopy): copy is Done {
  return 'root' in copy;
}

function isUnchanged({ from, root }: Done): boolean {
  return from === root.digest;
}

/** The errors of a copy, and why a dry run may not push. */
export function errorsOf(copies: readonly TagCopy[]): ManifestToolError[] {
  return copies.flatMap((copy) => ('error' in copy ? copy.error : (copy.refusal ?? [])));
}

export function tagCopiesDocument(copies: readonly TagCopy[], dryRun: boolean): TagCopiesDocument {
  const done = copies.filter(isDone);
  const unchanged = done.filter(isUnchanged).length;
  return {
    dryRun,
    written: !dryRun && done.length > unchanged,
    copied: done.length - unchanged,
    unchanged,
    targets: done.map((copy) => targetDocument(copy, dryRun)),
    failed: copies.flatMap((copy) =>
      failedTargets(copy.target, 'error' in copy ? copy.error : copy.refusal),
    ),
  };
}

function targetDocument(copy: Done, dryRun: boolean): TargetDocument {
  const { target, root, from, imagesCopied, transferred, warnings } = copy;
  const name = formatReference(target);
  const status = isUnchanged(copy) ? 'unchanged' : dryRun ? 'would move' : 'moved';
  return {
    reference: name,
    digest: root.digest,
    image: formatPinned(target, root.digest),
    tags: [{ name, from: from ?? null, to: root.digest, status }],
    imagesCopied,
    ...bytesOf(transferred, dryRun),
    changes: dryRun ? changesOf(copy) : null,
    warnings,
  };
}

function changesOf({ target, changes = [] }: Done): ChangesDocument[] {
  return changes.map((each) => changesDocument(target, each));
}

/**
 * One line for each tag and target: digest, reference and outcome; in a dry run after what would
 * change for the tags that exist.
 */
export function tagCopiesText(copies: readonly TagCopy[], dryRun: boolean): string {
  const changes = dryRun ? copies.filter(isDone).flatMap(changesOf) : [];
  const lines = changes.filter(({ from }) => from !== null).flatMap(changesLines);
  const rows = copies.map((copy) => [
    isDone(copy) ? copy.root.digest : NO_DIGEST,
    formatReference(copy.target),
    isDone(copy) ? outcomeOf(copy, dryRun) : 'failed',
  ]);
  return lines.map((line) => `${escapeText(line)}\n`).join('') + inColumns(rows);
}

/** In place of the digest of a tag that was not copied. */
const NO_DIGEST = '-';

function outcomeOf(copy: Done, dryRun: boolean): string {
  const { from } = copy;
  if (isUnchanged(copy)) return 'unchanged';
  if (copy.refusal !== undefined) return 'failed';
  if (from === undefined) return dryRun ? 'would be copied' : 'copied';
  return `${dryRun ? 'would move' : 'moved'} from ${from}`;
}

/** How many tags had which outcome. */
export function tagCopiesSummary(copies: readonly TagCopy[], dryRun: boolean): string {
  const { copied, unchanged } = tagCopiesDocument(copies, dryRun);
  const failed = errorsOf(copies).length;
  const counts = [
    `${copied} ${dryRun ? 'would be copied' : 'copied'}`,
    `${unchanged} unchanged`,
    ...(failed === 0 ? [] : [`${failed} failed`]),
  ];
  const targets = new Set(copies.map(({ target }) => formatName(target))).size;
  const to = targets > 1 ? ` at ${targets} targets` : '';
  return `${countOf(copies.length / targets, 'tag')}${to}: ${counts.join(', ')}`;
}
