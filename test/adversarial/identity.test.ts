import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { FakeRegistry } from './support/fake-registry.js';
import { Folder, pathWith } from './support/files.js';
import { expectNoSecret, formsOf } from './support/secrets.js';
import { json, startScripted, type ScriptedServer } from './support/scripted.js';

const folder = new Folder();
const REFRESH = 'refresh-token-R/+=secret';
let server: ScriptedServer;
let tokenServer: ScriptedServer;
let registry: FakeRegistry;

beforeAll(async () => {
  server = await startScripted(({ path }) => json(500, { path }));
  tokenServer = await startScripted(({ path }) => json(500, { path }));
  const bin = folder.directory();
  folder.helper(bin, 'identity', `echo '{"Username":"<token>","Secret":"${REFRESH}"}'`);
  env = { PATH: pathWith(bin) };
});

let env: Record<string, string>;

beforeEach(() => {
  server.requests.length = 0;
  tokenServer.requests.length = 0;
  registry = new FakeRegistry();
  registry.addPlatforms('x');
});

afterAll(async () => {
  await server.stop();
  await tokenServer.stop();
});

function inspect(): Promise<CliResult> {
  const config = folder.dockerConfig({ credHelpers: { [server.host]: 'identity' } });
  const args = ['inspect', '--debug', `${server.host}/x:linux-amd64`];
  return runCli(args, { env: { ...env, DOCKER_CONFIG: config } });
}

describe('test 5: an identity token of a helper', () => {
  it('goes to the realm by POST alone, and the error names the helper where that is not there', async () => {
    server.script = () => ({
      status: 401,
      headers: { 'www-authenticate': `Bearer realm="${tokenServer.url}/token",service="s"` },
    });
    tokenServer.script = () => ({ status: 404, body: 'not found' });
    const result = await inspect();
    expectCode(result, 4);
    expect(result.stderr).toContain('docker-credential-identity');
    expectNoSecret(result, [REFRESH]);
    expect(tokenServer.requests).toHaveLength(1);
    const [post] = tokenServer.requests;
    expect(post!.method).toBe('POST');
    expect(post!.headers.authorization).toBeUndefined();
    expect(post!.headers['content-type']).toBe('application/x-www-form-urlencoded');
    const form = new URLSearchParams(post!.body.toString());
    expect(Object.fromEntries(form)).toEqual({
      grant_type: 'refresh_token',
      service: 's',
      client_id: 'manifest-tool',
      scope: 'repository:x:pull',
      refresh_token: REFRESH,
    });
    expect(post!.url).toBe('/token');
    for (const request of server.requests) {
      const text = request.url + JSON.stringify(request.headers) + request.body.toString();
      for (const each of formsOf(REFRESH)) expect(text).not.toContain(each);
    }
  });

  it('works where the token server takes it', async () => {
    server.script = (request) =>
      request.headers.authorization === 'Bearer granted-token'
        ? registry.answer(request)
        : {
            status: 401,
            headers: { 'www-authenticate': `Bearer realm="${tokenServer.url}/token",service="s"` },
          };
    tokenServer.script = () => json(200, { access_token: 'granted-token' });
    const result = await inspect();
    expectCode(result, 0);
    expectNoSecret(result, [REFRESH, 'granted-token']);
  });

  it('is no answer to Basic', async () => {
    server.script = () => ({ status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } });
    const result = await inspect();
    expectCode(result, 4);
    expect(server.requests.filter(({ headers }) => headers.authorization)).toEqual([]);
    expectNoSecret(result, [REFRESH]);
  });

  it('a registrytoken is sent as it is, and to no token server', async () => {
    server.script = (request) =>
      request.headers.authorization === 'Bearer the-registry-token'
        ? registry.answer(request)
        : {
            status: 401,
            headers: { 'www-authenticate': `Bearer realm="${tokenServer.url}/token",service="s"` },
          };
    const config = { auths: { [server.host]: { registrytoken: 'the-registry-token' } } };
    const args = ['inspect', '--debug', `${server.host}/x:linux-amd64`];
    const result = await runCli(args, { env: { DOCKER_CONFIG: folder.dockerConfig(config) } });
    expectCode(result, 0);
    expect(tokenServer.requests).toEqual([]);
    expectNoSecret(result, ['the-registry-token']);
  });
});
