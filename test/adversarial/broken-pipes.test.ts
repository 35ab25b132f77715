import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { sha256 } from '../support/http.js';
import { FakeRegistry, pushArguments } from './support/fake-registry.js';
import {
  failure,
  startScripted,
  type Answer,
  type ScriptedServer,
  type Seen,
} from './support/scripted.js';

let server: ScriptedServer;
let registry: FakeRegistry;
/** What happens instead of the answer, by how often this very request has come before. */
let fault: (request: Seen, before: number) => Answer | undefined;

beforeAll(async () => {
  server = await startScripted((request) => {
    const same = server.requests.filter(
      ({ method, url }) => method === request.method && url === request.url,
    );
    return fault(request, same.length - 1) ?? registry.answer(request);
  });
});

beforeEach(() => {
  server.requests.length = 0;
  registry = new FakeRegistry();
  registry.addPlatforms('source');
  fault = () => undefined;
});

afterAll(() => server.stop());

const push = (...options: string[]): Promise<CliResult> =>
  runCli([...pushArguments(`${server.host}/source`, `${server.host}/target`), ...options]);

const isTag = ({ method, path }: Seen): boolean => method === 'PUT' && path.endsWith('/out');
const tagPuts = (): Seen[] => server.requests.filter(isTag);

describe('test 22: broken pipes', () => {
  it('resets on connections that were used before', async () => {
    const served = new Set<string>();
    // Each request is cut off the first time it comes, but the very first of the connection.
    fault = (request, before) => {
      if (before > 0 || served.size === 0) {
        served.add(request.url);
        return undefined;
      }
      return 'reset';
    };
    expectCode(await push(), 0);
    for (const { method, url } of server.requests) {
      const same = server.requests.filter((each) => each.method === method && each.url === url);
      expect(same.length).toBeLessThanOrEqual(2);
    }
  });

  it.each([502, 504, 500])('a %i for the tag that was moved all the same', async (status) => {
    fault = (request) => {
      if (!isTag(request)) return undefined;
      registry.answer(request);
      return { status };
    };
    const result = await push();
    expectCode(result, 0);
    expect(result.stdout).toContain(sha256(tagPuts()[0]!.body));
    expect(tagPuts().length).toBeLessThanOrEqual(5);
  });

  it('a lost answer to the tag that was moved, in a registry that refuses it a second time', async () => {
    fault = (request, before) => {
      if (!isTag(request)) return undefined;
      registry.answer(request);
      return before === 0 ? 'reset' : failure(400, 'TAG_INVALID', 'the tag is immutable');
    };
    expectCode(await push(), 0);
  });

  it('a 500 and then a 201 for each manifest', async () => {
    fault = ({ method }, before) =>
      method === 'PUT' && before === 0 ? { status: 500 } : undefined;
    expectCode(await push(), 0);
    expect(tagPuts()).toHaveLength(2);
    expect(tagPuts()[1]!.body.equals(tagPuts()[0]!.body)).toBe(true);
  });

  it.each([408, 429, 500, 502, 503, 504])(
    '%i that stays: five tries, exit code 5',
    async (status) => {
      fault = (request) => (isTag(request) ? { status } : undefined);
      const result = await push();
      expectCode(result, 5);
      expect(tagPuts()).toHaveLength(5);
      expect(result.stderr).toMatch(new RegExp(`^manifest-tool: .*${status}.*5 attempts`, 'm'));
      expect(result.stdout).toBe('');
    },
  );

  it('resets that stay: exit code 5 with the number of tries', async () => {
    fault = (request) => (isTag(request) ? 'reset' : undefined);
    const result = await push();
    expectCode(result, 5);
    expect(result.stderr).toMatch(/^manifest-tool: writing .* \(5 attempts\)/m);
    expect(tagPuts()).toHaveLength(5);
  });

  it.each([
    [400, 1],
    [403, 4],
    [404, 3],
    [409, 1],
    [412, 1],
    [413, 1],
    [401, 4],
    [501, 5],
  ])('%i is tried once, exit code %i', async (status, code) => {
    fault = (request) =>
      isTag(request) ? failure(status, 'SOME_CODE', 'words of the registry') : undefined;
    const result = await push();
    expectCode(result, code);
    expect(tagPuts()).toHaveLength(1);
    expect(result.stderr).toContain('words of the registry');
    expect(result.stderr).not.toMatch(/^retrying/m);
    expect(result.stderr).toContain(`${server.host}/target:out`);
  });

  it('a body that is cut off is read again', async () => {
    fault = ({ method }, before) =>
      method === 'GET' && before === 0
        ? (response) => {
            response.writeHead(200, { 'content-length': '500' });
            response.write('{"half":', () => response.destroy());
          }
        : undefined;
    expectCode(await push(), 0);
  });

  it('a connection that is refused is tried as often as said', async () => {
    const args = ['inspect', '--retry', '2', '--retry-delay', '5ms', '127.0.0.1:1/x'];
    const result = await runCli(args);
    expectCode(result, 5);
    expect(result.stderr).toMatch(/3 attempts/);
    expect(result.stderr.match(/^retrying/gm)).toHaveLength(2);
  });

  it('an answer that does not come ends after --timeout', async () => {
    fault = ({ path }) => (path.includes('/blobs/') ? 'hang' : undefined);
    const result = await push('--timeout', '300ms', '--retry', '1');
    expectCode(result, 5);
    expect(result.stderr).toMatch(/2 attempts/);
  });

  it('a body that stops half way ends after --timeout', async () => {
    fault = ({ path }) =>
      path.includes('/blobs/')
        ? (response) => {
            response.writeHead(200, { 'content-length': '500' });
            response.write('{"half":');
          }
        : undefined;
    const result = await push('--timeout', '300ms', '--retry', '1');
    expectCode(result, 5);
  });
});
