import { describe, expect, test } from 'vitest';
import { differenceOf, type Difference } from '../../../../src/core/read/difference.js';
import { digestOf } from '../../../../src/oci/digest.js';
import type { Descriptor } from '../../../../src/oci/descriptor.js';
import { OCI_MANIFEST } from '../../../../src/oci/media-types.js';
import { parsePlatform } from '../../../../src/oci/platform.js';

type Values = Record<string, string>;

function entry(name: string, platform: string, annotations: Values = {}): Descriptor {
  return {
    mediaType: OCI_MANIFEST,
    digest: digestOf(Buffer.from(name)),
    size: 1,
    platform: parsePlatform(platform),
    annotations: new Map(Object.entries(annotations)),
  };
}

/** The difference of two indexes with these entries, and annotations of their own. */
function difference(
  before: Descriptor[],
  after: Descriptor[],
  own: readonly [before?: Values, after?: Values] = [],
): Promise<Difference> {
  const side = (entries: Descriptor[], annotations: Values = {}) => ({
    entries,
    annotations: new Map(Object.entries(annotations)),
    sizeOf: async () => undefined,
  });
  return differenceOf(side(before, own[0]), side(after, own[1]));
}

const NONE = { added: [], removed: [], changed: [], annotations: {} };

describe('the difference of two indexes', () => {
  const [a, b] = [entry('a', 'linux/amd64'), entry('b', 'linux/arm64')];

  test('is none for the same entries in another order', async () => {
    expect(await difference([a, b], [b, a])).toEqual(NONE);
  });

  test('is entries that were added and removed', async () => {
    const { added, removed, changed } = await difference([a], [b]);
    expect([added, removed]).toMatchObject([
      [{ digest: b.digest, platform: parsePlatform('linux/arm64'), isAttestation: false }],
      [{ digest: a.digest, platform: parsePlatform('linux/amd64') }],
    ]);
    expect(changed).toEqual([]);
  });

  test('is one change for another image of the same platform', async () => {
    const c = entry('c', 'linux/arm64/v8');
    expect(await difference([a, b], [a, c])).toMatchObject({
      added: [],
      removed: [],
      changed: [{ from: { digest: b.digest }, to: { digest: c.digest } }],
    });
  });

  test('keeps apart entries that name one manifest', async () => {
    const twin = entry('a', 'linux/amd64/v2');
    const changed = await difference([a, twin], [a, entry('a', 'linux/amd64/v3')]);
    expect(changed).toMatchObject({
      added: [],
      removed: [],
      changed: [
        {
          from: { platform: parsePlatform('linux/amd64/v2') },
          to: { platform: parsePlatform('linux/amd64/v3') },
        },
      ],
    });
    const fewer = await difference([a, twin], [a]);
    expect(fewer).toMatchObject({
      removed: [{ platform: parsePlatform('linux/amd64/v2') }],
      changed: [],
    });
    const more = await difference([a], [a, twin]);
    expect(more).toMatchObject({
      added: [{ platform: parsePlatform('linux/amd64/v2') }],
      changed: [],
    });
  });

  test('is annotations that were set, changed and removed, of entries and of the index', async () => {
    const before = { gone: '1', kept: '2', new: '3' };
    const after = { kept: '2', new: '4', added: '5' };
    const changes = {
      gone: { from: '1', to: undefined },
      new: { from: '3', to: '4' },
      added: { from: undefined, to: '5' },
    };
    const { changed, annotations } = await difference(
      [entry('a', 'linux/amd64', before)],
      [entry('a', 'linux/amd64', after)],
      [before, after],
    );
    expect(annotations).toEqual(changes);
    expect(changed).toMatchObject([{ annotations: changes }]);
  });
});
