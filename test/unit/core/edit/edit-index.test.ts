import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createClient, type Client } from '../../../../src/core/client.js';
import { addToIndex } from '../../../../src/core/edit/add.js';
import { editIndex } from '../../../../src/core/edit/edit-index.js';
import { ManifestToolError } from '../../../../src/errors.js';
import { IndexText } from '../../../../src/oci/json/index-text.js';
import { parseReference, type Reference } from '../../../../src/oci/reference.js';
import { LayoutFolder } from '../../../support/layout.js';

let folder: LayoutFolder;
let client: Client;
let target: Reference;

beforeEach(async () => {
  folder = await LayoutFolder.make();
  client = createClient();
  await folder.tag(await folder.index([await folder.imageFor('linux/amd64')]), '1');
  target = parseReference(folder.reference('1'));
});

afterEach(async () => {
  await client.close();
  await folder.remove();
});

const names = (): Promise<string> => readFile(path.join(folder.root, 'index.json'), 'utf8');

test('an edit that breaks the index is a fault of the program, and is not written', async () => {
  const before = await names();
  const editing = editIndex(client, { target }, {}, () => (_, { mediaType }) => {
    return new IndexText('{', mediaType);
  });
  const error: unknown = await editing.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Error);
  expect(error).not.toBeInstanceOf(ManifestToolError);
  expect(await names()).toBe(before);
});

test('a warning is an error before anything is written, if images are added strictly', async () => {
  const image = await folder.imageFor('linux/arm64', { listed: { extra: 'x' } });
  await folder.tag(await folder.index([image]), '2');
  const before = await names();
  const sources = [{ reference: parseReference(folder.reference('2')) }];
  await expect(addToIndex(client, { target, sources, strict: true })).rejects.toMatchObject({
    code: 'USAGE',
  });
  expect(await names()).toBe(before);
  const { warnings } = await addToIndex(client, { target, sources });
  expect(warnings).toEqual([expect.stringContaining('the member extra')]);
});
