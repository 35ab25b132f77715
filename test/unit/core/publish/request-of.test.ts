import { expect, test } from 'vitest';
import { requestOf, type RequestOf } from '../../../../src/core/publish/request-of.js';
import { parseReference } from '../../../../src/oci/reference.js';
import type { Entry } from '../../../support/layout.js';
import { useLayoutClient } from '../../../support/layout-client.js';

const at = useLayoutClient();

async function requestOfIndex(entries: readonly Entry[], tag = '1'): Promise<RequestOf> {
  await at.folder.tag(await at.folder.index(entries), tag);
  return requestOf(at.client, parseReference(at.folder.reference(tag)));
}

test('what a spec cannot name is counted', async () => {
  const image = await at.folder.imageFor('linux/amd64');
  const blobs = [
    await at.folder.blob('text/plain', 'one'),
    await at.folder.blob('text/plain', 'two'),
  ];
  const one = await requestOfIndex([image, blobs[0]!]);
  expect(one.losses).toEqual(['1 entry that is not an image is left out']);
  const images = [await at.folder.imageFor('linux/amd64')];
  const two = await requestOfIndex([...images, ...blobs], '2');
  expect(two.losses).toEqual(['2 entries that are not images are left out']);
});

test('an image that is missing is an error, not a loss', async () => {
  const image = await at.folder.imageFor('linux/amd64');
  await at.folder.remove(image);
  await expect(requestOfIndex([image])).rejects.toMatchObject({ code: 'NOT_FOUND' });
});
