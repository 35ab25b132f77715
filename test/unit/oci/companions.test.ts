import { describe, expect, test } from 'vitest';
import {
  Companions,
  companionsOf,
  imageEntries,
  withoutAttestations,
} from '../../../src/oci/companions.js';
import { digestOf } from '../../../src/oci/digest.js';
import type { Descriptor } from '../../../src/oci/descriptor.js';
import { OCI_MANIFEST } from '../../../src/oci/media-types.js';
import { parsePlatform } from '../../../src/oci/platform.js';

const digest = (name: string) => digestOf(Buffer.from(name));

function entry(name: string, part: Partial<Descriptor> = {}): Descriptor {
  return { mediaType: OCI_MANIFEST, digest: digest(name), size: name.length, ...part };
}

const image = (name: string, part: Partial<Descriptor> = {}): Descriptor =>
  entry(name, { platform: parsePlatform('linux/amd64'), ...part });
const names = (...pairs: [key: string, name: string][]) =>
  new Map(pairs.map(([key, name]) => [key, digest(name)]));

const SOCI = 'application/vnd.amazon.soci.index.v2+json';

describe('an entry that names the digest of another one belongs to it', () => {
  const gzip = image('gzip', { annotations: names(['com.amazon.soci.index-digest', 'soci']) });
  const soci = image('soci', {
    artifactType: SOCI,
    annotations: names(['com.amazon.soci.image-manifest-digest', 'gzip']),
  });
  const attestation = entry('attestation', {
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: new Map([
      ['vnd.docker.reference.type', 'attestation-manifest'],
      ['vnd.docker.reference.digest', digest('gzip')],
    ]),
  });
  const signature = entry('signature', { annotations: names(['com.acme.signed', 'soci']) });
  const other = image('other');

  test.each([
    ['in the order of the image first', [gzip, soci, attestation, signature, other]],
    ['in any order', [signature, attestation, soci, other, gzip]],
  ])('also through a third one, %s', (_, entries) => {
    expect(imageEntries(entries)).toEqual(entries.filter((e) => e === gzip || e === other));
    expect(new Set(companionsOf(gzip.digest, entries))).toEqual(
      new Set([soci, attestation, signature]),
    );
    expect(companionsOf(soci.digest, entries)).toEqual([signature]);
    expect(companionsOf(other.digest, entries)).toEqual([]);
  });

  test('and without attestations, what belongs to them alone is left out', () => {
    const ofAttestation = entry('of', { annotations: names(['x', 'attestation']) });
    const ofBoth = entry('both', { annotations: names(['x', 'attestation'], ['y', 'gzip']) });
    expect(withoutAttestations([gzip, soci, attestation, ofAttestation, ofBoth])).toEqual([
      gzip,
      soci,
      ofBoth,
    ]);
  });

  test('but an image does not belong to an artifact, even if only the image names it', () => {
    const artifact = entry('soci', { artifactType: SOCI });
    expect(companionsOf(gzip.digest, [gzip, artifact])).toEqual([artifact]);
    expect(imageEntries([artifact, gzip])).toEqual([gzip]);
  });

  test('but an image does not belong to its base', () => {
    const annotations = names(['org.opencontainers.image.base.digest', 'gzip']);
    const derived = image('derived', { annotations });
    expect(imageEntries([gzip, derived])).toEqual([gzip, derived]);
  });

  test('and of two that name each other, the second to the first', () => {
    const [a, b] = [image('a', { annotations: names(['x', 'b']) }), image('b')];
    const second = { ...b, annotations: names(['x', 'a']) };
    expect(imageEntries([a, second])).toEqual([a]);
    expect(imageEntries([second, a])).toEqual([second]);
  });

  test('and not to itself, nor to what the index does not have', () => {
    const annotations = names(['x', 'self'], ['y', 'elsewhere']);
    const self = image('self', { annotations });
    expect(new Companions([self]).has(self)).toBe(false);
    expect(new Companions([attestation]).has(attestation)).toBe(true);
    expect(new Companions([attestation]).isOwned(attestation)).toBe(false);
  });

  test('and to several, until the last of them is gone', () => {
    const annotations = names(['x', 'gzip'], ['y', 'other']);
    const shared = entry('shared', { annotations });
    const companions = new Companions([gzip, other, shared]);
    expect(companions.of([gzip.digest])).toEqual([shared]);
    expect(companions.onlyOf([gzip.digest])).toEqual([]);
    expect(companions.onlyOf([gzip.digest, other.digest])).toEqual([shared]);
  });

  test('and a circle ends', () => {
    const [a, b, c] = [
      entry('a', { annotations: names(['x', 'b']) }),
      entry('b', { annotations: names(['x', 'c']) }),
      entry('c', { annotations: names(['x', 'a']) }),
    ];
    expect(companionsOf(a.digest, [a, b, c])).toEqual([a, b, c]);
  });
});
