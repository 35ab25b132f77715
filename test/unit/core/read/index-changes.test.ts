import { describe, expect, test } from 'vitest';
import { indexChanges } from '../../../../src/core/read/index-changes.js';
import { digestOf } from '../../../../src/oci/digest.js';
import type { Descriptor } from '../../../../src/oci/descriptor.js';
import { OCI_MANIFEST } from '../../../../src/oci/media-types.js';
import { parsePlatform } from '../../../../src/oci/platform.js';

function entry(
  name: string,
  platform: string,
  annotations: Record<string, string> = {},
): Descriptor {
  return {
    mediaType: OCI_MANIFEST,
    digest: digestOf(Buffer.from(name)),
    size: 1,
    platform: parsePlatform(platform),
    annotations: new Map(Object.entries(annotations)),
  };
}

const NONE = { added: [], removed: [], changed: [], annotations: new Map() };

describe('the changes of an index', () => {
  const [a, b] = [entry('a', 'linux/amd64'), entry('b', 'linux/arm64')];

  test('are none for the same entries in another order', () => {
    expect(indexChanges({ manifests: [a, b] }, { manifests: [b, a] })).toEqual(NONE);
  });

  test('are entries that were added and removed', () => {
    const { added, removed, changed } = indexChanges({ manifests: [a] }, { manifests: [b] });
    expect([added, removed]).toMatchObject([
      [{ digest: b.digest, platform: 'linux/arm64', isAttestation: false }],
      [{ digest: a.digest, platform: 'linux/amd64' }],
    ]);
    expect(changed).toEqual([]);
  });

  test('keep apart entries that name one manifest', () => {
    const twin = entry('a', 'linux/amd64/v2');
    const { added, removed, changed } = indexChanges(
      { manifests: [a, twin] },
      { manifests: [a, entry('a', 'linux/amd64/v3')] },
    );
    expect([added, removed]).toEqual([[], []]);
    expect(changed).toMatchObject([
      {
        platform: 'linux/amd64/v2',
        platformChange: { from: 'linux/amd64/v2', to: 'linux/amd64/v3' },
      },
    ]);
    const fewer = indexChanges({ manifests: [a, twin] }, { manifests: [a] });
    expect(fewer).toMatchObject({ removed: [{ platform: 'linux/amd64/v2' }], changed: [] });
    const more = indexChanges({ manifests: [a] }, { manifests: [a, twin] });
    expect(more).toMatchObject({ added: [{ platform: 'linux/amd64/v2' }], changed: [] });
  });

  test('are annotations that were set, changed and removed, of entries and of the index', () => {
    const before = { gone: '1', kept: '2', new: '3' };
    const after = { kept: '2', new: '4', added: '5' };
    const changes = new Map([
      ['gone', { from: '1', to: undefined }],
      ['new', { from: '3', to: '4' }],
      ['added', { from: undefined, to: '5' }],
    ]);
    const { changed, annotations } = indexChanges(
      {
        manifests: [entry('a', 'linux/amd64', before)],
        annotations: new Map(Object.entries(before)),
      },
      {
        manifests: [entry('a', 'linux/amd64', after)],
        annotations: new Map(Object.entries(after)),
      },
    );
    expect(annotations).toEqual(changes);
    expect(changed).toMatchObject([{ platformChange: undefined, annotations: changes }]);
  });
});
