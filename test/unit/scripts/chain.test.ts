import { describe, expect, it } from 'vitest';
import { longestChain } from '../../../scripts/bench/chain.mjs';

const span = (start: number, end?: number) => ({ start, end });

describe('the longest chain', () => {
  it.each([
    ['of nothing is none', [], 0],
    ['of requests side by side is one', [span(0, 9), span(1, 8), span(2, 7)], 1],
    ['of requests one after another is their number', [span(0, 1), span(1, 2), span(3, 4)], 3],
    ['does not count what was sent before the answer had ended', [span(0, 5), span(4, 6)], 1],
    ['counts what waits for the first answer only', [span(0, 2), span(0, 9), span(3, 8)], 2],
    ['does not need the order of time', [span(6, 7), span(0, 1), span(2, 5)], 3],
    ['goes on from no request without an answer', [span(0), span(1, 2), span(3, 4)], 2],
    [
      'takes the longest of several ways',
      [span(0, 1), span(2, 3), span(4, 5), span(0, 5), span(6, 7)],
      4,
    ],
  ])('%s', (_, spans, chain) => {
    expect(longestChain(spans)).toBe(chain);
  });
});

describe('the longest chain with connections', () => {
  const first = { opened: 0 };
  const second = { opened: 10 };

  it('has that of the first request', () => {
    expect(longestChain([{ start: 1, end: 2, connection: first }], 1)).toBe(2);
    expect(longestChain([{ start: 1, end: 2, connection: first }], 2)).toBe(3);
  });

  it('has a connection once, however many requests it serves', () => {
    const spans = [1, 3, 5].map((start) => ({ start, end: start + 1, connection: first }));
    expect(longestChain(spans, 1)).toBe(4);
  });

  it('has those that are opened side by side once', () => {
    const connections = [{ opened: 0 }, { opened: 1 }, { opened: 2 }];
    const spans = connections.map((connection) => ({ start: 3, end: 4, connection }));
    expect(longestChain(spans, 1)).toBe(2);
  });

  it('has one that is opened later, by what had ended when it was opened', () => {
    const spans = [
      { start: 1, end: 9, connection: first },
      { start: 10, end: 12, connection: first },
      { start: 11, end: 13, connection: second },
    ];
    expect(longestChain(spans, 1)).toBe(4);
    expect(longestChain(spans.slice(0, 2), 1)).toBe(3);
  });
});
