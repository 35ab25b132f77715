import { expect, test } from 'vitest';
import { listReferrers } from '../../../../src/core/read/referrers.js';
import { ManifestToolError, type ErrorCode } from '../../../../src/errors.js';
import type { ImageReader } from '../../../../src/oci/content.js';
import { digestOf } from '../../../../src/oci/digest.js';

const SUBJECT = digestOf(Buffer.from('subject'));

/** Has no referrers, and fails to read any tag. */
const readerThatFails = (code: ErrorCode): ImageReader =>
  ({
    referrers: () => Promise.resolve([]),
    getManifest: (tag) => Promise.reject(new ManifestToolError(code, `reading ${tag}`, 'no')),
  }) as Partial<ImageReader> as ImageReader;

test('a cosign tag that does not exist is no referrer', async () => {
  expect(await listReferrers(readerThatFails('NOT_FOUND'), SUBJECT)).toEqual([]);
});

test('a cosign tag that cannot be read is an error: it may be a signature', async () => {
  const listing = listReferrers(readerThatFails('UNAVAILABLE'), SUBJECT);
  await expect(listing).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});
