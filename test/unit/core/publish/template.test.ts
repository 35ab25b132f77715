import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatPlatform, parsePlatform } from '../../../../src/oci/platform.js';
import { formatReference } from '../../../../src/oci/reference.js';
import { sourcesFromTemplate } from '../../../../src/core/publish/template.js';

function expand(template: string, ...platforms: string[]): string[] {
  return sourcesFromTemplate(
    template,
    platforms.map((text) => parsePlatform(text)),
  ).map(({ reference }) => formatReference(reference));
}

describe('a template', () => {
  test.each([
    ['e.co/app:OS-ARCH', 'linux/amd64', 'e.co/app:linux-amd64'],
    ['e.co/app:OS-ARCH-VARIANT', 'linux/arm/v7', 'e.co/app:linux-arm-v7'],
    ['e.co/app:OS-ARCHVARIANT', 'linux/amd64', 'e.co/app:linux-amd64'],
    ['e.co/app:OS-ARCH-VARIANT', 'linux/amd64', 'e.co/app:linux-amd64-'],
    ['e.co/OS/ARCH/app:OS-ARCH-ARCH', 'linux/s390x', 'e.co/linux/s390x/app:linux-s390x-s390x'],
    ['e.co/ARCHOS:1', 'linux/amd64', 'e.co/amd64linux:1'],
    ['e.co/VARIANT/VARIANT:1', 'linux/arm64/v8', 'e.co/v8/v8:1'],
    ['e.co/app:ARCH', 'linux/x86_64', 'e.co/app:amd64'],
    ['e.co/app:OS-ARCH', 'windows/amd64:10.0.1', 'e.co/app:windows-amd64'],
    ['oci-layout://build/ARCH:OS', 'linux/arm64', 'oci-layout://build/arm64:linux'],
    ['ARCH/app', 'linux/amd64', 'docker.io/amd64/app'],
    ['e.co/app:os-arch', 'linux/amd64', 'e.co/app:os-arch'],
  ])('%s for %s is %s', (template, platform, reference) => {
    expect(expand(template, platform)).toEqual([reference]);
  });

  test('gives one source for each platform, in order, with its platform', () => {
    const platforms = ['linux/amd64', 'linux/arm/v7'].map((text) => parsePlatform(text));
    const sources = sourcesFromTemplate('e.co/app:ARCHVARIANT', platforms);
    expect(sources.map(({ platform }) => platform)).toEqual(platforms);
    expect(sources.every(({ onlyPlatform }) => !onlyPlatform)).toBe(true);
  });

  test('without placeholders is one image, of which each platform takes its own entry', () => {
    const sources = sourcesFromTemplate('e.co/app:1', [parsePlatform('linux/amd64')]);
    expect(sources[0]).toMatchObject({ onlyPlatform: true, reference: { tag: '1' } });
  });

  test('that is no reference for a platform says for which', () => {
    expect(() => expand('e.co/app:-ARCH', 'linux/amd64')).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        what: 'reading template "e.co/app:-ARCH"',
        why: expect.stringContaining('with linux/amd64 it is "e.co/app:-amd64"') as string,
      }),
    );
    expect(() => expand('', 'linux/amd64')).toThrow(/it is empty/);
    expect(() => expand('e.co/app:{{.Arch}}', 'linux/amd64')).toThrow(
      expect.objectContaining({ hint: 'the placeholders are OS, ARCH and VARIANT' }),
    );
  });

  test('is replaced in a single pass', () => {
    // The variant of an open set may itself be spelled like a placeholder.
    const mips = { os: 'linux', architecture: 'mips', variant: 'ARCH' };
    const [source] = sourcesFromTemplate('e.co/app:VARIANT-OS', [mips]);
    expect(source?.reference.tag).toBe('ARCH-linux');
  });

  test('has no placeholder left, wherever they stand', () => {
    const pieces = fc.array(fc.constantFrom('OS', 'ARCH', 'VARIANT', '-', 'x'), { maxLength: 8 });
    const platform = fc.constantFrom('linux/amd64', 'linux/arm/v7', 'windows/arm64/v8');
    const replaced = fc.property(pieces, platform, (list, text) => {
      const { os, architecture, variant = '' } = parsePlatform(text);
      const values: Record<string, string> = { OS: os, ARCH: architecture, VARIANT: variant };
      const tag = list.map((piece) => values[piece] ?? piece).join('');
      expect(expand(`e.co/app:t${list.join('')}`, text)).toEqual([`e.co/app:t${tag}`]);
      expect(formatPlatform(parsePlatform(text))).toBe(text);
    });
    fc.assert(replaced, { numRuns: 200 });
  });
});
