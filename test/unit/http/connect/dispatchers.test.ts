import { expect, test } from 'vitest';
import { Dispatchers } from '../../../../src/http/connect/dispatchers.js';

const URL_OF_HOST = new URL('http://a.example:5000/v2/');

test('nothing is connected after the end', async () => {
  const dispatchers = new Dispatchers({ env: {}, insecure: () => false });
  await dispatchers.destroy();
  await expect(dispatchers.get(URL_OF_HOST)).rejects.toMatchObject({
    code: 'INTERRUPTED',
    what: 'connecting to a.example:5000',
  });
});

test('nor what was being opened then', async () => {
  const dispatchers = new Dispatchers({ env: {}, insecure: () => false });
  const opening = dispatchers.get(URL_OF_HOST);
  await dispatchers.destroy();
  await expect(opening).rejects.toMatchObject({ code: 'INTERRUPTED' });
});
