import { expect, test } from 'vitest';
import { RepeatedContent } from '../../../../src/core/read/repeated-content.js';
import { digestOf } from '../../../../src/oci/digest.js';

const MIB = 1024 * 1024;
const big = { digest: digestOf(Buffer.from('big')), size: 8 * MIB };

test('content may be shown again up to 16 MiB in all, and the first time is free', () => {
  const repeated = new RepeatedContent('reading e.co/app:1');
  for (let i = 0; i < 3; i++) repeated.add(big);
  repeated.add({ digest: digestOf(Buffer.from('other')), size: 100 * MIB });
  expect(() => repeated.add({ ...big, size: 1 })).toThrow(
    expect.objectContaining({
      code: 'FAILED',
      reason: 'index-limit',
      what: 'reading e.co/app:1',
      why: expect.stringContaining('16'),
    }),
  );
});
