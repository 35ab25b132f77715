import { expect, test } from 'vitest';
import { parseCommandLine } from '../../src/cli/args/parse.js';
import { parseSpecs } from '../../src/spec/spec.js';
import { parseDuration } from '../../src/duration.js';
import { Secrets } from '../../src/secrets.js';
import { suggestion } from '../../src/text.js';
import { cpuTimeOf } from '../support/cpu-time.js';

// What fuzzing has found, in its smallest form.

function sourcesOf(text: string): unknown {
  return parseSpecs(text, 'spec.yaml', { warning: () => undefined })[0]!.sources;
}

test('a mapping of a spec that merges itself is read without it', () => {
  const platform = 'platform: &a {os: linux, architecture: arm, <<: *a}';
  expect(sourcesOf(`image: a\nmanifests:\n- {image: b, ${platform}}\n`)).toMatchObject([
    { platform: { os: 'linux', architecture: 'arm' } },
  ]);
});

test('merges of merges of a spec take no time: each mapping is read once', async () => {
  const levels = Array.from({ length: 14 }, (_, i) => {
    const merged = i === 0 ? 'os: linux' : `<<: [*a${i - 1}, *a${i - 1}]`;
    return `- {image: b, platform: &a${i} {${merged}}}\n`;
  });
  let read: unknown;
  const time = await cpuTimeOf(
    () => (read = sourcesOf(`image: a\nmanifests:\n${levels.join('')}`)),
  );
  expect(read).toContainEqual(expect.objectContaining({ platform: { os: 'linux' } }));
  expect(time).toBeLessThan(1000);
});

test('digits without end are no duration, and that is known at once', async () => {
  const read = (): unknown => parseDuration(`${'1'.repeat(50_000)}x`);
  expect(read()).toBeUndefined();
  expect(await cpuTimeOf(read)).toBeLessThan(500);
});

test.each([['-=x'], ['-='], ['--=x']])('%s is no option and not passed over', (word) => {
  expect(() => parseCommandLine(['inspect', word, 'a'])).toThrow(
    expect.objectContaining({ code: 'USAGE' }) as Error,
  );
});

test('nothing is suggested for a word without end, and at once', async () => {
  const known = Array.from({ length: 40 }, (_, i) => `option-${i}`);
  const suggest = (): string => suggestion('a'.repeat(100_000), known);
  expect(suggest()).toBe('');
  expect(await cpuTimeOf(suggest)).toBeLessThan(500);
});

test.each([
  ['mappings of one line', 'a: '.repeat(6000)],
  ['flow sequences', '['.repeat(6000)],
  ['block sequences', '- '.repeat(6000)],
])('a spec of %s without end is refused', (_what, text) => {
  // Again and again: what is compiled for it must find room each time.
  for (let i = 0; i < 4; i += 1) expect(() => sourcesOf(text)).toThrow('nested too deeply');
});

test('a secret with half of a surrogate pair is remembered', () => {
  const secrets = new Secrets();
  secrets.add('secret\ud800');
  secrets.addUrl('http://user:secret\udc00@proxy');
  expect(secrets.redact('a secret\ud800 b secret\udc00')).toBe('a REDACTED b REDACTED');
});

test('a value may be two dashes and a letter: letters of options have one dash', async () => {
  const { options } = parseCommandLine(['inspect', '--username', '--u', 'a']) as Run;
  expect(options.get('username')).toEqual(['--u']);
});

type Run = Extract<ReturnType<typeof parseCommandLine>, { kind: 'run' }>;
