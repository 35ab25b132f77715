import { mapInOrder } from '../../concurrency.js';
import { isSbom, predicateTypes, referrerPredicateTypes } from '../../oci/attestation.js';
import { imageEntries } from '../../oci/companions.js';
import type { FetchedManifest, ImageReader } from '../../oci/content.js';
import type { Descriptor } from '../../oci/descriptor.js';
import { formatPlatform, isNoPlatform, type Platform } from '../../oci/platform.js';
import { formatReference, type Reference } from '../../oci/reference.js';
import { comparePlatforms, missingPlatforms, platformKey } from '../../oci/select-entry.js';
import type { Client } from '../client.js';
import type { ProgressEvents } from '../events.js';
import type { Defect, Requirement } from './defects.js';
import { describeImage, platformOf, type Described } from './describe.js';
import { listReferrers } from './referrers.js';

/**
 * What an attestation states: the parts of an image (SPDX or CycloneDX), or how it was built (SLSA).
 */
export type AttestationKind = 'sbom' | 'provenance';

/** What a user expects of an image or index, beside that it is complete. */
export interface Requirements extends Partial<Record<Requirement, unknown>> {
  /** Exactly these platforms. */
  readonly platforms?: readonly Platform[];
  /** At least these platforms; one without an os version is met by any. */
  readonly atLeast?: readonly Platform[];
  /** The same platforms as this image or index, each with the same digests. */
  readonly sameAs?: Reference;
  /** Labels that every image has, with one value for all platforms (OCI image-spec, config.md). */
  readonly sameLabels?: readonly string[];
  /**
   * Attestations of each image: in the index as BuildKit stores them, as referrers of the image, or
   * under cosign's tag for them. If no image has one of a kind, that of the index itself counts, as
   * actions/attest makes it.
   */
  readonly attestations?: readonly AttestationKind[];
}

/** An image with what requirements are about. */
export interface ImageFacts {
  readonly digest: Descriptor['digest'];
  /** Of its entry, or else of its config. */
  readonly platform: Platform | undefined;
  /** The labels that are required, as far as it has them; undefined if they cannot be read. */
  readonly labels: ReadonlyMap<string, string> | undefined;
  /** Attestation manifests that its index has for it, as far as they can be read. */
  readonly attestations: readonly FetchedManifest[];
  /** Whether it is an artifact, which needs no platform. */
  readonly isArtifact: boolean;
}

/** How content is read for requirements. */
export interface RequirementContext {
  readonly client: Client;
  readonly reader: ImageReader;
  /** The index that the images are of; undefined for a single image. */
  readonly index: Descriptor['digest'] | undefined;
  /** Reads a manifest; undefined if it is missing or damaged. */
  readonly read: (entry: Descriptor) => Promise<FetchedManifest | undefined>;
  readonly events: Pick<ProgressEvents, 'warning'>;
}

/**
 * Finds what images lack that is required of them.
 * @throws {ManifestToolError} NOT_FOUND if the image to compare with does not exist; what the
 * readers throw.
 */
export async function requirementDefects(
  images: readonly ImageFacts[],
  { platforms, atLeast, sameAs, sameLabels = [], attestations = [] }: Requirements,
  context: RequirementContext,
): Promise<Defect[]> {
  const plain = images.filter(({ isArtifact }) => !isArtifact);
  const place = context.index !== undefined ? 'in the index' : 'there';
  const [compared, attested] = await Promise.all([
    sameAs === undefined ? [] : differences(images, sameAs, context),
    attestations.length === 0 ? [] : attestationDefects(plain, attestations, context),
  ]);
  return [
    ...(platforms === undefined
      ? []
      : unmet('platforms', platformDefects(images, platforms, place))),
    ...(atLeast === undefined
      ? []
      : unmet('atLeast', missing(missingPlatforms(platformsOf(images), atLeast), place))),
    ...unmet('sameAs', compared),
    ...unmet(
      'sameLabels',
      sameLabels.flatMap((key) => labelDefects(plain, key)),
    ),
    ...unmet('attestations', attested),
  ];
}

function unmet(requirement: Requirement, defects: readonly Defect[]): Defect[] {
  return defects.map((defect) => ({ ...defect, requirement }));
}

/** Finds required platforms that are missing, and others that are not required. */
function platformDefects(
  images: readonly ImageFacts[],
  required: readonly Platform[],
  place: string,
): Defect[] {
  const compared = comparePlatforms(platformsOf(images), required);
  const bare = images.filter((image) => !image.isArtifact && platformsOf([image]).length === 0);
  return [
    ...missing(compared.missing, place),
    ...compared.extra.map((platform) =>
      unexpected(formatPlatform(platform), 'is an unexpected platform'),
    ),
    ...(bare.length > 0 ? [unexpected('an image without platform', 'is unexpected')] : []),
  ];
}

function unexpected(where: string, what: string): Defect {
  return { where, what, fault: 'unexpected' };
}

function missing(platforms: readonly Platform[], place: string): Defect[] {
  return platforms.map((platform) => ({
    where: formatPlatform(platform),
    what: `is required, but not ${place}`,
  }));
}

function platformsOf(images: readonly ImageFacts[]): Platform[] {
  return images.flatMap(({ platform }) =>
    platform === undefined || isNoPlatform(platform) ? [] : [platform],
  );
}

/** Images of one platform; what has no platform is compared by its digest. */
interface Group {
  readonly shown: string;
  readonly digests: string[];
}

type Placed = Pick<ImageFacts, 'digest' | 'platform'>;

/** Finds platforms and digests that differ from those of another image or index. */
async function differences(
  images: readonly ImageFacts[],
  reference: Reference,
  { client, events }: RequirementContext,
): Promise<Defect[]> {
  const described = await describeImage(client, reference, { configs: 'needed' }, events);
  const [here, there] = [byPlatform(images), byPlatform(imagesOf(described))];
  const name = formatReference(reference);
  return [...new Set([...here.keys(), ...there.keys()])].flatMap((key) => {
    const [own, other] = [here.get(key), there.get(key)];
    const where = (own ?? other)!.shown;
    if (own === undefined)
      return [{ where, what: `is in ${name} (${other!.digests.join(', ')}), but not here` }];
    if (other === undefined) return [{ where, what: `is not in ${name}` }];
    const [mine, theirs] = [own, other].map(({ digests }) => digests.toSorted().join(', '));
    return mine === theirs ? [] : [{ where, what: `is ${mine} here, but ${theirs} in ${name}` }];
  });
}

function byPlatform(images: readonly Placed[]): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const { digest, platform } of images) {
    const isPlaced = platform !== undefined && !isNoPlatform(platform);
    const key = isPlaced ? platformKey(platform) : digest;
    const group = groups.get(key);
    const shown = isPlaced ? formatPlatform(platform) : digest;
    if (group === undefined) groups.set(key, { shown, digests: [digest] });
    else if (!group.digests.includes(digest)) group.digests.push(digest);
  }
  return groups;
}

/** All images of an index, those of indexes inside it as well; without what belongs to them. */
function imagesOf(described: Described): Placed[] {
  const leaves = leavesOf(described);
  const images = new Set(imageEntries(leaves.map(({ descriptor }) => descriptor)));
  return leaves
    .filter(({ descriptor }) => images.has(descriptor))
    .map((leaf) => ({ digest: leaf.descriptor.digest, platform: platformOf(leaf) }));
}

function leavesOf(described: Described): Described[] {
  return described.kind === 'list' ? described.entries.flatMap(leavesOf) : [described];
}

/** Finds images without a label, and those with another value than the first that has it. */
function labelDefects(images: readonly ImageFacts[], key: string): Defect[] {
  let first: { readonly value: string; readonly name: string } | undefined;
  return images.flatMap(({ digest, platform, labels }): Defect[] => {
    // That they cannot be read is a defect of its own.
    if (labels === undefined) return [];
    const value = labels.get(key);
    if (value === undefined) return [{ where: digest, what: `label ${key} is missing` }];
    const name = platform === undefined ? digest : formatPlatform(platform);
    first ??= { value, name };
    if (first.value === value) return [];
    const [own, other] = [value, first.value].map((each) => JSON.stringify(each));
    return [{ where: digest, what: `label ${key} is ${own}, but ${other} in ${first.name}` }];
  });
}

/** How the predicate types of each kind begin; versions follow. */
const PREDICATES: Readonly<Record<AttestationKind, { type: RegExp; what: string }>> = {
  sbom: {
    type: /^https:\/\/(?:spdx\.dev\/Document|cyclonedx\.org\/bom)(?:\/|$)/,
    what: 'has no SBOM attestation (SPDX or CycloneDX)',
  },
  provenance: {
    type: /^https:\/\/slsa\.dev\/provenance(?:\/|$)/,
    what: 'has no provenance attestation (SLSA)',
  },
};

/** Finds attestations that images lack. The index is asked only if no image has one of a kind. */
async function attestationDefects(
  images: readonly ImageFacts[],
  kinds: readonly AttestationKind[],
  context: RequirementContext,
): Promise<Defect[]> {
  const lacking = await mapInOrder(images, async ({ digest, attestations }) => {
    const own = attestations.flatMap(({ document }) => predicateTypes(document));
    const lacked = lackingKinds(kinds, own);
    return lacked.length === 0 ? [] : without(lacked, await attachedKinds(kinds, digest, context));
  });
  const lackedByAll = kinds.filter((kind) => lacking.every((each) => each.includes(kind)));
  const isAsked = context.index !== undefined && images.length > 0 && lackedByAll.length > 0;
  const ofIndex = isAsked ? await attachedKinds(lackedByAll, context.index, context) : [];
  const lackedByIndex = without(lackedByAll, ofIndex);
  return images.flatMap(({ digest }, i) =>
    lacking[i]!.filter((kind) => !lackedByAll.includes(kind) || lackedByIndex.includes(kind)).map(
      (kind) => ({ where: digest, what: PREDICATES[kind].what }),
    ),
  );
}

function lackingKinds(
  kinds: readonly AttestationKind[],
  types: readonly string[],
): AttestationKind[] {
  return kinds.filter((kind) => !types.some((type) => PREDICATES[kind].type.test(type)));
}

function without(
  kinds: readonly AttestationKind[],
  found: readonly AttestationKind[],
): AttestationKind[] {
  return kinds.filter((kind) => !found.includes(kind));
}

/** Those of these kinds of attestations that refer to a manifest. */
async function attachedKinds(
  kinds: readonly AttestationKind[],
  digest: Descriptor['digest'],
  { reader, read }: RequirementContext,
): Promise<AttestationKind[]> {
  const referrers = await mapInOrder(await listReferrers(reader, digest), read);
  const documents = referrers.flatMap((manifest) => manifest?.document ?? []);
  const lacking = lackingKinds(kinds, documents.flatMap(referrerPredicateTypes));
  return kinds.filter(
    (kind) => !lacking.includes(kind) || (kind === 'sbom' && documents.some(isSbom)),
  );
}
