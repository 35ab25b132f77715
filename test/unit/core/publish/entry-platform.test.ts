import { describe, expect, test } from 'vitest';
import type { ImageReader } from '../../../../src/oci/content.js';
import type { Digest } from '../../../../src/oci/digest.js';
import type { ImageManifest } from '../../../../src/oci/documents.js';
import { OCI_CONFIG } from '../../../../src/oci/media-types.js';
import type { Platform } from '../../../../src/oci/platform.js';
import {
  checkListedPlatforms,
  configPlatform,
  entryPlatform,
} from '../../../../src/core/publish/entry-platform.js';
import type { ResolvedImage } from '../../../../src/core/publish/resolved-image.js';
import { ManifestToolError, type ErrorCode } from '../../../../src/errors.js';
import type { RequestedPlatform } from '../../../../src/core/publish/request.js';

const ARM: Platform = { os: 'linux', architecture: 'arm', variant: 'v7' };
const WINDOWS: Platform = {
  os: 'windows',
  architecture: 'amd64',
  osVersion: '10.0.1',
  osFeatures: ['win32k'],
};

function decide(request: RequestedPlatform, config: Platform) {
  const warnings: string[] = [];
  const platform = entryPlatform(request, config, 'e.co/app:1', (text) => warnings.push(text));
  return { platform, warnings };
}

test.each<[RequestedPlatform, Platform, string[]]>([
  [
    { os: 'linux', architecture: 'arm', variant: 'v6' },
    ARM,
    ['e.co/app:1 was built for linux/arm/v7, but is published for linux/arm/v6, as requested'],
  ],
  [{ os: 'linux', architecture: 'arm', variant: '7' }, ARM, []],
  [{ os: 'linux', architecture: 'arm' }, ARM, []],
])('a request for %j of %j warns: %j', (request, config, warnings) => {
  expect(decide(request, config).warnings).toEqual(warnings);
});

describe('the platform of an entry', () => {
  test.each<[string, RequestedPlatform, Platform, Platform]>([
    ['is that of the image where nothing is asked', {}, ARM, ARM],
    ['is whole that of the image', {}, WINDOWS, WINDOWS],
    ['has the variant of the image', { os: 'linux', architecture: 'arm' }, ARM, ARM],
    [
      'has the os version and features of the image',
      { os: 'windows', architecture: 'amd64' },
      WINDOWS,
      WINDOWS,
    ],
    [
      'has what is asked before what the image has',
      { os: 'windows', architecture: 'amd64', osVersion: '11', osFeatures: ['x'], variant: 'v2' },
      { ...WINDOWS, variant: 'v2' },
      { os: 'windows', architecture: 'amd64', osVersion: '11', osFeatures: ['x'], variant: 'v2' },
    ],
    [
      'has a variant alone that is asked',
      { variant: 'v6' },
      { os: 'linux', architecture: 'arm' },
      { ...ARM, variant: 'v6' },
    ],
    [
      'takes what is empty for what is not there',
      { os: '', architecture: '', variant: '' },
      ARM,
      ARM,
    ],
    ['has the architecture of the image if only an os is requested', { os: 'linux' }, ARM, ARM],
    [
      'has the os of the image if only an architecture is requested',
      { architecture: 'arm' },
      ARM,
      ARM,
    ],
    ['takes no empty features', { osFeatures: [] }, WINDOWS, WINDOWS],
    [
      'is what is asked where the image says nothing',
      { os: 'linux', architecture: 's390x' },
      { os: '', architecture: '' },
      { os: 'linux', architecture: 's390x' },
    ],
  ])('%s', (_what, request, config, platform) => {
    expect(decide(request, config)).toEqual({ platform, warnings: [] });
  });

  test.each<[RequestedPlatform, Platform, RegExp]>([
    [{ os: 'linux' }, { os: '', architecture: '' }, /has no architecture/],
    [{ architecture: 'arm' }, { os: '', architecture: '' }, /has no os/],
    [{}, { os: '', architecture: '' }, /has no os/],
    [{}, { os: 'linux', architecture: '' }, /has no architecture/],
    [{}, { os: 'beos', architecture: 'amd64' }, /os "beos" is not known/],
    [{ variant: 'v9' }, ARM, /not a variant of arm/],
  ])('%j of an image for %j is refused', (request, config, message) => {
    expect(() => decide(request, config)).toThrow(message);
    expect(() => decide(request, config)).toThrow(
      expect.objectContaining({ code: 'USAGE', what: 'including e.co/app:1' }),
    );
  });

  test('that is not the one of the image is a warning, and used as requested', () => {
    const asked = { os: 'linux', architecture: 'arm64', variant: 'v8' };
    const { platform, warnings } = decide(asked, { os: 'linux', architecture: 'amd64' });
    expect(platform).toEqual(asked);
    expect(warnings).toEqual([
      'e.co/app:1 was built for linux/amd64, but is published for linux/arm64, as requested',
    ]);
  });
});

describe('configPlatform', () => {
  const manifest: ImageManifest = {
    kind: 'manifest',
    schemaVersion: 2,
    config: { mediaType: OCI_CONFIG, digest: `sha256:${'0'.repeat(64)}` as Digest, size: 2 },
  };
  const reader = (text: string): ImageReader => ({
    name: 'e.co/app',
    getManifest: () => Promise.reject(new Error('not asked for')),
    blobSize: () => Promise.reject(new Error('a configuration is read')),
    listTags: () => Promise.reject(new Error('not asked for')),
    referrers: () => Promise.reject(new Error('not asked for')),
    openBlob: () => Promise.reject(new Error('a configuration is read whole')),
    getBlob: async (descriptor) => {
      expect(descriptor).toBe(manifest.config);
      return Buffer.from(text);
    },
  });

  test('is read from the configuration', async () => {
    const text = '{"os":"linux","architecture":"arm","variant":"v7"}';
    expect(await configPlatform(reader(text), manifest, 'x')).toEqual(ARM);
  });

  test.each(['', '[]', '{"os":1}'])('of %j is an error with its cause', async (text) => {
    await expect(configPlatform(reader(text), manifest, 'e.co/app:1')).rejects.toMatchObject({
      code: 'CORRUPT',
      what: 'reading the config of e.co/app:1',
      cause: expect.any(Error) as Error,
    });
  });
});

describe('a listed platform that is compared with a config', () => {
  const config = { mediaType: OCI_CONFIG, digest: `sha256:${'0'.repeat(64)}` as Digest, size: 2 };
  const compare = (code: ErrorCode): Promise<void> => {
    const source: Partial<ImageReader> = {
      name: 'e.co/app',
      getBlob: () => Promise.reject(new ManifestToolError(code, 'reading a config', 'it broke')),
    };
    const image = {
      entry: { platform: ARM },
      manifest: { document: { kind: 'manifest', schemaVersion: 2, config } },
      source,
      name: 'e.co/app:1',
      isPlatformListed: true,
    } as unknown as ResolvedImage;
    return checkListedPlatforms([image], (text) => expect.fail(text));
  };

  test.each(['NOT_FOUND', 'CORRUPT'] as const)('that is %s needs no comparison', async (code) => {
    await compare(code);
  });

  test('that cannot be read is an error', async () => {
    await expect(compare('UNAVAILABLE')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
