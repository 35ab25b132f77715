import { afterAll, beforeAll, beforeEach, describe, it } from 'vitest';
import { sha256 } from '../support/http.js';
import { DOCKER_LIST, DOCKER_MANIFEST, makeImage, stored } from './support/fake-registry.js';
import { auths, Folder } from './support/files.js';
import { expectHint } from './support/hints.js';
import { always, OddRegistry, type Odd } from './support/odd-registry.js';
import { failure, json, type Answer, type Seen } from './support/scripted.js';

const folder = new Folder();
const BASIC = { 'www-authenticate': 'Basic realm="r"' };
let odds: OddRegistry;

beforeAll(async () => {
  odds = await OddRegistry.start();
});

beforeEach(() => odds.reset());

afterAll(() => odds.server.stop());

type Row = readonly [name: string, answer: Odd, code: number, says: RegExp, hint: RegExp];

describe('an answer to a read', () => {
  const SUPPORT =
    /^run check-registry to see what the registry supports; --debug shows the request$/;
  const NAME = /^check the name and the port of the registry$/;

  it.each<Row>([
    ['400', always(failure(400, 'NAME_INVALID', 'no')), 1, /status 400: NAME_INVALID/, SUPPORT],
    ['405', always({ status: 405 }), 1, /returned status 405/, SUPPORT],
    [
      '401',
      always({ status: 401, headers: BASIC }),
      4,
      /not allowed anonym/,
      /^log in with "docker lo/,
    ],
    [
      '403',
      always({ status: 403 }),
      4,
      /not allowed without credentials/,
      /^log in with "docker log/,
    ],
    [
      '404',
      always({ status: 404 }),
      3,
      /not found \(status 404\)/,
      /^check the name and the tag or/,
    ],
    [
      '429',
      always({ status: 429 }),
      5,
      /limits the rate of requests/,
      /^wait, or log in: registries/,
    ],
    ['408', always({ status: 408 }), 5, /status 408/, /^try again later, or raise --retry$/],
    ['500', always({ status: 500 }), 5, /status 500/, /^try again later, or raise --retry$/],
    ['501', always({ status: 501 }), 5, /status 501/, SUPPORT],
    ['304', always({ status: 304 }), 1, /status 304, which is not a valid response/, NAME],
    [
      'a web page',
      always({ status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' }),
      5,
      /a web page/,
      NAME,
    ],
    ['none', always('reset'), 5, /closed before the answer/, /^check the name and the port of the/],
    [
      'no JSON',
      always({ status: 200, body: 'x' }),
      1,
      /neither an image manifest/,
      /^check that the reference is to/,
    ],
    ['an object', always(json(200, {})), 1, /config is missing/, /^check that the reference is to/],
    [
      'an old manifest',
      always(json(200, { schemaVersion: 1 })),
      1,
      /of schema version 1/,
      /^convert the image, for example with skopeo/,
    ],
    [
      'something else',
      always(json(200, { schemaVersion: 2, mediaType: 'a/b', config: {} })),
      1,
      /"a\/b" is neither an image nor an index/,
      /^use an image or an index: other content/,
    ],
    [
      'a list of very many',
      always(
        json(200, {
          schemaVersion: 2,
          mediaType: DOCKER_LIST,
          manifests: Array.from({ length: 10_001 }, () => ({})),
        }),
      ),
      1,
      /manifests has 10001 entries/,
      /^divide it into several indexes$/,
    ],
    [
      'another digest',
      always(json(200, {}, { 'docker-content-digest': sha256('x') })),
      1,
      /does not have the digest/,
      /^try again; if it fails each time, look for a proxy/,
    ],
    [
      'an endless body',
      always({ status: 200, body: 'x'.repeat(5 * 1024 * 1024) }),
      1,
      /larger than \d+ bytes/,
      /^check the name and the port of the registry: no registry sends that much$/,
    ],
    [
      'a blob that is gone',
      ({ path }) => (path.includes('/blobs/') ? { status: 404 } : undefined),
      3,
      /@sha256:\S+ failed: not found/,
      /^push the image again: the registry lacks a part of it; verify lists/,
    ],
    [
      'a blob that another host refuses',
      (request) => elsewhere(request, 403),
      4,
      /to which \S+ redirects/,
      /^try again: the address that the registry gave may have expired$/,
    ],
    [
      'a blob that another host does not have',
      (request) => elsewhere(request, 404),
      3,
      /not found/,
      /^push the image again: the registry lacks a part/,
    ],
  ])('%s', async (_, answer, code, says, hint) => {
    odds.odd = answer;
    await expectHint({ args: odds.reading(), code, says, hint });
  });

  /** Blobs are at another name of this server, where there is nothing but this status. */
  const elsewhere = (request: Seen, status: number): Answer | undefined => {
    if (!request.path.includes('/blobs/')) return undefined;
    if (request.headers.host?.startsWith('localhost') === true) return { status };
    return {
      status: 307,
      headers: { location: `http://localhost:${odds.server.port}${request.path}` },
    };
  };

  it.each<Row>([
    [
      '401',
      always({ status: 401, headers: BASIC }),
      4,
      /as alice/,
      /^correct or renew these credentials: \S+ rejects them$/,
    ],
    [
      '403',
      (request) =>
        request.headers.authorization ? { status: 403 } : { status: 401, headers: BASIC },
      4,
      /as alice/,
      /^the repository may not exist, or this user may lack/,
    ],
    [
      '404',
      (request) => (request.headers.authorization ? undefined : { status: 401, headers: BASIC }),
      3,
      /not found/,
      /, and that this user has access to the repository$/,
    ],
    [
      '429',
      (request) =>
        request.headers.authorization ? { status: 429 } : { status: 401, headers: BASIC },
      5,
      /limits the rate/,
      /^wait before you try again$/,
    ],
  ])('%s as a user', async (_, answer, code, says, hint) => {
    odds.odd = answer;
    const env = {
      DOCKER_CONFIG: folder.dockerConfig(auths(odds.server.host, 'alice', 'canary-word')),
    };
    await expectHint({ args: odds.reading('app:none'), env, code, says, hint });
  });

  it('404 to nobody', async () => {
    const bearer = `Bearer realm="${odds.server.url}/t",service="s"`;
    odds.odd = ({ path, headers }) => {
      if (path === '/t') return json(200, { token: 'little-token' });
      if (headers.authorization !== undefined) return undefined;
      return { status: 401, headers: { 'www-authenticate': bearer } };
    };
    const hint =
      /^check the name and the tag or digest, or log in: private repositories look missing/;
    await expectHint({ args: odds.reading('app:none'), code: 3, says: /not found/, hint });
  });
});

describe('what a manifest names', () => {
  const list = (...manifests: object[]): void =>
    odds.registry.addManifest(
      'app',
      'list',
      stored(DOCKER_LIST, { schemaVersion: 2, mediaType: DOCKER_LIST, manifests }),
    );

  it('is not there', async () => {
    const platform = { os: 'linux', architecture: 'amd64' };
    list({ mediaType: DOCKER_MANIFEST, size: 3, digest: sha256('x'), platform });
    await expectHint({
      args: odds.reading('app:list'),
      code: 3,
      says: /app@sha256:\S+ failed: not found/,
      hint: /^push the image again: the registry lacks a part of it; verify lists what else is missing$/,
    });
  });

  it('has another size', async () => {
    const { digest } = odds.registry.addImage('app', 'sized');
    list({ mediaType: DOCKER_MANIFEST, size: 3, digest });
    await expectHint({
      args: odds.reading('app:list'),
      code: 1,
      says: /but the index that refers to it says 3/,
      hint: /^the index is wrong: publish it again from its images/,
    });
  });

  const withConfig = (content: string, size = content.length): void => {
    const config = { mediaType: 'application/json', size, digest: sha256(content) };
    odds.registry.addManifest(
      'app',
      'odd',
      stored(DOCKER_MANIFEST, { schemaVersion: 2, mediaType: DOCKER_MANIFEST, config, layers: [] }),
    );
    odds.registry.blobs.set(`app@${sha256(content)}`, Buffer.from(content));
  };

  it.each<readonly [string, () => void, says: RegExp, hint: RegExp]>([
    [
      'a size of its own',
      () => withConfig('{}', 3),
      /manifest that refers to it says 3/,
      /^the image is da/,
    ],
    [
      'no end',
      () => withConfig('{}', 2 ** 23),
      /more than the limit/,
      /^check the descriptor: no image config/,
    ],
    [
      'no JSON',
      () => withConfig('x'),
      /reading the config of/,
      /^it is probably an artifact and not an image/,
    ],
    [
      'no object',
      () => withConfig('[]'),
      /is not an object/,
      /^it is probably an artifact and not an image/,
    ],
  ])('is a configuration of %s', async (_, make, says, hint) => {
    make();
    await expectHint({ args: odds.reading('app:odd'), code: 1, says, hint });
  });

  it('is a configuration that cannot be shown', async () => {
    withConfig('x');
    const args = [...odds.reading('app:odd'), '--config'];
    await expectHint({
      args,
      code: 1,
      says: /showing the conf/,
      hint: /^--format raw prints it unchanged/,
    });
  });

  it('is damaged where it is read', async () => {
    const { layer } = makeImage();
    odds.registry.blobs.set(
      `app@${sha256(layer)}`,
      Buffer.from(layer.toString().replace('l', 'L')),
    );
    // What is mounted is not read.
    odds.odd = ({ query, path }) =>
      query.has('mount') ? { status: 202, headers: { location: `${path}session` } } : undefined;
    await expectHint({
      args: odds.copying(),
      code: 1,
      says: /reading \S+\/app@sha256:\S+ failed: (the content received does not have|its digest is not)/,
      hint: /^the source is damaged: build the image there again, or push it again$/,
    });
  });

  it('refers to it, in a second page that is none', async () => {
    odds.odd = ({ path, query }) => {
      if (!path.includes('/referrers/')) return undefined;
      if (query.has('page')) return json(200, []);
      return json(200, { manifests: [] }, { link: `<${path}?page=2>; rel="next"` });
    };
    await expectHint({
      args: [...odds.reading(), '--referrers'],
      code: 1,
      says: /answer is not an index/,
      hint: /^omit --referrers/,
    });
  });
});
