import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.js';
import type { Descriptor, ImageIndex } from '../../../src/oci/documents.js';
import { OCI_MANIFEST } from '../../../src/oci/media-types.js';
import { parsePlatform } from '../../../src/oci/platform.js';
import { selectEntry } from '../../../src/oci/select-entry.js';

function entry(platform: string): Descriptor {
  const digest = digestOf(Buffer.from(platform));
  return { mediaType: OCI_MANIFEST, digest, size: 1, platform: parsePlatform(platform) };
}

function attestation(name: string, image: Descriptor): Descriptor {
  const annotations = new Map([
    ['vnd.docker.reference.type', 'attestation-manifest'],
    ['vnd.docker.reference.digest', image.digest],
  ]);
  return { mediaType: OCI_MANIFEST, digest: digestOf(Buffer.from(name)), size: 1, annotations };
}

function pick(platform: string, manifests: Descriptor[]): Descriptor[] {
  const index: ImageIndex = { kind: 'index', schemaVersion: 2, manifests };
  return selectEntry(parsePlatform(platform), index, 'e.co/app:list');
}

describe('the entry for a platform', () => {
  test.each([
    ['linux/amd64', ['linux/amd64', 'linux/arm64'], 'linux/amd64'],
    ['linux/arm64', ['linux/arm64/v8', 'linux/arm/v7'], 'linux/arm64/v8'],
    ['linux/arm64/v8', ['linux/arm64', 'linux/arm/v7'], 'linux/arm64'],
    ['linux/arm64/v8', ['linux/arm64', 'linux/arm64/v8'], 'linux/arm64/v8'],
    ['linux/arm64', ['linux/arm64/v9', 'linux/arm64'], 'linux/arm64'],
    ['linux/amd64', ['linux/amd64/v3', 'linux/amd64'], 'linux/amd64'],
    ['linux/arm/v6', ['linux/arm/v7', 'linux/arm/v6'], 'linux/arm/v6'],
    ['windows/amd64', ['windows/amd64:10.0.1', 'linux/amd64'], 'windows/amd64:10.0.1'],
    ['windows/amd64:2', ['windows/amd64:1', 'windows/amd64:2'], 'windows/amd64:2'],
  ])('%s of %j is %s', (wanted, has, taken) => {
    expect(pick(wanted, has.map(entry))).toEqual([entry(taken)]);
  });

  test.each<[string, string[], string, RegExp]>([
    ['windows/amd64', ['windows/amd64:1', 'windows/amd64:2'], 'USAGE', /several: w.*:1, w.*:2$/],
    ['linux/arm', ['linux/arm/v6', 'linux/arm/v7'], 'USAGE', /has several/],
    ['linux/s390x', ['linux/amd64', 'linux/386'], 'NOT_FOUND', /it has linux\/amd64, linux\/386$/],
    ['linux/amd64/v3', ['linux/amd64'], 'NOT_FOUND', /no such entry/],
    ['linux/amd64', [], 'NOT_FOUND', /no such entry/],
  ])('%s of %j is an error', (wanted, has, code, why) => {
    const what = `including e.co/app:list for ${wanted}`;
    expect(() => pick(wanted, has.map(entry))).toThrow(expect.objectContaining({ code, what }));
    expect(() => pick(wanted, has.map(entry))).toThrow(why);
  });

  test('comes with its attestations, and those of no other', () => {
    const [amd64, arm] = [entry('linux/amd64'), entry('linux/arm/v7')];
    const of = [attestation('a', arm), attestation('b', amd64), attestation('c', amd64)];
    expect(pick('linux/amd64', [...of, arm, amd64])).toEqual([amd64, of[1], of[2]]);
  });

  test('is no attestation and no entry without platform', () => {
    const amd64 = entry('linux/amd64');
    const { platform: _, ...bare } = amd64;
    const odd = { ...attestation('a', amd64), platform: parsePlatform('linux/amd64') };
    expect(() => pick('linux/amd64', [odd, bare])).toThrow(
      expect.objectContaining({
        code: 'NOT_FOUND',
        why: expect.stringContaining(bare.digest) as string,
      }),
    );
  });
});
