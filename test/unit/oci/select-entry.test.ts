import { describe, expect, test, vi } from 'vitest';
import { digestOf } from '../../../src/oci/digest.js';
import type { Descriptor } from '../../../src/oci/descriptor.js';
import { OCI_MANIFEST } from '../../../src/oci/media-types.js';
import { parsePlatform, type Platform } from '../../../src/oci/platform.js';
import {
  comparePlatforms,
  listEntries,
  platformKey,
  platformsContradict,
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
    ['linux/arm64/v8', ['linux/arm64', 'linux/arm64/v8'], 'linux/arm64'],
    ['linux/arm64', ['linux/arm64/v9', 'linux/arm64'], 'linux/arm64'],
    ['linux/amd64', ['linux/amd64/v3', 'linux/amd64'], 'linux/amd64'],
    ['linux/arm/v6', ['linux/arm/v7', 'linux/arm/v6'], 'linux/arm/v6'],
    ['windows/amd64', ['windows/amd64:10.0.1', 'linux/amd64'], 'windows/amd64:10.0.1'],
    ['windows/amd64:2', ['windows/amd64:1', 'windows/amd64:2'], 'windows/amd64:2'],
    [
      'windows(1+win32k)/amd64',
      ['windows/amd64:1', 'windows(1+win32k)/amd64'],
      'windows(1+win32k)/amd64',
    ],
    ['windows(1)/amd64', ['windows(1+win32k)/amd64', 'windows/amd64:1'], 'windows/amd64:1'],
    ['windows(1)/amd64', ['windows(1+win32k)/amd64'], 'windows(1+win32k)/amd64'],
    ['linux(+b+a)/amd64', ['linux(+a)/amd64', 'linux(+a+b+c)/amd64'], 'linux(+a+b+c)/amd64'],
  ])('%s of %j is %s', (wanted, has, taken) => {
    expect(pick(wanted, has.map(entry))).toEqual(entry(taken));
  });

  test.each<[string, string[], string, RegExp]>([
    ['linux/s390x', ['linux/amd64', 'linux/386'], 'NOT_FOUND', /it has linux\/amd64, linux\/386$/],
    ['linux/amd64/v3', ['linux/amd64'], 'NOT_FOUND', /no entry for linux\/amd64\/v3/],
    [
      'windows(1+win32k)/amd64',
      ['windows/amd64:1', 'windows(1+other)/amd64'],
      'NOT_FOUND',
      /no entry for windows\(1\+win32k\)\/amd64; it has windows\/amd64:1, windows\(1\+other\)\/amd64$/,
    ],
    ['linux/amd64', [], 'NOT_FOUND', /it is an index with no entries$/],
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

describe('of several entries', () => {
  test.each<[string, string[], string, RegExp[]]>([
    ['linux/amd64', ['linux/amd64', 'linux/amd64/v1'], 'linux/amd64', [/2 entries are for/]],
    ['linux/arm64/v8', ['linux/arm64', 'linux/arm64/v8'], 'linux/arm64', [/2 entries/]],
    [
      'windows/amd64',
      ['windows/amd64:1', 'windows/amd64:2', 'linux/amd64'],
      'windows/amd64:1',
      [/^including .*: 2 entries are for windows\/amd64; using windows\/amd64:1, sha256:/],
    ],
    ['linux/amd64', ['linux/amd64/v3', 'linux/amd64'], 'linux/amd64', []],
    ['linux/arm', ['linux/arm/v6', 'linux/arm/v7', 'linux/arm/v5'], 'linux/arm/v7', []],
    ['linux/arm', ['linux/arm/v5', 'linux/arm/v6', 'linux/arm/v8'], 'linux/arm/v6', [/3 entries/]],
    ['linux/arm', ['linux/arm/v8'], 'linux/arm/v8', [/does not run on every linux\/arm machine/]],
    ['linux/arm', ['linux/arm/v5'], 'linux/arm/v5', []],
    ['linux/amd64', ['linux/amd64/v3'], 'linux/amd64/v3', [/v3 is used for linux\/amd64, but/]],
    ['linux/arm64', ['linux/arm64/v9'], 'linux/arm64/v9', [/v9 is used for linux\/arm64, but/]],
    ['linux/amd64/v3', ['linux/amd64/v3'], 'linux/amd64/v3', []],
    [
      'windows(+win32k)/amd64',
      ['windows(1+a+win32k)/amd64', 'windows(2+win32k)/amd64'],
      'windows(1+a+win32k)/amd64',
      [/2 entries/],
    ],
  ])('for %s, %j: %s', (wanted, has, taken, says) => {
    const said = { note: vi.fn(), warning: vi.fn() };
    const selected = selectEntry('including x', parsePlatform(wanted), has.map(entry), said);
    expect(selected).toEqual(entry(taken));
    const matching = (all: RegExp[]) => all.map((each) => [expect.stringMatching(each) as string]);
    const isNote = (each: RegExp): boolean => /entries/.test(each.source);
    expect(said.note.mock.calls).toEqual(matching(says.filter(isNote)));
    expect(said.warning.mock.calls).toEqual(matching(says.filter((each) => !isNote(each))));
  });

  test('the same image twice is one', () => {
    const note = vi.fn();
    const image = entry('linux/amd64');
    selectEntry('x', parsePlatform('linux/amd64'), [image, image], { note });
    expect(note).not.toHaveBeenCalled();
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
  test('is the same for an absent member and an empty one', () => {
    expect(platformKey({ ...base, variant: '', osVersion: '', osFeatures: [] })).toBe(
      platformKey(base),
    );
  });

  test('differs in every member', () => {
    const others: Platform[] = [
      base,
      { ...base, os: 'windows' },
      { ...base, architecture: 'arm64' },
      { ...base, variant: 'v6' },
      { ...base, osVersion: 'v7' },
      { ...base, osFeatures: ['v7'] },
      { ...base, osFeatures: ['v', '7'] },
    ];
    expect(new Set(others.map(platformKey)).size).toBe(others.length);
  });

  test('does not depend on the order of the features', () => {
    const keys = [
      ['a', 'b'],
      ['b', 'a'],
    ].map((osFeatures) => platformKey({ ...base, osFeatures }));
    expect(keys[0]).toBe(keys[1]);
  });

  test.each([
    ['linux/arm64', 'linux/arm64/v8', true],
    ['linux/arm64', 'linux/aarch64', true],
    ['linux/arm64', 'Linux/ARM64/V8', true],
    ['linux/arm64', 'linux/arm64/8', true],
    ['linux/arm64', 'linux/arm64/v8.0', true],
    ['linux/arm64/v9', 'linux/arm64/v9.0', true],
    ['linux/arm64/v8.2', 'linux/arm64', false],
    ['linux/arm', 'linux/arm/v7', true],
    ['linux/arm', 'linux/arm/7', true],
    ['linux/arm', 'linux/armhf', true],
    ['linux/arm', 'linux/armv7l', true],
    ['linux/arm/v6', 'linux/armel', true],
    ['linux/amd64/v1', 'linux/amd64', true],
    ['linux/amd64', 'linux/x86_64', true],
    ['linux/amd64', 'linux/x86-64/V1', true],
    ['linux/386', 'linux/i386', true],
    ['darwin/arm64', 'macOS/aarch64', true],
    ['linux/arm', 'linux/arm/v6', false],
    ['linux/ppc64le', 'linux/ppc64le/power9', false],
    ['windows/amd64', 'windows/amd64:10.0.1', false],
    ['linux/arm64', 'windows/arm64', false],
  ])('of %s and of %s are equal: %s', (a, b, isEqual) => {
    const written = (text: string): Platform => {
      const [path, osVersion] = text.split(':');
      const [os, architecture, variant] = path!.split('/') as [string, string, string?];
      return { os, architecture, ...(variant && { variant }), ...(osVersion && { osVersion }) };
    };
    expect(platformKey(written(a)) === platformKey(written(b))).toBe(isEqual);
    expect(platformKey(parsePlatform(a)) === platformKey(parsePlatform(b))).toBe(isEqual);
  });
});

describe('platformsContradict', () => {
  test.each<[Platform, Platform, boolean]>([
    [{ os: 'linux', architecture: 'aarch64' }, { os: 'linux', architecture: 'arm64' }, false],
    [
      { os: 'Linux', architecture: 'arm', variant: '7' },
      { os: 'linux', architecture: 'arm', variant: 'v7' },
      false,
    ],
    [
      { os: 'linux', architecture: 'arm', variant: 'v7' },
      { os: 'linux', architecture: 'arm' },
      false,
    ],
    [{ os: '', architecture: '' }, { os: 'linux', architecture: 'arm' }, false],
    [
      { os: 'linux', architecture: 'arm', variant: 'v7' },
      { os: 'linux', architecture: 'arm', variant: 'v6' },
      true,
    ],
    [{ os: 'linux', architecture: 'x86_64' }, { os: 'linux', architecture: 'arm64' }, true],
    [
      { os: 'windows', architecture: 'amd64', osFeatures: ['a', 'b'] },
      { os: 'windows', architecture: 'amd64', osFeatures: ['b', 'a'] },
      false,
    ],
    [
      { os: 'windows', architecture: 'amd64', osFeatures: ['a', 'b'] },
      { os: 'windows', architecture: 'amd64', osFeatures: ['a'] },
      true,
    ],
    [
      { os: 'windows', architecture: 'amd64', osFeatures: ['a'] },
      { os: 'windows', architecture: 'amd64', osFeatures: [] },
      false,
    ],
  ])('%j and %j: %s', (a, b, contradict) => {
    expect(platformsContradict(a, b)).toBe(contradict);
    expect(platformsContradict(b, a)).toBe(contradict);
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

  test('are not shadowed if their artifact type or compression differs', () => {
    const image = entry('linux/amd64');
    const annotations = new Map([['io.github.containers.compression.zstd', 'true']]);
    const others = [
      { ...image, annotations },
      { ...image, artifactType: 'application/x' },
    ];
    expect(shadowedEntries([image, ...others]).size).toBe(0);
    const titled = { ...image, annotations: new Map([['title', 'x']]) };
    expect([...shadowedEntries([image, titled])]).toEqual([[titled, image]]);
  });

  test('have a sibling if only one of them has a variant', () => {
    const [plain, v7, other] = ['linux/arm', 'linux/arm/v7', 'linux/arm64/v8'].map(entry);
    expect(variantSibling(plain!, [other!, plain!, v7!])).toBe(v7);
    expect(variantSibling(plain!, [other!, plain!])).toBeUndefined();
    expect(variantSibling(v7!, [plain!, v7!])).toBeUndefined();
  });
});

describe('required platforms', () => {
  const read = (names: string[]): Platform[] => names.map((name) => parsePlatform(name));
  test.each<[string[], string[], string[], string[]]>([
    [['linux/s390x', 'linux/amd64'], ['linux/amd64', 'linux/386'], ['linux/386'], ['linux/s390x']],
    [['linux/arm64/v8', 'linux/arm'], ['linux/arm64', 'linux/arm/v7'], [], []],
    [['linux/arm/v6'], ['linux/arm'], ['linux/arm'], ['linux/arm/v6']],
    [['windows/amd64:10.0.1'], ['windows/amd64'], ['windows/amd64'], ['windows/amd64:10.0.1']],
    [['windows(1+a)/amd64'], ['windows(1)/amd64'], [], []],
    [['windows(1+a)/amd64'], ['windows(1)/amd64', 'windows(1+a)/amd64'], ['windows(1)/amd64'], []],
    [
      ['windows(1+a)/amd64'],
      ['windows(1+b)/amd64'],
      ['windows(1+b)/amd64'],
      ['windows(1+a)/amd64'],
    ],
    [['linux/arm64'], ['linux/arm64', 'linux/arm64/v8'], [], []],
  ])('of %j, with %j required', (actual, required, missing, extra) => {
    expect(comparePlatforms(read(actual), read(required))).toEqual({
      missing: read(missing),
      extra: read(extra),
    });
  });

  test('need not name the os features', () => {
    const platform = { ...parsePlatform('windows/amd64:1'), osFeatures: ['win32k'] };
    expect(comparePlatforms([platform], read(['windows/amd64:1']))).toEqual({
      missing: [],
      extra: [],
    });
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
