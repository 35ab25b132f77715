import { afterAll, beforeAll, beforeEach, describe, it } from 'vitest';
import { sha256 } from '../support/http.js';
import { expectHint } from './support/hints.js';
import { always, isWrite, OddRegistry, type Odd } from './support/odd-registry.js';
import { failure, type Answer } from './support/scripted.js';

let odds: OddRegistry;

beforeAll(async () => {
  odds = await OddRegistry.start();
});

beforeEach(() => odds.reset());

afterAll(() => odds.server.stop());

type Row = readonly [name: string, answer: Odd, code: number, says: RegExp, hint: RegExp];

describe('an answer to a write', () => {
  it.each<Row>([
    [
      '400',
      (r) => (isWrite(r) ? { status: 400 } : undefined),
      1,
      /status 400/,
      /^run check-registry to see/,
    ],
    [
      'a manifest that is refused as invalid',
      (r) => (isWrite(r) ? failure(400, 'MANIFEST_INVALID', 'manifest invalid') : undefined),
      1,
      /status 400: MANIFEST_INVALID/,
      /^try the other type of index \(--type docker or --type oci\)/,
    ],
    [
      '413',
      (r) => (isWrite(r) ? { status: 413 } : undefined),
      1,
      /too large/,
      /^configure the registry, or t/,
    ],
    [
      'a tag that does not move',
      (r) => (isWrite(r) && r.path.endsWith('/1') ? failure(400, 'X', 'immutable') : undefined),
      6,
      /the registry does not allow overwriting it/,
      /^publish under another tag, or allow overwriting tags in the settings of the registry$/,
    ],
    [
      'a blob that it misses',
      (r) => (isWrite(r) ? failure(400, 'MANIFEST_BLOB_UNKNOWN', 'no') : undefined),
      3,
      /lacks content that it refers to/,
      /^run it again; pass --wait TIME if/,
    ],
    [
      'a repository that it does not make',
      (r) => (isWrite(r) ? failure(404, 'NAME_UNKNOWN', 'no') : undefined),
      3,
      /the repository does not exist/,
      /^create it at the registry$/,
    ],
    [
      'another digest',
      (r) =>
        isWrite(r) ? { status: 201, headers: { 'docker-content-digest': sha256('x') } } : undefined,
      1,
      /the registry stored sha256:\S+ instead of/,
      /^configure the registry, or the proxy in front of it, to keep manifests as they are sent$/,
    ],
    [
      'no place to upload to',
      (r) => (r.method === 'POST' ? { status: 202 } : undefined),
      1,
      /returned no upload location/,
      /^configure the registry, or the proxy in front of it, to send the address of the upload$/,
    ],
    [
      'a place that is none',
      (r) => (r.method === 'POST' ? { status: 202, headers: { location: 'http://' } } : undefined),
      1,
      /is not a valid address/,
      /^configure the registry, or the proxy in front of it, to send the address of the upload$/,
    ],
    [
      'a place at another host',
      (r) =>
        r.method === 'POST'
          ? { status: 202, headers: { location: 'http://evil.test/' } }
          : undefined,
      1,
      /is at http:\/\/evil\.test, which is not/,
      /^nothing was sent there; configure the registry to use its own address$/,
    ],
  ])('%s', async (_, answer, code, says, hint) => {
    odds.odd = answer;
    await expectHint({ args: odds.copying(), code, says, hint });
  });
});

describe('a redirect', () => {
  const to = (location: string | undefined, status = 307): Answer => ({
    status,
    headers: location === undefined ? {} : { location },
  });
  const NOT_FOLLOWED = /^nothing was sent there; if the registry is yours, correct its redirects$/;

  it.each<Row>([
    ['to nowhere', always(to(undefined)), 1, /a redirect without Location/, NOT_FOLLOWED],
    ['to a file', always(to('file:///etc/passwd')), 1, /other than an http address/, NOT_FOLLOWED],
    ['with a name', always(to('http://a:canary@evil.test/')), 1, /credentials in it/, NOT_FOLLOWED],
    [
      'in a circle',
      (r) => to(r.path),
      1,
      /more than 5 redirects/,
      /^check the name of the registry, and/,
    ],
  ])('%s', async (_, answer, code, says, hint) => {
    odds.odd = answer;
    await expectHint({ args: odds.reading(), code, says, hint });
  });

  it('of a write that would become a read', async () => {
    odds.odd = (r) => (isWrite(r) ? to('http://other.test/', 302) : undefined);
    await expectHint({
      args: odds.copying(),
      code: 1,
      says: /would lose the request body/,
      hint: /^use the address that the registry redirects to: other\.test$/,
    });
  });
});

describe('check-registry', () => {
  const check = (...more: string[]): string[] => {
    return ['check-registry', '--retry', '0', ...more, `${odds.server.host}/app`];
  };

  it('of a registry that takes no lists', async () => {
    odds.odd = (request) => {
      if (request.method === 'DELETE') return { status: 405 };
      const isList = /list|index/.test(request.headers['content-type'] ?? '');
      return isWrite(request) && isList ? failure(400, 'UNSUPPORTED', 'no') : undefined;
    };
    await expectHint({
      args: check('--tags-only'),
      code: 6,
      says: /accepts neither Docker manifest lists nor OCI indexes/,
      hint: /^the report shows its responses; a newer version of the registry may accept them$/,
    });
  });

  it('of a registry that does not allow it', async () => {
    odds.odd = ({ method }) => (method === 'POST' ? { status: 403 } : undefined);
    await expectHint({
      args: check(),
      code: 4,
      says: /not allowed/,
      hint: /^log in with "docker login/,
    });
  });
});
