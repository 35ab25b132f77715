import { expect, test } from 'vitest';
import { UploadLimiter } from '../../../src/registry/upload-limiter.js';

test('an upload that was interrupted while it waited does not begin', async () => {
  const abort = new AbortController();
  const limiter = new UploadLimiter();
  const { signal } = abort;
  const size = 2 * 1024 * 1024;
  let finish: () => void = () => undefined;
  const blocked = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let count = 0;
  const upload = (): Promise<void> => {
    count += 1;
    return blocked;
  };
  const running = Array.from({ length: 4 }, () => limiter.run({ what: 'x', size, signal }, upload));
  await expect.poll(() => count).toBe(4);
  let begun = false;
  const waiting = limiter.run({ what: 'uploading y', size, signal }, async () => {
    begun = true;
  });
  const cause = new Error('stop');
  abort.abort(cause);
  finish();
  await expect(waiting).rejects.toMatchObject({ code: 'INTERRUPTED', what: 'uploading y', cause });
  expect(begun).toBe(false);
  await Promise.all(running);
});
