import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { FakeRegistry, stored, DOCKER_LIST, pushArguments } from './support/fake-registry.js';
import { auths, Folder } from './support/files.js';
import {
  failure,
  json,
  startScripted,
  type Answer,
  type ScriptedServer,
  type Seen,
} from './support/scripted.js';

const folder = new Folder();
let server: ScriptedServer;
let registry: FakeRegistry;
let special: (request: Seen) => Answer | undefined;

beforeAll(async () => {
  server = await startScripted((request) => special(request) ?? registry.answer(request));
});

beforeEach(() => {
  server.requests.length = 0;
  registry = new FakeRegistry();
  special = () => undefined;
});

afterAll(() => server.stop());

/** What acts on a terminal: a title, colours by C1, the other direction, a new line, half a pair, a bell. */
const EVIL =
  '\u001b]0;evil\u0007 \u009b31m \u202Eevil\u202C \u2066x\u2069 \u2028 \ud800 \r\n\t\b\u007f end';

const ACTING =
  // oxlint-disable-next-line no-control-regex -- they are what must not be there
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u2028\u2029]|[\ud800-\udbff](?![\udc00-\udfff])/;

function expectHarmless({ stdout, stderr }: CliResult): void {
  // Colours of our own are not asked for: this is no terminal.
  expect(stdout).not.toMatch(ACTING);
  expect(stderr).not.toMatch(ACTING);
}

const run = (...args: string[]): Promise<CliResult> =>
  runCli([...args, '--debug', '--retry-delay', '5ms'], {
    env: { DOCKER_CONFIG: folder.dockerConfig(auths(server.host, 'alice', 'secret-word')) },
  });

describe('test 24: text that acts on a terminal', () => {
  it('in platforms, types and annotations of a list', async () => {
    const image = registry.addImage('x', 'any');
    const entry = { mediaType: image.mediaType, digest: image.digest, size: image.bytes.length };
    const manifests = [
      {
        ...entry,
        platform: {
          os: EVIL,
          architecture: EVIL,
          variant: EVIL,
          'os.version': EVIL,
          'os.features': [EVIL],
        },
        annotations: { [EVIL]: EVIL },
      },
      {
        ...entry,
        annotations: {
          'vnd.docker.reference.type': 'attestation-manifest',
          'vnd.docker.reference.digest': EVIL,
        },
      },
      { ...entry, mediaType: `application/${EVIL}` },
    ];
    registry.addManifest(
      'x',
      'list',
      stored(DOCKER_LIST, { schemaVersion: 2, mediaType: DOCKER_LIST, manifests }),
    );
    const result = await run('inspect', `${server.host}/x:list`);
    expectCode(result, 0);
    expectHarmless(result);
    expect(result.stdout).toContain('\\u001b]0;evil\\u0007');
    expect(result.stdout).toContain('\\u202e');
  });

  it('in a configuration, and in the warning about it', async () => {
    registry.addImage('x', 'linux-amd64', { os: EVIL, architecture: EVIL });
    const inspected = await run('inspect', `${server.host}/x:linux-amd64`);
    expectCode(inspected, 0);
    expectHarmless(inspected);
    const args = pushArguments(`${server.host}/x`, `${server.host}/x`, { count: 1 });
    const pushed = await runCli(args);
    expect(pushed.stderr).toContain('warning');
    expectHarmless(pushed);
  });

  it.each([400, 401, 403, 404, 429, 500])('in an error with %i', async (status) => {
    special = () => failure(status, `CODE${EVIL}`, EVIL);
    const result = await run('inspect', '--retry', '1', `${server.host}/x`);
    expect(result.code).not.toBe(0);
    expectHarmless(result);
    expect(
      result.stderr.split('\n').filter((line) => line.startsWith('manifest-tool: ')),
    ).toHaveLength(1);
  });

  it('in a challenge, a realm and a scope', async () => {
    const evil = '\u009b31m\u00a0evil';
    special = () => ({
      status: 401,
      headers: {
        'www-authenticate': `Bearer realm="http://${evil}.test/${evil}",service="${evil}",scope="repository:${evil}:pull"`,
      },
    });
    const result = await run('inspect', `${server.host}/x`);
    expect(result.code).not.toBe(0);
    expectHarmless(result);
  });

  it('in a Location and a Warning', async () => {
    registry.addImage('x', 'latest');
    special = ({ path }) =>
      path.includes('/blobs/')
        ? {
            status: 307,
            headers: { location: 'ftp://\u009b31m/x', warning: '299 - "\u009b31m evil"' },
          }
        : undefined;
    const result = await run('inspect', `${server.host}/x`);
    expectCode(result, 1);
    expectHarmless(result);
  });

  it('in the answer of a token server', async () => {
    special = ({ path }) =>
      path === '/t'
        ? json(200, { details: EVIL, token: EVIL })
        : { status: 401, headers: { 'www-authenticate': `Bearer realm="${server.url}/t"` } };
    const result = await run('inspect', `${server.host}/x`);
    expectCode(result, 1);
    expectHarmless(result);
  });

  it('in a digest header and a type', async () => {
    const image = registry.addImage('x', 'latest');
    special = ({ path }) =>
      path.includes('/manifests/')
        ? {
            status: 200,
            headers: {
              'content-type': 'application/\u009b31m',
              'docker-content-digest': '\u009b31m',
            },
            body: image.bytes
              .toString()
              .replace(image.mediaType, JSON.stringify(EVIL).slice(1, -1)),
          }
        : undefined;
    const result = await run('inspect', `${server.host}/x`);
    expectCode(result, 1);
    expectHarmless(result);
  });

  it('in what the user typed', async () => {
    const result = await run('inspect', `${server.host}/x:${EVIL}`);
    expectCode(result, 2);
    expectHarmless(result);
  });

  it('--raw stays JSON, with what it was given', async () => {
    const image = registry.addImage('x', 'any', { oci: true });
    const annotations = { evil: '\u001b]0;evil\u0007 \u202e <&>' };
    const document = { ...(JSON.parse(image.bytes.toString()) as object), annotations };
    registry.addManifest('x', 'list', stored(image.mediaType, document));
    const result = await run('inspect', '--raw', `${server.host}/x:list`);
    expectCode(result, 0);
    expect(result.stdout).not.toContain('\u001b');
    expect(result.stdout).not.toContain('\u0007');
    expect(JSON.stringify(JSON.parse(result.stdout))).toContain(JSON.stringify(annotations.evil));
  });
});
