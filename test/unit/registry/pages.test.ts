import { describe, expect, test } from 'vitest';
import { HttpHeaders, type HttpResponse } from '../../../src/http/request.js';
import type { Connection } from '../../../src/registry/connection.js';
import { readPages } from '../../../src/registry/pages.js';
import type { Call } from '../../../src/registry/requests.js';

const ORIGIN = 'https://registry.test:5000';
const REQUEST: Call = {
  method: 'GET',
  path: '/v2/a/tags/list',
  what: 'listing the tags of registry.test:5000/a',
  maxBytes: 1024,
};

interface Page {
  readonly status?: number;
  readonly link?: string | string[];
}

/** Reads a list of a registry that answers to paths; returns the paths that it was asked for. */
async function read(answer: (path: string) => Page): Promise<string[]> {
  const asked: string[] = [];
  const connection: Pick<Connection, 'send' | 'unexpected'> = {
    send({ path }) {
      asked.push(path);
      const { status = 200, link } = answer(path);
      return Promise.resolve({
        status,
        headers: new HttpHeaders(link === undefined ? {} : { link }),
        body: Buffer.from(''),
        url: new URL(path, ORIGIN),
      });
    },
    unexpected: (_, { status }: HttpResponse) => new Error(`unexpected ${status}`) as never,
  };
  for await (const { url } of readPages(connection as Connection, REQUEST))
    expect(url).toBeDefined();
  return asked;
}

const linked = (link: string | string[]) => (path: string) =>
  path === REQUEST.path ? { link } : {};

describe('the link to the next page', () => {
  test.each<[string, string | string[], string]>([
    ['a path', '</v2/a/tags/list?last=x&n=2>; rel="next"', '/v2/a/tags/list?last=x&n=2'],
    ['a query', '<?last=x>; rel=next', '/v2/a/tags/list?last=x'],
    ['a relative path', '<list?last=x>;rel="next"', '/v2/a/tags/list?last=x'],
    ['its own origin', `<${ORIGIN}/v2/p?last=x>; rel="next"`, '/v2/p?last=x'],
    ['another scheme', '<http://registry.test:5000/v2/p?x=1>; rel="next"', '/v2/p?x=1'],
    ['no port', '<https://registry.test/v2/p?x=1>; rel="next"', '/v2/p?x=1'],
    ['another host', '<https://backend.internal/v2/p?x=1>; rel="next"', '/v2/p?x=1'],
    ['a scheme-less host', '<registry.test:5000/v2/p?x=1>; rel="next"', '/v2/p?x=1'],
    ['a network path', '<//backend.internal/v2/p?x=1>; rel="next"', '/v2/p?x=1'],
    ['no brackets', '/v2/p?x=1; rel="next"', '/v2/p?x=1'],
    ['several relations', '</v2/p>; rel="last next"', '/v2/p'],
    ['upper case', '</v2/p>; REL="NEXT"', '/v2/p'],
    ['other parameters', '</v2/p>; title="a, b; c"; rel="next"; x', '/v2/p'],
    ['the second of a line', '</v2/first>; rel="first", </v2/p?a=1,2>; rel="next"', '/v2/p?a=1,2'],
    ['the second line', ['</v2/first>; rel="first"', '</v2/p>; rel="next"'], '/v2/p'],
    ['a query that is kept as it is', '</v2/p?a=%2F~%20=>; rel="next"', '/v2/p?a=%2F~%20='],
  ])('has %s', async (_, link, expected) => {
    expect(await read(linked(link))).toEqual([REQUEST.path, expected]);
  });

  test.each([
    ['another relation', '</v2/p>; rel="prev"'],
    ['none', '</v2/p>'],
    ['one that contains the word', '</v2/p>; rel="nextish"; title="rel=next"'],
    ['no next in a quoted parameter', '</v2/p>; title="x; rel=next"'],
  ])('is absent if the relation is %s', async (_, link) => {
    expect(await read(linked(link))).toEqual([REQUEST.path]);
  });

  test.each([
    '<http://[>; rel="next"',
    '<ftp://registry.test/p>; rel="next"',
    '<urn:x>; rel="next"',
  ])('is an error if it cannot be followed: %s', async (link) => {
    await expect(read(linked(link))).rejects.toThrow(/next page \(Link\) is not valid/);
  });
});

describe('a list', () => {
  test('ends with the first answer that is not 200', async () => {
    expect(await read(() => ({ status: 404, link: '</v2/p>; rel="next"' }))).toHaveLength(1);
  });

  test.each([404, 206, 500, 304])('fails if a later page is %i', async (status) => {
    const answer = (path: string): Page =>
      path === REQUEST.path ? { link: '</v2/p>; rel="next"' } : { status };
    await expect(read(answer)).rejects.toThrow(`unexpected ${status}`);
  });

  test('fails if a page repeats', async () => {
    const next: Record<string, string> = { [REQUEST.path]: '/b', '/b': '/c', '/c': '/b' };
    await expect(read((path) => ({ link: `<${next[path]}>; rel="next"` }))).rejects.toThrow(
      /repeats a page/,
    );
  });

  test('of 999 pages is read, and the thousandth is an error', async () => {
    const until = (last: number) => {
      let count = 0;
      return (): Page => {
        count += 1;
        return count < last ? { link: `</p${count}>; rel="next"` } : {};
      };
    };
    expect(await read(until(999))).toHaveLength(999);
    await expect(read(until(1000))).rejects.toThrow(/has 1000 pages or more/);
  });
});
