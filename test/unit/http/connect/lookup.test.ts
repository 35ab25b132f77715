import { isIP } from 'node:net';
import { expect, test } from 'vitest';
import { sharedLookup } from '../../../../src/http/connect/lookup.js';

test.each([4, 6] as const)(
  'a lookup of one address has it and its family: IPv%i',
  async (family) => {
    const literal = family === 4 ? '127.0.0.1' : '::1';
    const found = await new Promise((resolve, reject) => {
      sharedLookup()(literal, { family }, (error, address, of) => {
        if (error === null) resolve([address, of]);
        else reject(error);
      });
    });
    expect(found).toEqual([literal, isIP(literal)]);
  },
);
