import { afterAll, beforeAll, beforeEach, describe, it } from 'vitest';
import { auths, Folder } from './support/files.js';
import { expectHint } from './support/hints.js';
import { OddRegistry, type Odd } from './support/odd-registry.js';
import { json, type Answer } from './support/scripted.js';

const folder = new Folder();
let odds: OddRegistry;

beforeAll(async () => {
  odds = await OddRegistry.start();
});

beforeEach(() => odds.reset());

afterAll(() => odds.server.stop());

type Row = readonly [name: string, answer: Odd, code: number, says: RegExp, hint: RegExp];

describe('a token', () => {
  const SERVER = /^if the registry is yours, check that the realm it names is a token server$/;
  const REALM = /^no credential was sent there; if the registry is yours, correct the realm/;

  /** A registry that wants a token from `realm`. */
  const wants = (realm: string, answer: Answer = { status: 404 }): Odd => {
    return ({ path }) => {
      if (path === '/t') return answer;
      return { status: 401, headers: { 'www-authenticate': `Bearer service="s"${realm}` } };
    };
  };
  /** From a token server that answers so; its address is known when it is asked. */
  const own = (answer: Answer): Odd => {
    return (request) => wants(`,realm="${odds.server.url}/t"`, answer)(request);
  };

  it.each<Row>([
    [
      'that is refused',
      own({ status: 401 }),
      4,
      /status 401 without/,
      /^log in with "docker login/,
    ],
    [
      'that cannot be had now',
      own({ status: 503 }),
      5,
      /status 503/,
      /^try again later, or raise --retry$/,
    ],
    ['that is none', own(json(200, {})), 1, /has no token$/, SERVER],
    ['without end', own(json(200, { token: 'x'.repeat(20_000) })), 1, /20000 characters/, SERVER],
    ['that cannot be sent', own(json(200, { token: 'a b' })), 1, /cannot be sent/, SERVER],
    [
      'in no JSON',
      own({ status: 200, body: 'x' }),
      1,
      /is not JSON/,
      /^try again; if it fails each time/,
    ],
    [
      'from a server that sends elsewhere',
      own({ status: 307, headers: { location: 'http://other.test/' } }),
      1,
      /a redirect to another host \(other\.test\)/,
      /^nothing was sent there; if the registry is yours, correct its redirects$/,
    ],
    ['from nowhere', wants(''), 4, /its challenge has no realm/, REALM],
    ['from a file', wants(',realm="file:///t"'), 4, /not an http or https URL/, REALM],
    ['from an address with a name', wants(',realm="http://a:b@x.test/t"'), 4, /credentials/, REALM],
    ['from inside', wants(',realm="http://10.0.0.1/t"'), 4, /an internal address/, REALM],
  ])('%s', async (_, answer, code, says, hint) => {
    odds.odd = answer;
    await expectHint({ args: odds.reading(), code, says, hint });
  });

  it('that is refused to a user', async () => {
    odds.odd = own({ status: 403 });
    const env = {
      DOCKER_CONFIG: folder.dockerConfig(auths(odds.server.host, 'alice', 'canary-word')),
    };
    const says = /status 403 with the credentials of/;
    await expectHint({
      args: odds.reading(),
      env,
      code: 4,
      says,
      hint: /^check that these credentials are valid, and that they allow this access$/,
    });
  });
});

describe('the way to a registry', () => {
  it.each<readonly [reference: string, says: RegExp, hint: RegExp]>([
    ['127.0.0.1:1/app:1', /connection refused/, /^check the name and the port of the registry/],
    [
      'no-such-host.invalid/app:1',
      /no-such-host\.invalid/,
      /^check the name and the port of the reg/,
    ],
  ])('%s', async (reference, says, hint) => {
    await expectHint({ args: ['inspect', '--retry', '0', reference], code: 5, says, hint });
  });
});
