import { describe, expect, test } from 'vitest';
import { compose, HttpHeaders, type HttpRequest } from '../../../src/http/request.js';
import { RegistryWarnings } from '../../../src/http/warnings.js';

const REQUEST: HttpRequest = { method: 'GET', url: new URL('https://r.example/v2/'), maxBytes: 0 };

/** What is reported of answers with these fields, one after the other. */
async function reported(...answers: (string | string[])[]): Promise<string[]> {
  const texts: string[] = [];
  let at = 0;
  const warnings = new RegistryWarnings((text) => texts.push(text));
  const transport = compose([warnings.layer], async ({ url }) => ({
    status: 200,
    headers: new HttpHeaders({ warning: answers[at++] }),
    body: Buffer.of(),
    url,
  }));
  for (const _ of answers) await transport(REQUEST);
  warnings.close();
  warnings.close();
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

  test('is counted beyond 4096 bytes in total', async () => {
    const long = (letter: string): string => `299 - "${letter.repeat(3000)}"`;
    expect(await reported(long('a'), long('b'), long('b'), '299 - "short"')).toEqual([
      'a'.repeat(3000),
      'short',
      '(1 further warning not shown)',
    ]);
  });

  test('is counted beyond the tenth, once for each text', async () => {
    const many = (count: number): string[] =>
      Array.from({ length: count }, (_, at) => `299 - "warning ${at}"`);
    const texts = await reported(many(13), many(13));
    expect(texts).toHaveLength(11);
    expect(texts.slice(9)).toEqual(['warning 9', '(3 further warnings not shown)']);
    expect((await reported(many(5000))).at(-1)).toBe('(100 or more further warnings not shown)');
  });
});
