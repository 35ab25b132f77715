import { beforeEach, describe, expect, test } from 'vitest';
import { describeImage } from '../../../../src/core/read/describe.js';
import { queryImage } from '../../../../src/core/read/query.js';
import { verifyImage } from '../../../../src/core/read/verify.js';
import { parseReference, type Reference } from '../../../../src/oci/reference.js';
import { LAYER, OCI_CONFIG, type Entry } from '../../../support/layout.js';
import { useLayoutClient } from '../../../support/layout-client.js';

const at = useLayoutClient();

/** Tags an index of these entries. */
async function tagged(entries: readonly Entry[]): Promise<Reference> {
  await at.folder.tag(await at.folder.index(entries), '1');
  return parseReference(at.folder.reference('1'));
}

describe('an index that is nested more than 4 levels deep', () => {
  let reference: Reference;
  let cut: Entry;
  const warnings: string[] = [];
  const events = { warning: (text: string) => void warnings.push(text) };

  beforeEach(async () => {
    warnings.length = 0;
    let inner = await at.folder.index([await at.folder.imageFor('linux/arm64')]);
    cut = inner;
    for (let level = 0; level < 4; level++) inner = await at.folder.index([inner]);
    reference = await tagged([await at.folder.imageFor('linux/amd64'), inner]);
  });

  test('is described without what is deeper, with a warning', async () => {
    const described = await describeImage(at.client, reference, {}, events);
    let deepest = described.entries[1]!;
    while (deepest.entries.length > 0) deepest = deepest.entries[0]!;
    expect(deepest).toMatchObject({ kind: 'list', descriptor: { digest: cut.digest } });
    expect(deepest.manifest).toBeUndefined();
    expect(warnings).toEqual([expect.stringMatching(/not everything is shown: .* 4 levels deep$/)]);
  });

  test('has the platforms above, with a warning', async () => {
    const { platforms } = await queryImage(at.client, reference, events);
    expect(platforms).toEqual([{ os: 'linux', architecture: 'amd64' }]);
    expect(warnings).toEqual([expect.stringMatching(/not all platforms are listed: .* 4 levels/)]);
  });

  test('is not complete', async () => {
    const { defects } = await verifyImage(at.client, reference);
    expect(defects).toEqual([
      { where: cut.digest, what: expect.stringMatching(/^was not verified: .* 4 levels deep$/) },
    ]);
  });
});

describe('several attestations of one image', () => {
  let reference: Reference;

  beforeEach(async () => {
    const image = await at.folder.imageFor('linux/amd64');
    reference = await tagged([
      image,
      await at.folder.attestation(image, 'https://slsa.dev/provenance/v1'),
      await at.folder.attestation(image, 'https://spdx.dev/Document'),
    ]);
  });

  test('are all described with it', async () => {
    const { entries } = await describeImage(at.client, reference);
    const digests = entries.slice(1).map(({ descriptor }) => descriptor.digest);
    expect(entries[0]!.attestations.map(({ descriptor }) => descriptor.digest)).toEqual(digests);
  });

  test('all count for what is required', async () => {
    const attestations = ['sbom', 'provenance'] as const;
    expect((await verifyImage(at.client, reference, { attestations })).defects).toEqual([]);
  });
});

test('a config that cannot be parsed is left out of a description', async () => {
  const manifest = await at.folder.manifest(await at.folder.blob(OCI_CONFIG, 'not JSON'), []);
  const { entries } = await describeImage(at.client, await tagged([manifest]));
  expect(entries).toMatchObject([{ kind: 'image', descriptor: { digest: manifest.digest } }]);
  expect(entries[0]!.config).toBeUndefined();
});

test('an entry that is a foreign layer need not be there', async () => {
  const foreign = await at.folder.blob(
    'application/vnd.oci.image.layer.nondistributable.v1.tar',
    'x',
  );
  await at.folder.remove(foreign);
  const reference = await tagged([await at.folder.imageFor('linux/amd64'), foreign]);
  expect((await verifyImage(at.client, reference)).defects).toEqual([]);
});

test('labels that are not strings are a defect if labels are compared', async () => {
  const image = await at.folder.imageFor('linux/amd64', { labels: { version: 1 } });
  const reference = await tagged([image]);
  const { defects } = await verifyImage(at.client, reference, { sameLabels: ['version'] });
  expect(defects).toContainEqual({
    where: image.digest,
    what: expect.stringMatching(/^has labels in its config that cannot be read: /),
  });
});

test('the defects of an image are listed with the first entry that names it', async () => {
  const layer = await at.folder.blob(LAYER, 'layer');
  const image = await at.folder.image({ os: 'linux', architecture: 'arm64' }, [layer]);
  await at.folder.remove(layer);
  const named = (variant: string): Entry => ({
    ...image,
    platform: { os: 'linux', architecture: 'arm64', variant },
  });
  const reference = await tagged([named('v8'), named('v9')]);
  const { entries } = await verifyImage(at.client, reference);
  expect(entries[0]!.defects).toContainEqual({
    where: image.digest,
    what: expect.stringContaining(layer.digest),
  });
  expect(entries[1]!.defects).toContainEqual({
    where: image.digest,
    what: 'has the same defects as its first entry',
  });
});
