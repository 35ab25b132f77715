import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../../src/oci/digest.js';
import type { Descriptor } from '../../../../src/oci/descriptor.js';
import { IndexText } from '../../../../src/oci/json/index-text.js';
import { encodeIndex, type IndexType } from '../../../../src/oci/json/encode-index.js';
import { DOCKER_MANIFEST_LIST, OCI_INDEX, OCI_MANIFEST } from '../../../../src/oci/media-types.js';

const entry = (name: string): Descriptor => ({
  mediaType: OCI_MANIFEST,
  digest: digestOf(Buffer.from(name)),
  size: name.length,
  platform: { os: 'linux', architecture: name },
});

const typeOf = { docker: DOCKER_MANIFEST_LIST, oci: OCI_INDEX };

function list(
  type: IndexType,
  names: readonly string[],
  annotations = new Map<string, string>(),
): IndexText {
  const { bytes } = encodeIndex(type, names.map(entry), annotations);
  return new IndexText(Buffer.from(bytes).toString(), typeOf[type]);
}

describe.each(['docker', 'oci'] as const)(
  'a list of type %s, edited, is the one that is made anew',
  (type) => {
    test('without entries', () => {
      const all = ['a', 'b', 'c', 'd'];
      fc.assert(
        fc.property(fc.uniqueArray(fc.nat(3), { maxLength: 3 }), (gone) => {
          const rest = all.filter((_, i) => !gone.includes(i));
          expect(list(type, all).withoutEntries((i) => gone.includes(i)).text).toBe(
            list(type, rest).text,
          );
        }),
      );
    });

    test.each([0, 1, 2])('with an entry before the one at %i', (position) => {
      const names = ['a', 'b'];
      const wanted = names.toSpliced(position, 0, 'x');
      expect(list(type, names).withEntryBefore(position, entry('x')).text).toBe(
        list(type, wanted).text,
      );
    });

    test('with an entry in the place of another one', () => {
      expect(
        list(type, ['a', 'b', 'c']).withEntries([
          { position: 0 },
          { position: 1, entry: entry('x') },
          { position: 2 },
        ]).text,
      ).toBe(list(type, ['a', 'x', 'c']).text);
    });
  },
);

describe('an index without a list of entries', () => {
  const layouts = {
    'on one line': ['{"schemaVersion":2,"manifests":null}', '{"schemaVersion":2}'],
    indented: ['{\n  "schemaVersion": 2,\n  "manifests": null\n}', '{\n  "schemaVersion": 2\n}'],
  };

  test.each(Object.entries(layouts))('gets one: %s', (layout, [withNull, without]) => {
    const made = new IndexText(withNull!, OCI_INDEX).withEntryBefore(0, entry('x')).text;
    const full = list('oci', ['x']).text.replace(/\s*"mediaType": "[^"]*index[^"]*",/, '');
    expect(made).toBe(layout === 'indented' ? full : JSON.stringify(JSON.parse(full)));
    expect(new IndexText(without!, OCI_INDEX).withEntryBefore(0, entry('x')).text).toBe(made);
  });

  test.each(Object.values(layouts).flat())('stays as it is without entries: %j', (text) => {
    expect(new IndexText(text, OCI_INDEX).withEntries([]).text).toBe(text);
    expect(new IndexText(text, OCI_INDEX).withoutEntries(() => true).text).toBe(text);
  });
});

describe('an entry that changes', () => {
  const text = (member: string, platform: string): string =>
    `{\n  "manifests": [\n    {\n      "digest": "${entry('x').digest}",\n      "x-first": 1.0,${member}\n      "size":1,\n      "platform": ${platform},\n      "features" : ["sse4"]\n    }\n  ]\n}`;
  const from = { ...entry('x'), annotations: new Map([['k', '1']]) };
  const change = (before: string, to: Partial<Descriptor>, held: Descriptor = from): string =>
    new IndexText(before, OCI_INDEX).withEntries([
      { position: 0, from: held, entry: { ...held, ...to } },
    ]).text;

  test('keeps members that the specifications do not have', () => {
    const os = '{ "os": "linux", "features": ["a"], "architecture": "x" }';
    const plain = text('\n      "annotations": {"k": "1"},', os);
    const platform = { os: 'linux', architecture: 'x', variant: 'v2', osVersion: '7' };
    expect(change(plain, { platform, annotations: new Map([['k', '2']]) })).toBe(
      text(
        '\n      "annotations": {\n        "k": "2"\n      },',
        '{ "os": "linux", "features": ["a"], "architecture": "x", "os.version":"7", "variant":"v2" }',
      ),
    );
  });

  test('loses and gets members in their place', () => {
    const os = '{"architecture":"x","os":"linux"}';
    const [without, with1] = [text('', os), text('\n      "annotations": {"k": "1"},', os)];
    const { annotations: _, ...bare } = from;
    const removed = new IndexText(with1, OCI_INDEX).withEntries([
      { position: 0, from, entry: bare },
    ]);
    expect(removed.text).toBe(without);
    expect(change(without, { annotations: from.annotations }, bare)).toBe(
      without.replace('"size":1,', '"size":1,\n      "annotations": {\n        "k": "1"\n      },'),
    );
  });

  test.each(['docker', 'oci'] as const)('is the one that is made anew, of type %s', (type) => {
    const variants = [
      entry('x'),
      { ...entry('x'), annotations: new Map([['k', 'v']]) },
      { ...entry('x'), platform: { os: 'linux', architecture: 'x', variant: 'v1' } },
      { ...entry('y'), platform: { os: 'windows', architecture: 'y', osVersion: '1' } },
    ];
    const made = (each: Descriptor): string =>
      Buffer.from(encodeIndex(type, [entry('a'), each], new Map()).bytes).toString();
    for (const before of variants) {
      for (const after of variants) {
        const edited = new IndexText(made(before), typeOf[type]).withEntries([
          { position: 0 },
          { position: 1, from: before, entry: after },
        ]);
        expect(edited.text).toBe(made(after));
      }
    }
  });
});

describe('annotations of a list', () => {
  const some = new Map([
    ['b', '<2>'],
    ['10', 'x'],
    ['9', 'y'],
  ]);

  test('come, change and go', () => {
    const plain = list('oci', ['a']);
    const annotated = list('oci', ['a'], some);
    const other = list('oci', ['a'], new Map([['z', '1']]));
    expect(plain.withAnnotations(some).text).toBe(annotated.text);
    expect(annotated.withAnnotations(new Map([['z', '1']])).text).toBe(other.text);
    expect(annotated.withAnnotations(new Map()).text).toBe(plain.text);
    expect(plain.withAnnotations(new Map()).text).toBe(plain.text);
  });
});

describe('a list that another program has written', () => {
  const odd =
    '{\n   "schemaVersion": 2,\n   "x-unknown": {"9":1e3, "1": "\\u003c"},\n   "manifests": [\n      {"digest":"sha256:1" , "odd":true},\n      {"digest":"sha256:2"}\n   ]\n}\n';

  test('keeps all that is not edited, to the byte', () => {
    const edited = new IndexText(odd, OCI_INDEX).withEntryBefore(2, entry('x')).text;
    const [head, tail] = odd.split('{"digest":"sha256:2"}') as [string, string];
    expect(
      edited.startsWith(`${head}{"digest":"sha256:2"},\n      {\n         "mediaType": `),
    ).toBe(true);
    expect(edited.endsWith(`\n      }${tail}`)).toBe(true);
    expect(new IndexText(edited, OCI_INDEX).withoutEntries((i) => i === 2).text).toBe(odd);
    expect(new IndexText(odd, OCI_INDEX).withoutEntries((i) => i === 0).text).toBe(
      odd.replace('{"digest":"sha256:1" , "odd":true},\n      ', ''),
    );
  });

  test('stays without white space where it has none', () => {
    const text = '{"schemaVersion":2,"manifests":[{"digest":"sha256:1"}]}';
    const edited = new IndexText(text, OCI_INDEX)
      .withEntryBefore(1, entry('x'))
      .withAnnotations(new Map([['a', 'b']])).text;
    expect(edited).toBe(
      `{"schemaVersion":2,"manifests":[{"digest":"sha256:1"},{"mediaType":"${OCI_MANIFEST}","digest":"${entry('x').digest}","size":1,"platform":{"architecture":"x","os":"linux"}}],"annotations":{"a":"b"}}`,
    );
  });
});
