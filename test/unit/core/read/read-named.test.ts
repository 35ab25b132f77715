import { afterEach, beforeEach, expect, test } from 'vitest';
import { createClient, type Client } from '../../../../src/core/client.js';
import { readNamed } from '../../../../src/core/read/read-named.js';
import { parsePlatform } from '../../../../src/oci/platform.js';
import { parseReference } from '../../../../src/oci/reference.js';
import { LayoutFolder } from '../../../support/layout.js';

let folder: LayoutFolder;
let client: Client;

beforeEach(async () => {
  folder = await LayoutFolder.make();
  client = createClient();
});

afterEach(async () => {
  await client.close();
  await folder.remove();
});

test('a platform selects among all that a name refers to: images, and entries of indexes', async () => {
  const [amd64, arm64] = [
    await folder.imageFor('linux/amd64'),
    await folder.imageFor('linux/arm64'),
  ];
  await folder.tag(amd64, '1');
  await folder.tag(await folder.index([arm64]), '1');
  const reference = parseReference(folder.reference('1'));
  const store = await client.open(reference, 'pull');
  const digestFor = async (platform: string): Promise<string> =>
    (await readNamed(store, reference, parsePlatform(platform))).digest;
  expect(await digestFor('linux/amd64')).toBe(amd64.digest);
  expect(await digestFor('linux/arm64')).toBe(arm64.digest);
});
