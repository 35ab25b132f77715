import { beforeEach, expect, test } from 'vitest';
import { ReferrerFinder } from '../../../src/layout/referrers.js';
import type { LayoutFiles } from '../../../src/layout/layout-files.js';
import { digestOf, type Digest } from '../../../src/oci/digest.js';
import { parseJson, type JsonValue } from '../../../src/oci/json/parse.js';
import { OCI_CONFIG, OCI_MANIFEST } from '../../../src/oci/media-types.js';

const SIZE = { size: 1 };
const config = { mediaType: OCI_CONFIG, digest: digestOf(Buffer.from('config')), ...SIZE };

let blobs: Map<string, Buffer>;
let reads: string[];
let index: JsonValue;

beforeEach(() => {
  blobs = new Map();
  reads = [];
});

/** Writes manifests and an index.json that names them; returns their digests. */
function write(manifests: readonly object[]): Digest[] {
  const entries = manifests.map((manifest) => {
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, config, ...manifest }));
    const digest = digestOf(bytes);
    blobs.set(digest, bytes);
    return { mediaType: OCI_MANIFEST, digest, size: bytes.length };
  });
  index = parseJson(JSON.stringify({ schemaVersion: 2, manifests: entries }));
  return entries.map(({ digest }) => digest);
}

const subject = (digest: Digest): object => ({
  subject: { mediaType: OCI_MANIFEST, digest, ...SIZE },
});

function finder(): ReferrerFinder {
  const files: Pick<LayoutFiles, 'readIndex' | 'readBlob' | 'fileOf' | 'indexFile'> = {
    indexFile: 'index.json',
    readIndex: () => Promise.resolve(index),
    readBlob: (_what, digest) => {
      reads.push(digest);
      return Promise.resolve(blobs.get(digest)!);
    },
    fileOf: (_what, digest) => digest,
  };
  return new ReferrerFinder(files as LayoutFiles, new AbortController().signal);
}

test('the manifests of a layout are read once for all subjects', async () => {
  const [a, b] = write([{ annotations: { a: '' } }, { annotations: { b: '' } }]) as [
    Digest,
    Digest,
  ];
  const found = write([{}, subject(a), { ...subject(a), annotations: { c: '' } }, subject(b)]);
  const finds = finder();
  const digestsFor = async (digest: Digest): Promise<Digest[]> =>
    (await finds.find('finding', digest)).map((each) => each.digest);
  expect(await Promise.all([digestsFor(a), digestsFor(b)])).toEqual([
    [found[1], found[2]],
    [found[3]],
  ]);
  expect(await digestsFor(found[1]!)).toEqual([]);
  expect(reads.toSorted()).toEqual(found.toSorted());
});

test('they are read again once index.json is another', async () => {
  const [a] = write([{}]) as [Digest];
  const finds = finder();
  expect(await finds.find('finding', a)).toEqual([]);
  const [referrer] = write([subject(a)]);
  expect(await finds.find('finding', a)).toMatchObject([{ digest: referrer }]);
});
