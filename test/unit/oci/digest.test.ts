import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  algorithmPart,
  digestOf,
  digestHash,
  encodedPart,
  isDigest,
  matchesDigest,
  parseDigest,
} from '../../../src/oci/digest.js';

const HEX = '0123456789abcdef'.repeat(4);

describe('a digest', () => {
  test.each([`sha256:${HEX}`, `sha512:${HEX}${HEX}`])('of a registered algorithm: %s', (text) => {
    expect(isDigest(text)).toBe(true);
    expect(parseDigest(text)).toBe(text);
  });

  test.each([
    ['empty', ''],
    ['no algorithm', HEX],
    ['no hash', 'sha256:'],
    ['a path', 'sha256:../../../../etc/passwd'],
    ['a path of the right length', `sha256:${'../..'.repeat(21)}x`],
    ['one digit short', `sha256:${HEX.slice(1)}`],
    ['one digit long', `sha256:${HEX}0`],
    ['the length of the other algorithm', `sha512:${HEX}`],
    ['upper case', `sha256:${HEX.toUpperCase()}`],
    ['upper-case algorithm', `SHA256:${HEX}`],
    ['not hexadecimal', `sha256:${HEX.slice(1)}g`],
    ['an algorithm that is not registered', `md5:${HEX.slice(32)}`],
    ['a combined algorithm', `sha256+b64:${HEX}`],
    ['a line break at the end', `sha256:${HEX}\n`],
    ['blanks around', ` sha256:${HEX}`],
    ['a name of every object', `constructor:${HEX}`],
  ])('is refused: %s', (_why, text) => {
    expect(isDigest(text)).toBe(false);
    expect(() => parseDigest(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  test('an error says what was read', () => {
    expect(() => parseDigest('x', 'reading the target')).toThrow(/^reading the target failed: /);
    expect(() => parseDigest('x\n')).toThrow(/^reading digest "x\\n" failed: /);
  });

  test('is of the bytes', () => {
    const empty = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
    expect(digestOf(new Uint8Array())).toBe(empty);
    expect(algorithmPart(digestOf(new Uint8Array()))).toBe('sha256');
    expect(encodedPart(digestOf(new Uint8Array()))).toBe(empty.slice(7));
  });

  test('matches its bytes and no others, in both algorithms', () => {
    const matches = fc.property(fc.uint8Array(), fc.nat(), (bytes, at) => {
      const changed = Uint8Array.of(...bytes, at % 256);
      const sha512 = parseDigest(`sha512:${createHash('sha512').update(bytes).digest('hex')}`);
      for (const digest of [digestOf(bytes), sha512]) {
        expect(isDigest(digest)).toBe(true);
        expect(matchesDigest(bytes, digest)).toBe(true);
        expect(matchesDigest(changed, digest)).toBe(false);
        expect(digestHash(digest).update(bytes).digest('hex')).toBe(encodedPart(digest));
      }
    });
    fc.assert(matches, { numRuns: 200 });
  });
});
