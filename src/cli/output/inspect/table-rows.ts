import { attestedDigest, predicateTypes } from '../../../oci/attestation.js';
import type { Annotations } from '../../../oci/documents.js';
import { formatPlatform, isNoPlatform } from '../../../oci/platform.js';
import { platformOf, type Described } from '../../../core/read/describe.js';
import { totalsOf } from '../../../core/read/totals.js';
import { escapeText, formatSize } from '../../../text.js';

/** One line of the table of `inspect`, and the notes below it; all of it escaped. */
export interface Row {
  /** The platform, or what it is instead of an image. */
  readonly name: string;
  readonly size: string;
  readonly layers: string;
  readonly digest: string;
  readonly notes: readonly string[];
}

/** The lines of an image, or of a list: its entries in their order, each with its attestations below it. */
export function tableRows(described: Described): Row[] {
  return described.kind === 'list' ? listRows(described) : entryRows(described);
}

function listRows({ entries }: Described): Row[] {
  const attested = new Set(entries.flatMap(({ attestations }) => attestations));
  return entries.filter((entry) => !attested.has(entry)).flatMap(entryRows);
}

function entryRows(described: Described): Row[] {
  const { kind, descriptor, manifest, attestations } = described;
  const row = rowOf(described, platformName(described), annotationLines(descriptor.annotations));
  if (kind === 'list') {
    const notes = manifest === undefined ? ['its entries are not shown', ...row.notes] : row.notes;
    return [{ ...row, notes, name: `${row.name} (list)` }, ...listRows(described).map(indented)];
  }
  if (kind === 'other') {
    return [{ ...row, notes: [escapeText(descriptor.mediaType), ...row.notes] }];
  }
  if (kind === 'attestation') {
    // One whose image is there stands below that.
    const subject = attestedDigest(descriptor) ?? 'nothing';
    return [rowOf(described, 'attestation', [`for ${escapeText(subject)}, which is not there`])];
  }
  return [row, ...attestations.map(attestationRow)];
}

function attestationRow(described: Described): Row {
  const types = described.manifest === undefined ? [] : predicateTypes(described.manifest.document);
  return indented(rowOf(described, 'attestation', types.map(escapeText)));
}

function rowOf(described: Described, name: string, notes: readonly string[]): Row {
  const document = described.manifest?.document;
  return {
    name,
    size: formatSize(totalsOf(described).total),
    layers: document?.kind === 'manifest' ? String(document.layers?.length ?? 0) : '',
    digest: described.descriptor.digest,
    notes,
  };
}

function platformName(described: Described): string {
  const platform = platformOf(described);
  if (platform === undefined || isNoPlatform(platform)) return 'no platform';
  return escapeText(formatPlatform(platform));
}

function indented(row: Row): Row {
  return { ...row, name: `  ${row.name}`, notes: row.notes.map((note) => `  ${note}`) };
}

/** Annotations in lines, `key=value`. */
export function annotationLines(annotations: Annotations | undefined): string[] {
  return [...(annotations ?? [])].map(([key, value]) => escapeText(`${key}=${value}`));
}
