import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { sha256 } from '../support/http.js';
import { makeAuthority, type Authority } from './support/authority.js';
import { FakeRegistry, pushArguments, type MadeImage } from './support/fake-registry.js';
import { auths, Folder } from './support/files.js';
import { startNetwork, type Network } from './support/network.js';
import { expectNoSecret } from './support/secrets.js';
import {
  json,
  startScripted,
  type Answer,
  type ScriptedServer,
  type Seen,
} from './support/scripted.js';

const folder = new Folder();
let registry: FakeRegistry;
let image: MadeImage;
let authority: Authority;
let server: ScriptedServer;
let other: ScriptedServer;
let plain: ScriptedServer;
let network: Network;
/** Where a request is redirected to; undefined answers it. */
let redirect: (request: Seen) => Answer | undefined;

const SIGNATURE = 'canary%2Fsignature%3D';

beforeAll(async () => {
  authority = await makeAuthority(folder.path);
  const { server: pair, ca } = authority;
  server = await startScripted(() => json(500, {}), { ...pair, clientCa: ca, demandsClient: true });
  other = await startScripted(() => json(500, {}), { ...pair, clientCa: ca });
  plain = await startScripted(() => json(500, {}));
  network = await startNetwork({
    'registry.test:443': server.port,
    'registry.test:8443': other.port,
    'registry.test:80': plain.port,
    'cdn.test:443': other.port,
    'cdn.test:80': plain.port,
  });
});

beforeEach(() => {
  for (const each of [server, other, plain]) each.requests.length = 0;
  network.calls.length = 0;
  registry = new FakeRegistry();
  [image] = registry.addPlatforms('x') as [MadeImage];
  redirect = () => undefined;
  const serve = (request: Seen): Answer => {
    const path = request.path.replace(/^\/moved/, '');
    return registry.answer({ ...request, path });
  };
  server.script = (request) => {
    if (request.headers.authorization === undefined)
      return {
        status: 401,
        headers: { 'www-authenticate': 'Basic realm="r"', 'set-cookie': 'session=canary-cookie' },
      };
    return redirect(request) ?? serve(request);
  };
  other.script = serve;
  plain.script = serve;
});

afterAll(async () => {
  await network.stop();
  await Promise.all([server.stop(), other.stop(), plain.stop()]);
});

const run = (...args: string[]): Promise<CliResult> =>
  runCli(
    [
      ...args,
      '--debug',
      '--ca-file',
      authority.caFile,
      '--cert-file',
      authority.client.certFile,
      '--key-file',
      authority.client.keyFile,
    ],
    {
      env: {
        ...network.env,
        DOCKER_CONFIG: folder.dockerConfig(auths('registry.test', 'alice', 'secret-word')),
      },
    },
  );

const inspect = (): Promise<CliResult> => run('inspect', 'registry.test/x:linux-amd64');

const isManifest = ({ path }: Seen): boolean => path.includes('/manifests/');
const isBlob = ({ path }: Seen): boolean => path.includes('/blobs/');

describe('test 10: redirects of reads', () => {
  describe.each([
    ['a manifest', isManifest],
    ['a blob', isBlob],
  ])('of %s', (_, which) => {
    it.each([
      ['another host', 'https://cdn.test'],
      ['another port', 'https://registry.test:8443'],
      ['another host without a scheme', '//cdn.test'],
    ])('to %s: followed, with nothing of ours', async (__, to) => {
      redirect = (request) =>
        which(request)
          ? {
              status: 307,
              headers: { location: `${to}/moved${request.path}?X-Sig=${SIGNATURE}` },
            }
          : undefined;
      const result = await inspect();
      expectCode(result, 0);
      expect(other.requests).toHaveLength(1);
      const [seen] = other.requests;
      expect(seen!.url).toMatch(new RegExp(`\\?X-Sig=${SIGNATURE}$`));
      expect(seen!.hasClientCertificate).toBe(false);
      const allowed = new Set(['host', 'connection', 'accept', 'accept-encoding', 'user-agent']);
      expect(Object.keys(seen!.headers).filter((name) => !allowed.has(name))).toEqual([]);
      expect(server.requests[0]!.hasClientCertificate).toBe(true);
      expectNoSecret(result, ['secret-word', decodeURIComponent(SIGNATURE), SIGNATURE]);
    });

    it.each(['http://cdn.test', 'http://registry.test'])('to %s: refused', async (to) => {
      redirect = (request) =>
        which(request)
          ? { status: 307, headers: { location: `${to}${request.path}?sig=${SIGNATURE}` } }
          : undefined;
      const result = await inspect();
      expectCode(result, 1);
      expect(plain.requests).toEqual([]);
      expect(result.stderr).toContain('https to http');
      expectNoSecret(result, ['secret-word', SIGNATURE]);
    });

    it.each([401, 403])('a %i from there gets no credential', async (status) => {
      redirect = (request) =>
        which(request)
          ? { status: 307, headers: { location: `https://cdn.test${request.path}` } }
          : undefined;
      other.script = () => ({
        status,
        headers: {
          'www-authenticate': 'Basic realm="r", Bearer realm="https://cdn.test/t",service="s"',
        },
        body: '<Error><ArgumentValue>Bearer canary-echo</ArgumentValue></Error>',
      });
      const result = await inspect();
      expectCode(result, 4);
      // A 401 is answered with an anonymous token, which this server refuses as well.
      const paths = other.requests.map(({ path }) => path);
      expect(paths.slice(1)).toEqual(status === 401 ? ['/t'] : []);
      for (const { headers } of other.requests) expect(headers.authorization).toBeUndefined();
      expectNoSecret(result, ['canary-echo']);
      expect(result.stderr).not.toMatch(/log in/);
    });

    it.each([
      ['itself', undefined],
      ['ftp', 'ftp://cdn.test/x'],
      ['a user in the address', 'https://registry.test@cdn.test/x'],
      ['no address', 'https://['],
    ])('to %s: refused', async (__, location) => {
      redirect = (request) =>
        which(request)
          ? { status: 307, headers: { location: location ?? request.path } }
          : undefined;
      const result = await inspect();
      expectCode(result, 1);
      expect(server.requests.length).toBeLessThan(20);
      expect(other.requests).toEqual([]);
      expect(result.stderr).toMatch(/^manifest-tool: .*redirect/m);
    });
  });

  it('a Location of 30 KiB can be followed', async () => {
    redirect = (request) =>
      isBlob(request)
        ? {
            status: 307,
            headers: { location: `https://cdn.test${request.path}?sas=${'x'.repeat(30_000)}` },
          }
        : undefined;
    expectCode(await inspect(), 0);
  });

  it('back to the registry, the password is there again', async () => {
    redirect = (request) =>
      isManifest(request) && !request.path.startsWith('/moved')
        ? { status: 307, headers: { location: `/moved${request.path}` } }
        : undefined;
    expectCode(await inspect(), 0);
    expect(other.requests).toEqual([]);
  });

  it('what a redirect leads to is checked all the same', async () => {
    redirect = (request) =>
      isBlob(request)
        ? { status: 307, headers: { location: `https://cdn.test${request.path}` } }
        : undefined;
    other.script = () => ({ status: 200, body: 'something else' });
    const result = await inspect();
    expectCode(result, 1);
    expect(result.stderr).toContain(sha256(image.config));
  });
});

describe('redirects of writes', () => {
  const push = (): Promise<CliResult> =>
    run(...pushArguments('registry.test/x', 'registry.test/x'));

  it.each([301, 302, 303])(
    '%i would lose what is written: refused, with the address',
    async (status) => {
      redirect = (request) =>
        request.method === 'PUT'
          ? { status, headers: { location: `https://cdn.test${request.path}` } }
          : undefined;
      const result = await push();
      expectCode(result, 1);
      expect(result.stderr).toContain('cdn.test');
      expect(other.requests).toEqual([]);
      expect(registry.manifests.has('x:out')).toBe(false);
    },
  );

  it.each([307, 308])('%i is followed with the body, on the same origin', async (status) => {
    redirect = (request) =>
      request.method === 'PUT' && !request.path.startsWith('/moved')
        ? { status, headers: { location: `/moved${request.path}` } }
        : undefined;
    expectCode(await push(), 0);
    expect(registry.manifests.get('x:out')!.bytes.length).toBeGreaterThan(100);
  });

  it('to another origin nothing of ours goes with it', async () => {
    redirect = (request) =>
      request.method === 'PUT'
        ? { status: 307, headers: { location: `https://cdn.test${request.path}` } }
        : undefined;
    await push();
    for (const { headers, hasClientCertificate } of other.requests) {
      expect(headers.authorization).toBeUndefined();
      expect(hasClientCertificate).toBe(false);
    }
  });
});
