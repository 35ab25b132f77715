import { setTimeout } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { ManifestToolError } from '../../../../src/errors.js';
import type { FetchedManifest, ImageStore } from '../../../../src/oci/content.js';
import { digestOf } from '../../../../src/oci/digest.js';
import { parseDocument } from '../../../../src/oci/documents.js';
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../../../src/oci/media-types.js';
import { formatPlatform, parsePlatform } from '../../../../src/oci/platform.js';
import { formatName, parseReference } from '../../../../src/oci/reference.js';
import type { IndexRequest, SourceRequest } from '../../../../src/core/publish/request.js';
import { WaitPolicy } from '../../../../src/core/wait.js';
import { resolveSources } from '../../../../src/core/publish/resolve.js';
import type { Client } from '../../../../src/core/client.js';

interface Json {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: object;
  readonly annotations?: object;
}

/** A registry in memory: content by `NAME@DIGEST` or `NAME:TAG`, and what was read of it. */
const contents = new Map<string, Buffer>();
const failures = new Map<string, { code: 'UNAVAILABLE' | 'DENIED'; delay: number }>();
let reads: string[] = [];

beforeEach(() => {
  contents.clear();
  failures.clear();
  reads = [];
});

function put(value: object, tag?: string, mediaType = OCI_CONFIG): Json {
  const bytes = Buffer.from(JSON.stringify(value));
  const digest = digestOf(bytes);
  contents.set(`e.co/app@${digest}`, bytes);
  if (tag !== undefined) contents.set(`e.co/app:${tag}`, bytes);
  return { mediaType, digest, size: bytes.length };
}

/** Puts an image for a platform; the salt makes two images of one platform differ. */
function putImage(platform: string, tag?: string, salt = ''): Json {
  const { os, architecture, variant, osVersion } = parsePlatform(platform);
  const config = put({ os, architecture, variant, 'os.version': osVersion, salt });
  const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [] };
  return put(manifest, tag, OCI_MANIFEST);
}

/** The entry of an index for a platform. */
function entryFor(platform: string, image = putImage(platform)): Json {
  const { os, architecture, variant, osVersion } = parsePlatform(platform);
  return { ...image, platform: { os, architecture, variant, 'os.version': osVersion } };
}

function attestationOf(image: Json): Json {
  const config = put({ attests: image.digest });
  const manifest = put({ mediaType: OCI_MANIFEST, config, layers: [] }, undefined, OCI_MANIFEST);
  const annotations = {
    'vnd.docker.reference.type': 'attestation-manifest',
    'vnd.docker.reference.digest': image.digest,
  };
  return { ...manifest, platform: { os: 'unknown', architecture: 'unknown' }, annotations };
}

const putIndex = (manifests: readonly Json[], tag?: string): Json =>
  put({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }, tag, OCI_INDEX);

async function content(key: string): Promise<Buffer> {
  reads.push(key);
  const failure = failures.get(key);
  await setTimeout(failure?.delay ?? 0);
  if (failure !== undefined)
    throw new ManifestToolError(failure.code, `reading ${key}`, 'it broke');
  const bytes = contents.get(key);
  if (bytes !== undefined) return bytes;
  throw new ManifestToolError('NOT_FOUND', `reading ${key}`, 'there is no such image');
}

function storeOf(name: string): ImageStore {
  const refuse = (): Promise<never> => Promise.reject(new Error('resolving writes nothing'));
  return {
    name,
    async getManifest(tagOrDigest): Promise<FetchedManifest> {
      const separator = tagOrDigest.includes(':') ? '@' : ':';
      const bytes = await content(`${name}${separator}${tagOrDigest}`);
      return {
        ...parseDocument(bytes, undefined),
        digest: digestOf(bytes),
        size: bytes.length,
        bytes,
      };
    },
    getBlob: ({ digest }) => content(`${name}@${digest}`),
    openBlob: refuse,
    blobSize: refuse,
    listTags: refuse,
    ensureBlob: refuse,
    putChild: refuse,
    deleteTag: refuse,
    referrers: refuse,
    putReferrer: refuse,
    tagDigest: refuse,
    isAtomic: false,
    replaceTag: refuse,
    publish: refuse,
  };
}

async function resolve(
  sources: SourceRequest[],
  ignoreMissing = false,
  more: Partial<IndexRequest> = {},
) {
  const opened = new Map<string, ImageStore>();
  const { signal } = new AbortController();
  const stores: Pick<Client, 'open' | 'signal'> = {
    signal,
    async open(reference) {
      const name = formatName(reference);
      opened.set(name, opened.get(name) ?? storeOf(name));
      return opened.get(name)!;
    },
  };
  const request: IndexRequest = {
    target: parseReference('e.co/app:out'),
    tags: [],
    type: 'oci',
    annotations: new Map(),
    ignoreMissing,
    sources,
    ...more,
  };
  const warnings: string[] = [];
  const told: string[] = [];
  const events = { warning: (text: string) => void warnings.push(text) };
  const images = await resolveSources(stores, request, {
    events,
    wait: new WaitPolicy(undefined, signal, events),
    onManifest: ({ digest }) => told.push(digest),
  });
  const platforms = images.map(({ entry }) => entry.platform && formatPlatform(entry.platform));
  return { images, platforms, warnings, told, digests: images.map(({ entry }) => entry.digest) };
}

const from = (text: string, platform = {}): SourceRequest => ({
  reference: parseReference(`e.co/${text}`),
  platform,
  onlyPlatform: false,
});
const only = (text: string, platform: string): SourceRequest => ({
  ...from(text, parsePlatform(platform)),
  onlyPlatform: true,
});

describe('a source that is an image', () => {
  test('has one entry, with the platform of its configuration, in the order asked for', async () => {
    const arm = putImage('linux/arm/v7', 'arm');
    const amd64 = putImage('linux/amd64', 'latest');
    const { images, platforms, told } = await resolve([from('app:arm'), from('app')]);
    expect(platforms).toEqual(['linux/arm/v7', 'linux/amd64']);
    expect(images.map(({ name }) => name)).toEqual(['e.co/app:arm', 'e.co/app:latest']);
    expect(images[0]!.entry).toMatchObject(arm);
    expect(new Set(told)).toEqual(new Set([arm.digest, amd64.digest]));
  });

  test('is read by its digest where it has one', async () => {
    const { digest } = putImage('linux/amd64');
    expect((await resolve([from(`app:other@${digest}`)])).digests).toEqual([digest]);
    expect(reads).not.toContain('e.co/app:other');
  });

  test('that is named several times is read once', async () => {
    putImage('linux/amd64', 'latest');
    const platform = { os: 'linux', architecture: 's390x' };
    const { platforms } = await resolve([from('app'), from('app:latest', platform)]);
    expect(platforms).toEqual(['linux/amd64', 'linux/s390x']);
    expect(reads.filter((key) => key === 'e.co/app:latest')).toHaveLength(1);
  });

  test('that is named several times has its configuration read once', async () => {
    putImage('linux/amd64', 'latest');
    await resolve([from('app'), from('app', { os: 'linux', architecture: 's390x' })]);
    expect(reads).toHaveLength(2);
  });
});

describe('a source that is an index', () => {
  test('gives its entries in place, and the platform asked for does not matter', async () => {
    putImage('linux/386', 'first');
    const arm = entryFor('linux/arm/v7');
    const attestation = attestationOf(arm);
    const bare = putImage('linux/riscv64');
    putIndex([arm, attestation, bare], 'list');
    putImage('linux/s390x', 'last');
    const { platforms, digests } = await resolve([
      from('app:first'),
      from('app:list', { os: 'linux', architecture: 'amd64' }),
      from('app:last'),
    ]);
    expect(platforms).toEqual([
      'linux/386',
      'linux/arm/v7',
      'unknown/unknown',
      'linux/riscv64',
      'linux/s390x',
    ]);
    expect(digests.slice(1, 4)).toEqual([arm.digest, attestation.digest, bare.digest]);
  });

  test('gives its entries without attestations, which are not read, if they are to be dropped', async () => {
    const arm = entryFor('linux/arm64');
    const attestation = attestationOf(arm);
    const inner = entryFor('linux/amd64');
    const innerAttestation = attestationOf(inner);
    putIndex([arm, attestation, putIndex([inner, innerAttestation])], 'list');
    const { digests } = await resolve([from('app:list')], false, { dropAttestations: true });
    expect(digests).toEqual([arm.digest, inner.digest]);
    for (const { digest } of [attestation, innerAttestation])
      expect(reads).not.toContain(`e.co/app@${digest}`);
  });

  test('names the platform of a config as the specification does, with a warning', async () => {
    const config = put({ os: 'linux', architecture: 'x86_64' });
    const bare = put({ mediaType: OCI_MANIFEST, config, layers: [] }, undefined, OCI_MANIFEST);
    putIndex([bare], 'list');
    const { platforms, warnings } = await resolve([from('app:list')]);
    expect(platforms).toEqual(['linux/amd64']);
    expect(warnings).toEqual([expect.stringMatching(/linux\/x86_64; it is published as .*amd64$/)]);
  });

  test('has an entry without platform if neither it nor the config has one', async () => {
    const config = put({ created: '2020-01-01T00:00:00Z' });
    const bare = put({ mediaType: OCI_MANIFEST, config, layers: [] }, undefined, OCI_MANIFEST);
    putIndex([bare], 'list');
    const { images, digests } = await resolve([from('app:list')]);
    expect(digests).toEqual([bare.digest]);
    expect(images[0]!.entry).not.toHaveProperty('platform');
  });

  test('keeps the platform and the annotations of its entries as they are', async () => {
    const odd = { ...putImage('linux/amd64'), platform: { os: 'beos', architecture: 'ppc' } };
    putIndex([{ ...odd, annotations: { k: 'v' } }], 'list');
    const { images } = await resolve([from('app:list')]);
    expect(images[0]!.entry).toMatchObject({ ...odd, annotations: new Map([['k', 'v']]) });
  });

  test('may have indexes inside it, four levels deep', async () => {
    const platforms = ['linux/amd64', 'linux/arm64', 'linux/s390x', 'linux/386', 'linux/arm/v7'];
    let index = putIndex([entryFor(platforms[4]!)]);
    for (const platform of platforms.slice(0, 4).toReversed())
      index = putIndex([entryFor(platform), index], 'four');
    expect((await resolve([from('app:four')])).platforms).toEqual(platforms);
    putIndex([index], 'five');
    await expect(resolve([from('app:five')])).rejects.toThrow(/nested more than 4 levels deep/);
  });

  test('that names one image several times gives it once, read once', async () => {
    const image = putImage('linux/arm64');
    putIndex([image, image, putIndex([image])], 'list');
    const { platforms, told } = await resolve([from('app:list')]);
    expect(platforms).toEqual(['linux/arm64']);
    expect(reads).toEqual([...new Set(reads)]);
    expect(told).toEqual([image.digest]);
  });

  test('with an entry that is neither an image nor a list is refused', async () => {
    putIndex([{ ...put({}), mediaType: 'application/x' }], 'list');
    await expect(resolve([from('app:list')])).rejects.toMatchObject({
      what: 'including e.co/app:list',
      why: expect.stringContaining('application/x') as string,
    });
  });

  test('with an entry that is not there is an error, missing images ignored or not', async () => {
    const gone = entryFor('linux/amd64');
    contents.delete(`e.co/app@${gone.digest}`);
    putIndex([entryFor('linux/arm64'), gone], 'list');
    for (const ignore of [false, true]) {
      await expect(resolve([from('app:list')], ignore)).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
    }
  });
});

describe('one platform of an index', () => {
  test('is that entry with its attestations, and no other child is read', async () => {
    const arm = entryFor('linux/arm/v7');
    const amd64 = entryFor('linux/amd64');
    const attestations = [attestationOf(amd64), attestationOf(arm)];
    putIndex([arm, amd64, ...attestations], 'list');
    const { digests } = await resolve([only('app:list', 'linux/amd64')]);
    expect(digests).toEqual([amd64.digest, attestations[0]!.digest]);
    expect(reads).not.toContain(`e.co/app@${arm.digest}`);
  });

  test('that it does not have is an error', async () => {
    putIndex([entryFor('linux/amd64')], 'list');
    const failed = resolve([only('app:list', 'linux/s390x')]);
    await expect(failed).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('of an image that is no index is that image', async () => {
    const { digest } = putImage('linux/amd64', 'one');
    expect((await resolve([only('app:one', 'linux/amd64')])).digests).toEqual([digest]);
  });
});

describe('a missing image', () => {
  test('is an error that names it', async () => {
    putImage('linux/amd64', 'here');
    await expect(resolve([from('app:here'), from('app:gone')])).rejects.toMatchObject({
      code: 'NOT_FOUND',
      what: 'reading e.co/app:gone',
    });
  });

  test('is left out with a warning where that is asked for', async () => {
    putImage('linux/amd64', 'here');
    const { platforms, warnings } = await resolve([from('app:gone'), from('app:here')], true);
    expect(platforms).toEqual(['linux/amd64']);
    expect(warnings).toEqual(['e.co/app:gone is skipped: there is no such image']);
  });

  test.each(['UNAVAILABLE', 'DENIED'] as const)('is not one that is %s', async (code) => {
    putImage('linux/amd64', 'here');
    failures.set('e.co/app:gone', { code, delay: 0 });
    await expect(resolve([from('app:here'), from('app:gone')], true)).rejects.toMatchObject({
      code,
    });
  });

  test('is not one whose configuration is missing', async () => {
    const platform = putImage('linux/amd64', 'here');
    const bytes = contents.get(`e.co/app@${platform.digest}`)!.toString();
    contents.delete(`e.co/app@${(JSON.parse(bytes) as { config: Json }).config.digest}`);
    await expect(resolve([from('app:here')], true)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('is an error where it was the last one', async () => {
    await expect(resolve([from('app:a'), from('app:b')], true)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      why: 'none of its images was found',
    });
  });
});

test('the error is that of the first image in the list, not the first in time', async () => {
  failures.set('e.co/app:slow', { code: 'UNAVAILABLE', delay: 30 });
  failures.set('e.co/app:fast', { code: 'DENIED', delay: 0 });
  await expect(resolve([from('app:slow'), from('app:fast')])).rejects.toThrow(/app:slow/);
});
