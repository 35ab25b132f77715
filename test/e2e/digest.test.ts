import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/oci/digest.js';
import { expectCode, runCli } from '../support/cli.js';
import { getManifest } from '../support/http.js';
import { LayoutFolder, type Entry } from '../support/layout.js';
import { startRegistry, type Registry } from '../support/registry.js';

async function digest(...args: string[]): Promise<string> {
  const result = await runCli(['digest', ...args]);
  expectCode(result, 0);
  return result.stdout;
}

let registry: Registry;
let layout: LayoutFolder;
let amd64: Entry;
let arm64: Entry;
let attestation: Entry;
let index: Entry;

beforeAll(async () => {
  registry = await startRegistry();
  layout = await LayoutFolder.make();
  [amd64, arm64] = [await layout.imageFor('linux/amd64'), await layout.imageFor('linux/arm64/v8')];
  attestation = await layout.attestation(amd64, 'https://slsa.dev/provenance/v1');
  index = await layout.index([amd64, attestation, arm64]);
  await layout.tag(index, 'latest');
  await layout.tag(amd64, 'single');
  for (const tag of ['latest', 'single'])
    expectCode(await runCli(['copy', layout.reference(tag), `${registry.host}/app:${tag}`]), 0);
});

afterAll(async () => {
  await registry.stop();
  await layout.remove();
});

/** The same image or index in a registry and in a layout, and how a digest there is named. */
const PLACES: readonly [string, () => string][] = [
  ['a registry', () => `${registry.host}/app`],
  ['a layout', () => `oci-layout://${layout.root}`],
];

describe.each(PLACES)('digest in %s', (_, name) => {
  it('is that of the index, of a platform, or of a single image', async () => {
    expect(await digest(name())).toBe(`${index.digest}\n`);
    expect(await digest(`${name()}:latest`, '--platform', 'linux/arm64')).toBe(`${arm64.digest}\n`);
    expect(await digest(`${name()}:single`)).toBe(`${amd64.digest}\n`);
    expect(await digest(`${name()}:single`, '--platform', 'linux/x86_64')).toBe(
      `${amd64.digest}\n`,
    );
    expect(await digest(`${name()}@${arm64.digest}`)).toBe(`${arm64.digest}\n`);
  });

  it('is one word with the repository, which other commands read', async () => {
    const pinned = await digest('--full', '--platform', 'linux/arm64', `${name()}:latest`);
    expect(pinned).toBe(`${name()}@${arm64.digest}\n`);
    expect(await digest(pinned.trim())).toBe(`${arm64.digest}\n`);
  });

  it('has a line for each entry', async () => {
    expect(await digest('--all', `${name()}:latest`)).toBe(
      `linux/amd64     ${amd64.digest}\n` +
        `attestation     ${attestation.digest}\n` +
        `linux/arm64/v8  ${arm64.digest}\n`,
    );
    expect(await digest('--all', '--full', `${name()}:single`)).toBe(
      `linux/amd64  ${name()}@${amd64.digest}\n`,
    );
  });

  it('is a document with the size and the pinned name', async () => {
    const reference = `${name()}:latest`;
    const image = (entry: Entry) => {
      const { digest: own, mediaType, size } = entry;
      return { image: `${name()}@${own}`, digest: own, mediaType, size };
    };
    const root = { name: reference, ...image(index) };
    expect(JSON.parse(await digest('--json', reference))).toEqual(root);
    expect(JSON.parse(await digest('--json', '--all', reference))).toEqual({
      ...root,
      entries: [
        { platform: 'linux/amd64', ...image(amd64), isAttestation: false },
        { platform: 'unknown/unknown', ...image(attestation), isAttestation: true },
        { platform: 'linux/arm64/v8', ...image(arm64), isAttestation: false },
      ],
    });
  });
});

it('reads the platform of an entry without one, and the entries of an index inside the index', async () => {
  const { mediaType, digest: own, size } = arm64;
  const bare = { mediaType, digest: own, size };
  const inner = await layout.index([bare]);
  await layout.tag(await layout.index([amd64, inner]), 'nested');
  expect(await digest('--all', layout.reference('nested'))).toBe(
    `linux/amd64     ${amd64.digest}\n` +
      `none            ${inner.digest}\n` +
      `linux/arm64/v8  ${arm64.digest}\n`,
  );
});

describe.each(['registry', 'layout'])('an index inside an index, in a %s', (place) => {
  let reference: string;

  beforeAll(async () => {
    const attested = await layout.attestation(arm64, 'https://spdx.dev/Document');
    const innermost = await layout.index([arm64, attested]);
    const middle = await layout.index([innermost]);
    const tag = `deep-${place}`;
    await layout.tag(await layout.index([amd64, middle]), tag);
    reference = layout.reference(tag);
    if (place === 'layout') return;
    const target = `${registry.host}/deep:1`;
    expectCode(await runCli(['copy', reference, target]), 0);
    reference = target;
  });

  it('has the platform that --platform selects', async () => {
    const found = await digest('--platform', 'linux/arm64', reference);
    expect(found).toBe(`${arm64.digest}\n`);
    const inspected = await runCli([
      'inspect',
      '--platform=linux/arm64',
      '--format=json',
      reference,
    ]);
    expectCode(inspected, 0);
    expect(JSON.parse(inspected.stdout)).toMatchObject({
      digest: arm64.digest,
      attestations: [{ subject: arm64.digest }],
    });
  });

  it('is listed if it does not have the platform', async () => {
    const result = await runCli(['digest', '--platform=linux/s390x', reference]);
    expectCode(result, 3);
    expect(result.stderr).toContain('it has linux/amd64, linux/arm64/v8\n');
  });
});

it('is that of the bytes that the registry serves', async () => {
  const { body } = await getManifest(registry.host, 'app', 'latest');
  expect(await digest(`${registry.host}/app`)).toBe(`${digestOf(Buffer.from(body))}\n`);
});

it.each<[string, string[], number, RegExp]>([
  ['a missing tag', ['digest', '{R}/app:none'], 3, /reading .*\/app:none failed: .*\nhint: /],
  [
    'a platform that is not there',
    ['digest', '{R}/app', '--platform', 'linux/386'],
    3,
    /it has no entry for linux\/386; it has linux\/amd64, linux\/arm64\/v8\nhint: /,
  ],
  [
    'a single image for another platform',
    ['digest', '{R}/app:single', '--platform', 'linux/386'],
    3,
    /it is a single image, for linux\/amd64, not for linux\/386\nhint: /,
  ],
  [
    'two platforms',
    ['digest', '{R}/app', '--platform', 'linux/386,linux/amd64'],
    2,
    /--platform has 2 platforms\nhint: --all prints/,
  ],
  [
    'one platform and all',
    ['digest', '{R}/app', '--all', '--platform', 'linux/amd64'],
    2,
    /pass --platform or --all, not both\nhint: /,
  ],
  ['no reference', ['digest'], 2, /REF.*\nhint: /],
])('refuses %s with one line and a hint', async (_, args, code, says) => {
  const result = await runCli(args.map((word) => word.replace('{R}', registry.host)));
  expectCode(result, code);
  expect(result.stdout).toBe('');
  expect(result.stderr).toMatch(says);
  expect(result.stderr.trimEnd().split('\n')).toHaveLength(2);
});
