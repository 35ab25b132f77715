import type { Digest } from '../oci/digest.js';
import { formatPlatform } from '../oci/platform.js';
import { formatName, formatReference, type Reference } from '../oci/reference.js';
import type { EditResult } from '../plan/edit.js';
import type { PushPlan } from '../plan/steps.js';

/** What became of a tag, or would in a dry run. */
interface TagResult {
  readonly name: string;
  /** What it named before; null where there was no such tag. */
  readonly from: Digest | null;
  readonly to: Digest;
  readonly status: 'moved' | 'unchanged' | 'would move';
}

/** The result of a push for programs (`--json`). */
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
    /** Whether it was brought to the target, which did not hold it. */
    readonly written: boolean;
  }[];
}

export function resultDocument(target: Reference, plan: PushPlan, dryRun: boolean): ResultDocument {
  const { list, before } = plan;
  const written = new Set(plan.children.map(({ manifest }) => manifest.digest));
  const tag = (name: string, isMoved: boolean): TagResult => ({
    name: `${formatName(target)}:${name}`,
    from: before.get(name) ?? null,
    to: list.digest,
    status: isMoved ? (dryRun ? 'would move' : 'moved') : 'unchanged',
  });
  return {
    target: formatReference(target),
    mediaType: list.mediaType,
    digest: list.digest,
    size: list.size,
    dryRun,
    tags: [
      ...plan.tags.map((name) => tag(name, true)),
      ...plan.unchanged.map((name) => tag(name, false)),
    ],
    images: plan.images.map(({ entry, name }) => ({
      digest: entry.digest,
      size: entry.size,
      platform: entry.platform === undefined ? null : formatPlatform(entry.platform),
      source: name,
      written: written.has(entry.digest),
    })),
  };
}

/** The plan of a dry run for people: a line for each image and each tag. */
export function renderPlan({ images, tags }: ResultDocument): string {
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

/** The file of `--metadata-file`, with the keys that buildx gives it. */
export function metadataText({ mediaType, digest, size, tags, target }: ResultDocument): string {
  const names = tags.length === 0 ? [target] : tags.map(({ name }) => name);
  return `${JSON.stringify(
    {
      'containerimage.descriptor': { mediaType, digest, size },
      'containerimage.digest': digest,
      'image.name': names.join(','),
    },
    undefined,
    2,
  )}\n`;
}

/** The result of an edit, as that of a push that brought no images. */
export function editDocument(
  target: Reference,
  { before, after }: EditResult,
  dryRun: boolean,
): ResultDocument {
  const isSame = before.digest === after.digest;
  const status = isSame ? 'unchanged' : dryRun ? 'would move' : 'moved';
  const name = formatReference(target.tag === undefined ? { ...target, tag: 'latest' } : target);
  return {
    target: name,
    mediaType: after.mediaType,
    digest: after.digest,
    size: after.size,
    dryRun,
    tags: [{ name, from: before.digest, to: after.digest, status }],
    images: [],
  };
}

/** An edit for people. */
export function renderEdit(document: ResultDocument): string {
  return `${document.dryRun ? renderPlan(document) : ''}Digest: ${document.digest} ${document.size}\n`;
}

export function jsonText(document: object): string {
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
