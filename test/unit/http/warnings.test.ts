import { describe, expect, test } from 'vitest';
import { HttpHeaders, type HttpRequest } from '../../../src/http/request.js';
import { withWarnings } from '../../../src/http/warnings.js';

const REQUEST: HttpRequest = { method: 'GET', url: new URL('https://r.example/v2/'), maxBytes: 0 };

/** What is told of answers with these fields, one after the other. */
async function told(...answers: (string | string[])[]): Promise<string[]> {
  const texts: string[] = [];
  let at = 0;
  const transport = withWarnings(
    async ({ url }) => ({
      status: 200,
      headers: new HttpHeaders({ warning: answers[at++] }),
      body: Buffer.of(),
      url,
    }),
    (text) => texts.push(text),
  );
  for (const _ of answers) await transport(REQUEST);
  return texts;
}

describe('a warning of a registry', () => {
  test('is told once, however often it comes', async () => {
    const same = '299 - "this API goes away"';
    expect(await told(same, [same, '299 - "so does \\"this\\""'], same)).toEqual([
      'this API goes away',
      'so does "this"',
    ]);
  });

  test.each(['', '199 - "old"', '299 agent "named"', '299 - unquoted', '299 - "open'])(
    'of another form than that of the specification is not told: %j',
    async (value) => {
      expect(await told(value)).toEqual([]);
    },
  );

  test('is not told where all of them together are more than 4096 bytes', async () => {
    const long = (letter: string): string => `299 - "${letter.repeat(3000)}"`;
    expect(await told(long('a'), long('b'))).toEqual(['a'.repeat(3000)]);
  });
});
