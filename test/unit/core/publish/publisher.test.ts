import { beforeEach, describe, expect, test } from 'vitest';
import type { Client } from '../../../../src/core/client.js';
import { publishContent } from '../../../../src/core/publish/publisher.js';
import type { PublishingOptions } from '../../../../src/core/publish/request.js';
import type { ResolvedImage } from '../../../../src/core/publish/resolved-image.js';
import { ManifestToolError } from '../../../../src/errors.js';
import type {
  FetchedManifest,
  ImageReader,
  ImageStore,
  TagReading,
} from '../../../../src/oci/content.js';
import { digestOf, type Digest } from '../../../../src/oci/digest.js';
import { parseDocument } from '../../../../src/oci/documents.js';
import { OCI_CONFIG, OCI_MANIFEST } from '../../../../src/oci/media-types.js';
import { parseReference } from '../../../../src/oci/reference.js';

const SOURCE = { name: 'e.co/source' } as ImageReader;
const UNAVAILABLE = new ManifestToolError('UNAVAILABLE', 'reading e.co/app:1', 'it broke');

function manifestOf(text: string): FetchedManifest {
  const config = { mediaType: OCI_CONFIG, digest: digestOf(Buffer.from(text)), size: text.length };
  const document = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [] };
  const bytes = Buffer.from(JSON.stringify(document));
  return {
    ...parseDocument(bytes, undefined),
    digest: digestOf(bytes),
    size: bytes.length,
    bytes,
  };
}

const imageOf = (manifest: FetchedManifest, more: Partial<ResolvedImage> = {}): ResolvedImage => {
  const { mediaType, digest, size } = manifest;
  return { entry: { mediaType, digest, size }, manifest, source: SOURCE, name: 'source', ...more };
};

const ROOT = manifestOf('root');

/** What was written, in order: tags, and children with their tags. */
let written: string[];
let tagDigest: (tag: string, how?: TagReading) => Promise<Digest | undefined>;
let fault: Error | undefined;

beforeEach(() => {
  written = [];
  tagDigest = () => Promise.resolve(undefined);
  fault = undefined;
});

const store = {
  name: 'e.co/app',
  tagDigest: (tag, how) => tagDigest(tag, how),
  ensureBlob: () => Promise.resolve('copied' as const),
  async putChild({ digest }, tag) {
    written.push(`${tag} ${digest}`);
  },
  async publish({ digest }, tags, onTag) {
    if (fault !== undefined) throw fault;
    for (const tag of tags) {
      written.push(`${tag} ${digest}`);
      onTag(tag);
    }
  },
} satisfies Partial<ImageStore>;

async function publish(options: PublishingOptions = {}, images = [imageOf(ROOT)]) {
  const client: Pick<Client, 'open' | 'signal' | 'shared'> = {
    shared: {},
    signal: new AbortController().signal,
    open: () => Promise.resolve(store as Partial<ImageStore> as ImageStore),
  };
  const warnings: string[] = [];
  const { outcomes } = await publishContent(
    client as Client,
    { target: parseReference('e.co/app:1'), ...options },
    { warning: (text) => void warnings.push(text) },
    () => Promise.resolve({ root: ROOT, images }),
  );
  return { outcomes, warnings };
}

describe('a tag that cannot be read', () => {
  test('is written', async () => {
    tagDigest = () => Promise.reject(UNAVAILABLE);
    await publish();
    expect(written).toEqual([`1 ${ROOT.digest}`]);
  });

  test('is written if it seemed to be up to date', async () => {
    tagDigest = (_, how) =>
      how?.isConfirmed === true ? Promise.reject(UNAVAILABLE) : Promise.resolve(ROOT.digest);
    await publish();
    expect(written).toEqual([`1 ${ROOT.digest}`]);
  });

  test('is not written if that depends on what it points to', async () => {
    tagDigest = () => Promise.reject(UNAVAILABLE);
    await expect(publish({ noClobber: true })).rejects.toBe(UNAVAILABLE);
    expect(written).toEqual([]);
  });

  test('is written if it is the tag of a referrer', async () => {
    tagDigest = (tag) =>
      tag === 'sha256-a.sig' ? Promise.reject(UNAVAILABLE) : Promise.resolve(undefined);
    const signature = manifestOf('signature');
    const tagged = imageOf(signature, { tag: 'sha256-a.sig' });
    const { warnings } = await publish({}, [tagged, imageOf(ROOT)]);
    expect(written).toEqual([`sha256-a.sig ${signature.digest}`, `1 ${ROOT.digest}`]);
    expect(warnings).toEqual([]);
  });
});

test('a fault of the program is no outcome of a target', async () => {
  fault = new TypeError('undefined is not a function');
  await expect(publish()).rejects.toBe(fault);
});
