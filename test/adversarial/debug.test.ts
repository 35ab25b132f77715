import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { FakeRegistry, pushArguments } from './support/fake-registry.js';
import { auths, Folder } from './support/files.js';
import { expectNoSecret } from './support/secrets.js';
import {
  json,
  startScripted,
  type Answer,
  type ScriptedServer,
  type Seen,
} from './support/scripted.js';

const folder = new Folder();
const TOKEN = 'bearer-token-canary';
let server: ScriptedServer;
let storage: ScriptedServer;
let registry: FakeRegistry;
let special: (request: Seen) => Answer | undefined;

beforeAll(async () => {
  server = await startScripted((request) => {
    if (request.path === '/t') return json(200, { token: TOKEN });
    if (request.headers.authorization === undefined)
      return {
        status: 401,
        headers: { 'www-authenticate': `Bearer realm="${server.url}/t",service="s"` },
      };
    return special(request) ?? registry.answer(request);
  });
  storage = await startScripted((request) => registry.answer(request));
});

beforeEach(() => {
  server.requests.length = 0;
  registry = new FakeRegistry();
  registry.addPlatforms('x');
  special = () => undefined;
});

afterAll(async () => {
  await server.stop();
  await storage.stop();
});

const run = (...args: string[]): Promise<CliResult> =>
  runCli(args, {
    env: { DOCKER_CONFIG: folder.dockerConfig(auths(server.host, 'alice', 'secret-word')) },
  });

const LINE =
  /^debug: (GET|HEAD|POST|PUT|DELETE) (http\S+) -> (\d{3}|[^,]+), (\d+) ms, try (\d+), (.+)$/;

function requestLines({ stderr }: CliResult): string[][] {
  return stderr
    .split('\n')
    .filter((line) => /^debug: [A-Z]+ http/.test(line))
    .map((line) => {
      const match = LINE.exec(line);
      if (match === null) throw new Error(`no line of a request: ${line}`);
      return match.slice(1);
    });
}

describe('--debug', () => {
  it('has a line for each request: method, URL, status, time, try and whose credentials', async () => {
    const result = await run(...pushArguments(`${server.host}/x`, `${server.host}/y`), '--debug');
    expectCode(result, 0);
    const lines = requestLines(result);
    expect(lines).toHaveLength(server.requests.length);
    for (const { method, url } of server.requests)
      expect(lines.some(([m, u]) => m === method && u === server.url + url)).toBe(true);
    const first = lines.find(([, url]) => url!.includes('/manifests/'))!;
    expect([first[2], first[4], first[5]]).toEqual(['401', '1', 'no credentials']);
    const put = lines.find(([method]) => method === 'PUT')!;
    expect(put[2]).toBe('201');
    expect(put[5]).toContain('config.json');
    expectNoSecret(result, ['secret-word', TOKEN]);
  });

  it('says where the credentials of a token request came from', async () => {
    const result = await run('inspect', '--debug', `${server.host}/x:linux-amd64`);
    const token = requestLines(result).find(([, url]) => url!.includes('/t?'))!;
    expect(token[5]).toContain('config.json');
  });

  it('counts the tries', async () => {
    let count = 0;
    special = ({ method }) => (method === 'PUT' && (count += 1) < 3 ? { status: 503 } : undefined);
    const result = await run(...pushArguments(`${server.host}/x`, `${server.host}/x`), '--debug');
    expectCode(result, 0);
    const puts = requestLines(result).filter(([method]) => method === 'PUT');
    expect(puts.map(([, , status, , attempt]) => [status, attempt])).toEqual([
      ['503', '1'],
      ['503', '2'],
      ['201', '3'],
    ]);
  });

  it('says what went wrong where there is no answer', async () => {
    let count = 0;
    special = ({ method }) => (method === 'PUT' && (count += 1) < 2 ? 'reset' : undefined);
    const result = await run(...pushArguments(`${server.host}/x`, `${server.host}/x`), '--debug');
    expectCode(result, 0);
    const put = requestLines(result).find(([method]) => method === 'PUT');
    expect(put![2]).toMatch(/ECONNRESET|UND_ERR_SOCKET/);
  });

  it('shows hops of a redirect, and of their query nothing that may be a signature', async () => {
    special = ({ path }) =>
      path.includes('/blobs/')
        ? {
            status: 307,
            headers: { location: `${storage.url}${path}?X-Amz-Signature=canary&canary-alone&n=5` },
          }
        : undefined;
    const result = await run('inspect', '--debug', `${server.host}/x:linux-amd64`);
    expectCode(result, 0);
    const hop = requestLines(result).find(([, url]) => url!.startsWith(storage.url))!;
    expect(hop[1]).toContain('X-Amz-Signature=REDACTED');
    expect(hop[1]).toContain('n=5');
    expect(hop[5]).toBe('no credentials');
    expect(result.stderr).not.toContain('canary');
  });

  it('shows the whole chain of causes of an error', async () => {
    special = () => 'reset';
    const result = await run('inspect', '--debug', '--retry', '0', `${server.host}/x`);
    expectCode(result, 5);
    expect(result.stderr).toMatch(/^debug: caused by: /m);
  });

  it('is silent without it, and standard output is the same', async () => {
    const [quiet, loud] = [
      await run('inspect', `${server.host}/x:linux-amd64`),
      await run('inspect', '-D', `${server.host}/x:linux-amd64`),
    ];
    expect(quiet.stderr).toBe('');
    expect(loud.stdout).toBe(quiet.stdout);
    expect(requestLines(loud).length).toBeGreaterThan(2);
  });
});
