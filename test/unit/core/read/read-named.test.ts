import { expect, test } from 'vitest';
import { readNamed } from '../../../../src/core/read/read-named.js';
import { parsePlatform } from '../../../../src/oci/platform.js';
import { parseReference } from '../../../../src/oci/reference.js';
import { useLayoutClient } from '../../../support/layout-client.js';

const at = useLayoutClient();

test('a platform selects among all that a name refers to: images, and entries of indexes', async () => {
  const [amd64, arm64] = [
    await at.folder.imageFor('linux/amd64'),
    await at.folder.imageFor('linux/arm64'),
  ];
  await at.folder.tag(amd64, '1');
  await at.folder.tag(await at.folder.index([arm64]), '1');
  const reference = parseReference(at.folder.reference('1'));
  const store = await at.client.open(reference, 'pull');
  const digestFor = async (platform: string): Promise<string> =>
    (await readNamed(store, reference, parsePlatform(platform))).digest;
  expect(await digestFor('linux/amd64')).toBe(amd64.digest);
  expect(await digestFor('linux/arm64')).toBe(arm64.digest);
});
