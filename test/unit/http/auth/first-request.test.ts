import { describe, expect, test } from 'vitest';
import { FirstRequest } from '../../../../src/http/auth/first-request.js';

/** Sends three requests at once; what each got, and how many were sent before the first had its answer. */
async function burst(isExpected: boolean, answer: () => Promise<string>) {
  const first = new FirstRequest(() => Promise.resolve(isExpected));
  let sent = 0;
  let atFirstAnswer = 0;
  const send = async (): Promise<string> => {
    sent += 1;
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (atFirstAnswer === 0) atFirstAnswer = sent;
    return answer();
  };
  const got = await Promise.allSettled([1, 2, 3].map(() => first.send(send)));
  return { got: got.map((each) => ('value' in each ? each.value : 'failed')), sent, atFirstAnswer };
}

describe('the first request of a burst', () => {
  test('goes alone where a challenge is expected, and the others are told to look again', async () => {
    const { got, sent } = await burst(true, () => Promise.resolve('401'));
    expect([got, sent]).toEqual([['401', undefined, undefined], 1]);
  });

  test('goes with the others where none is', async () => {
    const { got, atFirstAnswer } = await burst(false, () => Promise.resolve('200'));
    expect([got, atFirstAnswer]).toEqual([['200', '200', '200'], 3]);
  });

  test('holds nobody up by failing', async () => {
    const { got } = await burst(true, () => Promise.reject(new Error('reset')));
    expect(got).toEqual(['failed', undefined, undefined]);
  });
});
