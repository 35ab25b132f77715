import { attestedDigest, predicateTypes } from '../../../oci/attestation.js';
import { Companions } from '../../../oci/companions.js';
import type { Annotations } from '../../../oci/descriptor.js';
import type { ImageManifest } from '../../../oci/documents.js';
import { asWritable, Members, type Writable } from '../../../oci/json/go-marshal.js';
import { ociDescriptor, platformMembers } from '../../../oci/json/go-structs.js';
import { formatPlatform, isNoPlatform } from '../../../oci/platform.js';
import { platformOf, type Described } from '../../../core/read/describe.js';
import type { ListedReferrer } from '../../../core/read/referrers.js';
import { totalsOf } from '../../../core/read/totals.js';

type MemberList = [string, Writable | undefined][];

/** The document of `inspect --format json` (docs/reference/json.md). */
export function inspectDocument(name: string, described: Described): Members {
  return new Members([['name', name], ...members(described)]);
}

function members(described: Described): MemberList {
  const { kind, descriptor, isEntry, manifest, referrers } = described;
  const document = manifest?.document;
  const platform = platformOf(described);
  const own = map(document?.annotations);
  return [
    ['kind', kind],
    ['digest', descriptor.digest],
    ['mediaType', manifest?.mediaType ?? descriptor.mediaType],
    ['size', descriptor.size],
    ['artifactType', document?.artifactType || descriptor.artifactType || null],
    ['platform', platform === undefined ? null : platformMembers(platform)],
    ['annotations', isEntry ? map(descriptor.annotations) : own],
    // An entry has annotations in the index, and its manifest has its own.
    ['manifestAnnotations', isEntry ? own : undefined],
    ['subject', document?.subject === undefined ? null : ociDescriptor(document.subject)],
    ...kindMembers(described),
    ['referrers', referrers?.map(referrer)],
  ];
}

function referrer({ tag, ...descriptor }: ListedReferrer): Members {
  return new Members([...ociDescriptor(descriptor).list, ['tag', tag]]);
}

function kindMembers(described: Described): MemberList {
  const { kind, manifest, attestations, entries } = described;
  if (manifest === undefined) return [];
  if (kind === 'list') {
    return [
      ['platforms', platformNames(entries)],
      ['totals', totals(described)],
      ['entries', entries.map((entry) => new Members(members(entry)))],
      ['attestations', entries.filter(isAttesting).map(attestation)],
    ];
  }
  return [
    ...imageMembers(described, manifest.document as ImageManifest),
    ...(kind === 'attestation'
      ? ([['attestation', attestation(described)]] satisfies MemberList)
      : ([['attestations', attestations.map(attestation)]] satisfies MemberList)),
  ];
}

function imageMembers(described: Described, { config, layers }: ImageManifest): MemberList {
  const content = described.config === undefined ? null : asWritable(described.config.json);
  return [
    [
      'config',
      new Members([
        ['mediaType', config.mediaType],
        ['digest', config.digest],
        ['size', config.size],
        ['content', content],
      ]),
    ],
    ['layers', (layers ?? []).map(ociDescriptor)],
    ['totals', totals(described)],
  ];
}

function isAttesting({ kind }: Described): boolean {
  return kind === 'attestation';
}

function attestation({ descriptor, manifest }: Described): Members {
  return new Members([
    ['digest', descriptor.digest],
    ['size', descriptor.size],
    ['subject', attestedDigest(descriptor) ?? null],
    ['predicateTypes', manifest === undefined ? [] : predicateTypes(manifest.document)],
  ]);
}

/** The platforms of the images among the entries of an index. */
function platformNames(entries: readonly Described[]): string[] {
  const companions = new Companions(entries.map(({ descriptor }) => descriptor));
  return entries.flatMap((entry) => {
    const { descriptor, kind } = entry;
    if (companions.has(descriptor)) return [];
    if (kind === 'list' && descriptor.platform === undefined) return platformNames(entry.entries);
    const platform = platformOf(entry);
    return platform === undefined || isNoPlatform(platform) ? [] : [formatPlatform(platform)];
  });
}

function totals(described: Described): Members {
  return new Members(Object.entries(totalsOf(described)));
}

function map(annotations: Annotations | undefined): Annotations {
  return annotations ?? new Map<string, string>();
}
