import { describe, expect, test } from 'vitest';
import { compose, HttpHeaders, type HttpRequest } from '../../../src/http/request.js';
import { warnings } from '../../../src/http/warnings.js';

const REQUEST: HttpRequest = { method: 'GET', url: new URL('https://r.example/v2/'), maxBytes: 0 };

/** What is reported of answers with these fields, one after the other. */
async function reported(...answers: (string | string[])[]): Promise<string[]> {
  const texts: string[] = [];
  let at = 0;
  const transport = compose([warnings((text) => texts.push(text))], async ({ url }) => ({
    status: 200,
    headers: new HttpHeaders({ warning: answers[at++] }),
    body: Buffer.of(),
    url,
  }));
  for (const _ of answers) await transport(REQUEST);
  return texts;
}

describe('a warning of a registry', () => {
  test('is reported once', async () => {
    const same = '299 - "this API goes away"';
    expect(await reported(same, [same, '299 - "so does \\"this\\""'], same)).toEqual([
      'this API goes away',
      'so does "this"',
    ]);
  });

  test.each(['', '199 - "old"', '299 agent "named"', '299 - unquoted', '299 - "open'])(
    'in a form that the specification does not have is ignored: %j',
    async (value) => {
      expect(await reported(value)).toEqual([]);
    },
  );

  test('is ignored beyond 4096 bytes in total', async () => {
    const long = (letter: string): string => `299 - "${letter.repeat(3000)}"`;
    expect(await reported(long('a'), long('b'))).toEqual(['a'.repeat(3000)]);
  });
});
