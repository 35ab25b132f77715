import { expect, test } from 'vitest';
import { withTagOutcome } from '../../../../src/core/publish/failures.js';
import { ManifestToolError } from '../../../../src/errors.js';

test('a write of several tags that fails says which tags moved', () => {
  const error = new ManifestToolError('DENIED', 'pushing', 'not authorized');
  expect(withTagOutcome(error, ['1', '2'], ['1'])).toMatchObject({
    code: 'DENIED',
    why: 'not authorized; published: 1; not published: 2',
  });
});

test('a fault of the program is not changed', () => {
  const fault = new TypeError('undefined is not a function');
  expect(withTagOutcome(fault, ['1', '2'], ['1'])).toBe(fault);
});
