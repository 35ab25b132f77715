import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatSpec } from '../../../src/spec/format.js';
import type { Spec } from '../../../src/core/publish/request.js';
import { parseSpecs } from '../../../src/spec/spec.js';
import { parseReference } from '../../../src/oci/reference.js';

/** What a reader of YAML could take for something else, among all other texts. */
const texts = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('<<', '~', 'null', 'yes', '1.10', '0x1', '- a', '# a', 'a: b', '*a', '&a', '!a'),
  fc.constantFrom(
    '|',
    '>',
    '%a',
    '---',
    '...',
    ' a ',
    'a\n',
    '\n\n',
    '\ta',
    '"',
    "'",
    '[',
    '{',
    '?',
  ),
  fc.constantFrom('\u001b[31m', '\u2028', '\u202e', '\ud800', '\r', 'a'.repeat(200).concat(' b')),
);

const platforms = fc.record(
  {
    os: fc.constant('windows'),
    architecture: fc.constantFrom('amd64', '386'),
    osVersion: texts.filter((text) => text !== ''),
    osFeatures: fc.array(texts, { minLength: 1 }),
  },
  { requiredKeys: ['os', 'architecture'] },
);

const annotations = fc.array(fc.tuple(texts, texts)).map((pairs) => new Map(pairs));
const UNKNOWN = { os: 'unknown', architecture: 'unknown' };

const specs: fc.Arbitrary<Spec> = fc.record(
  {
    target: fc
      .constantFrom('e.co/a:1.10', 'oci-layout://a b/# c:1', '127.0.0.1:5000/a')
      .map(parseReference),
    tags: fc.uniqueArray(fc.constantFrom('1.10', 'true', 'null', '0', 'latest')),
    annotations,
    sources: fc.array(
      fc
        .record(
          {
            reference: fc.constant(parseReference(`e.co/a@sha256:${'0'.repeat(64)}`)),
            platform: fc.oneof(fc.constant({}), fc.constant(UNKNOWN), platforms),
            annotations: annotations.filter(({ size }) => size > 0),
          },
          { requiredKeys: ['reference', 'platform'] },
        )
        // As a spec is read: a platform selects from an index.
        .map((source) => ({
          ...source,
          ...(Object.keys(source.platform).length === 0 ? {} : { onlyPlatform: true }),
        })),
      { minLength: 1, maxLength: 3 },
    ),
    type: fc.constantFrom('oci', 'docker', 'auto'),
    artifactType: fc.constantFrom('application/vnd.acme.app', 'a/b+json'),
    dropAttestations: fc.boolean(),
  },
  { requiredKeys: ['target', 'tags', 'annotations', 'sources'] },
);

describe('a spec as text', () => {
  test('reads back as it went in, whatever is in it, and acts on no terminal', () => {
    fc.assert(
      fc.property(specs, texts, (spec, comment) => {
        const text = formatSpec(spec, ['A comment', comment]);
        const warning = (message: string): never => {
          throw new Error(message);
        };
        expect(parseSpecs(text, 'app.yaml', { warning })).toEqual([spec]);
        // oxlint-disable-next-line no-control-regex -- these characters are what it is about
        expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/);
      }),
      { numRuns: 1000 },
    );
  });
});
