import { afterEach, beforeEach, expect, test } from 'vitest';
import { createClient, type Client } from '../../../../src/core/client.js';
import { requestOf, type RequestOf } from '../../../../src/core/publish/request-of.js';
import { parseReference } from '../../../../src/oci/reference.js';
import { LayoutFolder, type Entry } from '../../../support/layout.js';

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

async function requestOfIndex(entries: readonly Entry[]): Promise<RequestOf> {
  await folder.tag(await folder.index(entries), '1');
  return requestOf(client, parseReference(folder.reference('1')));
}

test('what a spec cannot name is counted', async () => {
  const image = await folder.imageFor('linux/amd64');
  const blobs = [await folder.blob('text/plain', 'one'), await folder.blob('text/plain', 'two')];
  const one = await requestOfIndex([image, blobs[0]!]);
  expect(one.losses).toEqual(['1 entry that is not an image is left out']);
  await folder.remove();
  folder = await LayoutFolder.make();
  const images = [await folder.imageFor('linux/amd64')];
  const two = await requestOfIndex([...images, ...blobs]);
  expect(two.losses).toEqual(['2 entries that are not images are left out']);
});

test('an image that is missing is an error, not a loss', async () => {
  const image = await folder.imageFor('linux/amd64');
  await folder.remove(image);
  await expect(requestOfIndex([image])).rejects.toMatchObject({ code: 'NOT_FOUND' });
});
