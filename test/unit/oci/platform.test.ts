import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  checkPlatform,
  formatPlatform,
  parsePlatform,
  type Platform,
} from '../../../src/oci/platform.js';
import {
  ARCHITECTURES,
  ARCHITECTURE_ALIASES,
  OPERATING_SYSTEMS,
} from '../../../src/oci/platform-names.js';

/** Any character that matters (fast-check's own unit of all characters takes a second to build). */
const CHAR = fc
  .oneof(
    fc.integer({ min: 0, max: 0x2ff }),
    fc.integer({ min: 0x2000, max: 0x206f }),
    fc.constantFrom(0xd7ff, 0xfeff, 0xff01, 0xfffd, 0x1f680, 0x10ffff),
  )
  .map((code) => String.fromCodePoint(code));

const VARIANTS: Record<string, string[]> = {
  arm: ['v5', 'v6', 'v7', 'v8'],
  arm64: ['v8', 'v8.1', 'v8.9', 'v9', 'v9.5'],
  amd64: ['v1', 'v2', 'v3', 'v4'],
};

describe('parsePlatform', () => {
  test.each([
    ['linux/amd64', { os: 'linux', architecture: 'amd64' }],
    ['linux/arm64/v8', { os: 'linux', architecture: 'arm64', variant: 'v8' }],
    ['linux/arm/v7', { os: 'linux', architecture: 'arm', variant: 'v7' }],
    ['linux/386', { os: 'linux', architecture: '386' }],
    ['wasip1/wasm', { os: 'wasip1', architecture: 'wasm' }],
    ['linux/mips64le/softfloat', { os: 'linux', architecture: 'mips64le', variant: 'softfloat' }],
    [
      'windows/amd64:10.0.20348.2655',
      { os: 'windows', architecture: 'amd64', osVersion: '10.0.20348.2655' },
    ],
    [
      'windows/arm64/v8:10.0:1/2',
      { os: 'windows', architecture: 'arm64', variant: 'v8', osVersion: '10.0:1/2' },
    ],
  ])('reads %s', (text, platform) => {
    expect(parsePlatform(text)).toEqual(platform);
    expect(formatPlatform(platform)).toBe(text);
  });

  test.each([
    [
      'windows(10.0.17763+win32k)/amd64',
      { os: 'windows', architecture: 'amd64', osVersion: '10.0.17763', osFeatures: ['win32k'] },
    ],
    [
      'linux(+feature+other)/arm64/v8',
      { os: 'linux', architecture: 'arm64', variant: 'v8', osFeatures: ['feature', 'other'] },
    ],
  ])('reads and writes os features: %s', (text, platform) => {
    expect(parsePlatform(text)).toEqual(platform);
    expect(formatPlatform(platform)).toBe(text);
  });

  test.each([
    ['linux/x86_64', 'linux/amd64'],
    ['windows(10.0.17763)/amd64', 'windows/amd64:10.0.17763'],
    ['Windows(10.0.1)/X86_64', 'windows/amd64:10.0.1'],
    ['linux()/amd64', 'linux/amd64'],
    ['linux/x86_64/v3', 'linux/amd64/v3'],
    ['linux/i386', 'linux/386'],
    ['linux/aarch64', 'linux/arm64'],
    ['linux/aarch64/v9', 'linux/arm64/v9'],
    ['linux/armhf', 'linux/arm/v7'],
    ['linux/armhf/v6', 'linux/arm/v6'],
    ['linux/armel', 'linux/arm/v6'],
    ['linux/ppc64el', 'linux/ppc64le'],
    ['windows/x86_64:10.0', 'windows/amd64:10.0'],
    ['Linux/AMD64', 'linux/amd64'],
    ['linux/AArch64/V9.0', 'linux/arm64/v9'],
    ['macos/arm64', 'darwin/arm64'],
    ['linux/arm/7', 'linux/arm/v7'],
    ['linux/arm64/8', 'linux/arm64/v8'],
    ['linux/amd64/V3', 'linux/amd64/v3'],
    ['linux/arm64', 'linux/arm64'],
    ['linux/ppc64le/Power9', 'linux/ppc64le/Power9'],
  ])('understands %s as %s', (typed, proper) => {
    expect(formatPlatform(parsePlatform(typed))).toBe(proper);
  });

  test.each([
    ['', /form os\/arch/],
    ['linux', /form os\/arch/],
    ['linux/', /form os\/arch/],
    ['/amd64', /form os\/arch/],
    ['linux//v8', /form os\/arch/],
    ['linux/arm/', /form os\/arch/],
    ['linux/arm/v7/x', /form os\/arch/],
    ['linux/amd64:', /form os\/arch/],
    ['linux:1/amd64', /form os\/arch/],
    ['windows(10.0/amd64', /form os\/arch/],
    ['windows10.0)/amd64', /form os\/arch/],
    ['windows(10.0+)/amd64', /form os\/arch/],
    ['windows(10.0++a)/amd64', /form os\/arch/],
    ['windows(10.0)x/amd64', /form os\/arch/],
    ['(10.0)/amd64', /form os\/arch/],
    ['windows(10.0)/amd64:11', /form os\/arch/],
    ['windows/amd64(10.0)', /architecture "amd64\(10\.0\)" is not known/],
    [' linux/amd64', /os " linux" is not known/],
    ['linux/amd64 ', /architecture "amd64 " is not known/],
    ['Linus/amd64', /os "linus" is not known \(did you mean linux\?\)/],
    ['linux/AMD46', /architecture "amd46" is not known \(did you mean amd64\?\)/],
    ['beos/ppc', /os "beos" is not known/],
    ['linux/pdp11', /architecture "pdp11" is not known/],
    ['linux/constructor', /architecture "constructor" is not known/],
    ['unknown/unknown', /os "unknown" is not known/],
    ['linux/amd64/v5', /"v5" is not a variant of amd64/],
    ['linux/amd64/v8', /"v8" is not a variant of amd64/],
    ['linux/arm/v4', /"v4" is not a variant of arm/],
    ['linux/arm/4', /"v4" is not a variant of arm/],
    ['linux/arm64/v7', /"v7" is not a variant of arm64/],
    ['linux/arm64/v8.10', /"v8.10" is not a variant of arm64/],
  ])('refuses %j', (text, message) => {
    expect(() => parsePlatform(text)).toThrow(message);
    expect(() => parsePlatform(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  test('refuses what is far from all names with the list of them', () => {
    const hint = expect.stringContaining('riscv64') as string;
    expect(() => parsePlatform('linux/pdp11', 'reading --platforms')).toThrow(
      expect.objectContaining({ what: 'reading --platforms', hint }),
    );
  });

  test('every alias leads to a known architecture, and none is one itself', () => {
    for (const [alias, { architecture, variant }] of ARCHITECTURE_ALIASES) {
      expect(ARCHITECTURES.has(alias)).toBe(false);
      const platform = { os: 'linux', architecture, ...(variant ? { variant } : {}) };
      expect(parsePlatform(`linux/${alias}`)).toEqual(platform);
    }
  });

  test('reads back what formatPlatform writes', () => {
    const platform = fc
      .record(
        {
          os: fc.constantFrom(...OPERATING_SYSTEMS),
          architecture: fc.constantFrom(...ARCHITECTURES),
          osVersion: fc.string({ minLength: 1, unit: CHAR }),
          pick: fc.nat(),
          osFeatures: fc.array(fc.stringMatching(/^[\w.-]{1,9}$/), { minLength: 1, maxLength: 3 }),
        },
        { requiredKeys: ['os', 'architecture'] },
      )
      .map(({ pick, osFeatures, ...named }): Platform => {
        // An os version in parentheses has the characters that containerd allows.
        const rest = osFeatures === undefined ? named : { ...named, osFeatures, osVersion: '10.0' };
        if (pick === undefined) return rest;
        const variants = VARIANTS[rest.architecture] ?? ['v1', 'z14', 'softfloat'];
        return { ...rest, variant: variants[pick % variants.length]! };
      });
    const identity = fc.property(platform, (value) => {
      expect(parsePlatform(formatPlatform(value))).toEqual(value);
      expect(formatPlatform(parsePlatform(formatPlatform(value)))).toBe(formatPlatform(value));
    });
    fc.assert(identity, { numRuns: 300 });
  });

  test('refuses any other text with one line, or reads it', () => {
    const text = fc.oneof(
      fc.string({ unit: CHAR }),
      fc.array(fc.constantFrom('linux', 'arm', 'amd64', '/', ':', 'v7')).map((all) => all.join('')),
    );
    const judged = fc.property(text, (typed) => {
      try {
        checkPlatform(parsePlatform(typed), 'x');
      } catch (error) {
        expect(error).toMatchObject({ code: 'USAGE' });
        expect((error as Error).message).not.toMatch(/[\n\r]/);
      }
    });
    fc.assert(judged, { numRuns: 300 });
  });
});
