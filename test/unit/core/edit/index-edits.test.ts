import { describe, expect, test } from 'vitest';
import {
  addEntries,
  annotateEntries,
  selectEntries,
} from '../../../../src/core/edit/index-edits.js';
import type { ResolvedImage } from '../../../../src/core/publish/resolved-image.js';
import type { Descriptor } from '../../../../src/oci/descriptor.js';
import { digestOf } from '../../../../src/oci/digest.js';
import { parseDocument, type ImageIndex } from '../../../../src/oci/documents.js';
import { encodeIndex } from '../../../../src/oci/json/encode-index.js';
import { IndexText } from '../../../../src/oci/json/index-text.js';
import { OCI_INDEX, OCI_MANIFEST } from '../../../../src/oci/media-types.js';

function image(name: string, osVersion: string): Descriptor {
  const digest = digestOf(Buffer.from(name));
  return {
    mediaType: OCI_MANIFEST,
    digest,
    size: 7,
    platform: { os: 'windows', architecture: 'amd64', osVersion },
  };
}

function attestation(name: string, subject: Descriptor): Descriptor {
  const annotations = new Map([
    ['vnd.docker.reference.type', 'attestation-manifest'],
    ['vnd.docker.reference.digest', subject.digest],
  ]);
  const platform = { os: 'unknown', architecture: 'unknown' };
  return { ...image(name, ''), platform, annotations };
}

function indexOf(entries: readonly Descriptor[]): { document: ImageIndex; text: IndexText } {
  const { bytes } = encodeIndex('oci', entries, new Map());
  const { document } = parseDocument(bytes, OCI_INDEX);
  if (document.kind !== 'index') throw new Error('it is not an index');
  return { document, text: new IndexText(Buffer.from(bytes).toString(), OCI_INDEX) };
}

function adding(entries: readonly Descriptor[]) {
  return addEntries(entries.map((entry) => ({ entry }) as ResolvedImage));
}

function added(entries: readonly Descriptor[], to: readonly Descriptor[]): string {
  const { document, text } = indexOf(to);
  return adding(entries)(document, text).text;
}

const [a, b, c] = [image('a', '1'), image('b', '2'), image('c', '3')];

describe('addEntries', () => {
  test('puts new images after the last image, and new attestations last', () => {
    const before = [a, attestation('of a', a)];
    const entries = [b, attestation('of b', b), c];
    expect(added(entries, before)).toBe(
      indexOf([a, b, c, attestation('of a', a), attestation('of b', b)]).text.text,
    );
  });

  test('replaces an image in place, and its attestations', () => {
    const other = image('other', '1');
    const entries = [other, attestation('of other', other)];
    expect(added(entries, [a, b, attestation('of a', a), attestation('of b', b)])).toBe(
      indexOf([other, b, attestation('of b', b), attestation('of other', other)]).text.text,
    );
  });

  test('adds nothing that the index has, when it is applied again', () => {
    const { platform: _, ...bare } = image('bare', '');
    const edit = adding([b, attestation('of b', b), bare]);
    const { document, text } = indexOf([a]);
    const once = edit(document, text).text;
    const { document: again } = parseDocument(Buffer.from(once), OCI_INDEX);
    expect(edit(again as ImageIndex, new IndexText(once, OCI_INDEX)).text).toBe(once);
  });

  test('takes time that grows with the number of images, not with its square', () => {
    const all = Array.from({ length: 5000 }, (_, i) => image(`image ${i}`, `1.${i}`));
    const half = all.length / 2;
    expect(added(all.slice(half), all.slice(0, half))).toBe(indexOf(all).text.text);
  });
});

test('annotateEntries changes thousands of entries in one pass', () => {
  const all = Array.from({ length: 3000 }, (_, i) => image(`image ${i}`, `1.${i}`));
  const { document, text } = indexOf(all);
  const annotations = new Map([['k', 'v']]);
  const selected = selectEntries('x', document, { digests: all.map(({ digest }) => digest) });
  const edit = annotateEntries(selected, { annotations });
  expect(edit(document, text).text).toBe(
    indexOf(all.map((entry) => ({ ...entry, annotations }))).text.text,
  );
});
