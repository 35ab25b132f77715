import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.js';
import type { Descriptor } from '../../../src/oci/descriptor.js';
import { OCI_MANIFEST } from '../../../src/oci/media-types.js';
import { parsePlatform, type Platform } from '../../../src/oci/platform.js';
import {
  comparePlatforms,
  listEntries,
  platformKey,
  runtimeKey,
  selectEntry,
  servesPlatform,
  shadowedEntries,
  variantSibling,
} from '../../../src/oci/select-entry.js';

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

function pick(platform: string, manifests: Descriptor[]): Descriptor {
  return selectEntry('including e.co/app:list', parsePlatform(platform), manifests);
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
    expect(pick(wanted, has.map(entry))).toEqual(entry(taken));
  });

  test.each<[string, string[], string, RegExp]>([
    [
      'windows/amd64',
      ['windows/amd64:1', 'windows/amd64:2'],
      'USAGE',
      /several entries are for windows\/amd64: w.*:1, w.*:2$/,
    ],
    [
      'linux/arm',
      ['linux/arm/v6', 'linux/arm/v7'],
      'USAGE',
      /several entries are for linux\/arm: /,
    ],
    ['linux/s390x', ['linux/amd64', 'linux/386'], 'NOT_FOUND', /it has linux\/amd64, linux\/386$/],
    ['linux/amd64/v3', ['linux/amd64'], 'NOT_FOUND', /no entry for linux\/amd64\/v3/],
    ['linux/amd64', [], 'NOT_FOUND', /no entry for linux\/amd64; it has none$/],
  ])('%s of %j is an error', (wanted, has, code, why) => {
    const what = 'including e.co/app:list';
    expect(() => pick(wanted, has.map(entry))).toThrow(expect.objectContaining({ code, what }));
    expect(() => pick(wanted, has.map(entry))).toThrow(why);
  });

  test('is neither an attestation nor an entry without platform', () => {
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

describe('servesPlatform', () => {
  test.each([
    ['linux/amd64', 'linux/amd64', true],
    ['linux/amd64', 'linux/arm64', false],
    ['linux/amd64', 'windows/amd64', false],
    ['linux/arm64', 'linux/arm64/v8', true],
    ['linux/arm64/v8', 'linux/arm64', true],
    ['linux/arm64/v9', 'linux/arm64/v8', false],
    ['linux/arm', 'linux/arm/v7', true],
    ['linux/arm', 'linux/arm/v6', false],
    ['linux/arm/v6', 'linux/arm', true],
    ['linux/arm/v6', 'linux/arm/v7', false],
    ['linux/amd64/v2', 'linux/amd64', true],
    ['linux/amd64', 'linux/amd64/v2', false],
    ['windows/amd64:10.0.1', 'windows/amd64', true],
    ['windows/amd64:10.0.1', 'windows/amd64:10.0.1', true],
    ['windows/amd64:10.0.1', 'windows/amd64:10.0.2', false],
    ['windows/amd64', 'windows/amd64:10.0.1', false],
  ])('an entry for %s and a request for %s: %s', (platform, request, serves) => {
    expect(servesPlatform(parsePlatform(platform), parsePlatform(request))).toBe(serves);
  });
});

describe('platformKey', () => {
  const base: Platform = { os: 'linux', architecture: 'arm' };
  test('is one for an absent member and an empty one', () => {
    expect(platformKey({ ...base, variant: '', osVersion: '', osFeatures: [] })).toBe(
      platformKey(base),
    );
  });

  test('differs in every member', () => {
    const others: Platform[] = [
      base,
      { ...base, os: 'windows' },
      { ...base, architecture: 'arm64' },
      { ...base, variant: 'v7' },
      { ...base, osVersion: 'v7' },
      { ...base, osFeatures: ['v7'] },
      { ...base, osFeatures: ['v', '7'] },
    ];
    expect(new Set(others.map(platformKey)).size).toBe(others.length);
  });
});

describe('runtimeKey', () => {
  test.each([
    ['linux/arm64', 'linux/arm64/v8', true],
    ['linux/arm', 'linux/arm/v7', true],
    ['linux/amd64/v1', 'linux/amd64', true],
    ['linux/arm', 'linux/arm/v6', false],
    ['linux/ppc64le', 'linux/ppc64le/power9', false],
    ['windows/amd64', 'windows/amd64:10.0.1', false],
    ['linux/arm64', 'windows/arm64', false],
  ])('of %s and of %s are equal: %s', (a, b, isEqual) => {
    expect(runtimeKey(parsePlatform(a)) === runtimeKey(parsePlatform(b))).toBe(isEqual);
  });
});

describe('images beside each other', () => {
  test('are shadowed by the first one with the same platform', () => {
    const names = [
      'linux/arm64',
      'linux/amd64',
      'linux/arm64/v8',
      'linux/arm/v6',
      'linux/amd64/v1',
    ];
    const images = names.map(entry);
    const { platform: _, ...bare } = entry('linux/386');
    const shadowed = shadowedEntries([bare, ...images, bare]);
    expect([...shadowed]).toEqual([
      [images[2], images[0]],
      [images[4], images[1]],
    ]);
  });

  test('have a sibling if only one of them has a variant', () => {
    const [plain, v7, other] = ['linux/arm', 'linux/arm/v7', 'linux/arm64/v8'].map(entry);
    expect(variantSibling(plain!, [other!, plain!, v7!])).toBe(v7);
    expect(variantSibling(plain!, [other!, plain!])).toBeUndefined();
    expect(variantSibling(v7!, [plain!, v7!])).toBeUndefined();
  });
});

test('required platforms are compared as users write them', () => {
  const required = ['linux/amd64', 'linux/386'].map((each) => parsePlatform(each));
  expect(comparePlatforms(['linux/s390x', 'linux/amd64'], required)).toEqual({
    missing: ['linux/386'],
    extra: ['linux/s390x'],
  });
});

test('entries are listed for a message by their platforms, each once, and not without end', () => {
  const { platform: _, ...bare } = entry('linux/386');
  expect(listEntries([])).toBe('none');
  expect(listEntries([entry('linux/arm'), bare, entry('linux/arm')])).toBe(
    `linux/arm, ${bare.digest}`,
  );
  const many = Array.from({ length: 25 }, (_unused, i) => entry(`windows/amd64:${i}`));
  expect(listEntries(many)).toMatch(/windows\/amd64:19 and 5 more$/);
});
