import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { LAYER, LayoutFolder } from '../support/layout.js';
import { FakeRegistry } from './support/fake-registry.js';
import { Folder } from './support/files.js';
import {
  json,
  startScripted,
  type Answer,
  type ScriptedServer,
  type Seen,
} from './support/scripted.js';

/**
 * `--retry N` means at most N + 1 attempts of any request, whoever repeats it: the transport, an upload that starts again, or a read
 * that resumes. Counted at the server; the message gives the same number.
 */

const RETRIES = 2;
const ATTEMPTS = RETRIES + 1;
/** A size that takes several chunks. */
const LAYER_SIZE = 300_000;

const folder = new Folder();
let source: ScriptedServer;
let target: ScriptedServer;
let sources: FakeRegistry;
let targets: FakeRegistry;
let layout: LayoutFolder;

beforeAll(async () => {
  source = await startScripted(() => ({ status: 500 }));
  target = await startScripted(() => ({ status: 500 }));
  layout = await LayoutFolder.make();
  const layer = await layout.blob(LAYER, Buffer.alloc(LAYER_SIZE, 'layer '));
  await layout.tag(await layout.image({ os: 'linux', architecture: 'amd64' }, [layer]), 'image');
});

beforeEach(() => {
  source.requests.length = 0;
  target.requests.length = 0;
  sources = new FakeRegistry();
  targets = new FakeRegistry();
  sources.addImage('app', 'image', { layerSize: LAYER_SIZE });
  source.script = (request) => sources.answer(request);
  target.script = (request) => targets.answer(request);
});

afterAll(async () => {
  await source.stop();
  await target.stop();
  await layout.remove();
});

function copy(from: string, to: string, retries = RETRIES): Promise<CliResult> {
  return runCli(['copy', from, to, '--retry', String(retries), '--retry-delay', '5ms']);
}

const isUpload = ({ method, path }: Seen): boolean =>
  method === 'PUT' && path.includes('/blobs/uploads/');
const isSession = ({ method, path }: Seen): boolean =>
  method === 'POST' && path.includes('/blobs/uploads/');
const isBlob = ({ method, path }: Seen): boolean =>
  method === 'GET' && path.includes('/blobs/sha256:');
const digestOf = ({ query, path }: Seen): string =>
  query.get('digest') ?? query.get('mount') ?? path;

/** How often each blob is in the requests, the highest number first. */
function countsByBlob(requests: readonly Seen[]): number[] {
  const counts = new Map<string, number>();
  for (const each of requests) counts.set(digestOf(each), (counts.get(digestOf(each)) ?? 0) + 1);
  return [...counts.values()].sort((a, b) => b - a);
}

type Failure = readonly [string, (request: Seen, registry: FakeRegistry) => Answer];

/** Failures of a request that its server does not get over. */
const FAILURES: readonly Failure[] = [
  ['503', () => ({ status: 503 })],
  ['429', () => ({ status: 429 })],
  ['500', () => ({ status: 500 })],
  ['a reset', () => 'reset'],
];

/** Failures of a body that is read. */
const DAMAGE: readonly Failure[] = [
  [
    'a body that is cut',
    (request, registry) => (response) => {
      const bytes = Buffer.from(registry.answer(request).body ?? '');
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
    },
  ],
  [
    'a body that is damaged',
    (request, registry) => {
      const bytes = Buffer.from(registry.answer(request).body ?? '');
      bytes[bytes.length - 1]! ^= 1;
      return { status: 200, body: bytes };
    },
  ],
];

describe('blobs of a layout that are uploaded', () => {
  const upload = (retries = RETRIES) =>
    copy(layout.reference('image'), `${target.host}/out:1`, retries);

  it.each(FAILURES)(
    '%s for each session: POST is sent as often as said for each blob',
    async (_, fail) => {
      target.script = (request) =>
        isSession(request) ? fail(request, targets) : targets.answer(request);
      const result = await upload();
      expectCode(result, 5);
      // An image of two blobs.
      expect(target.requests.filter(isSession)).toHaveLength(2 * ATTEMPTS);
      expect(target.requests.filter(isUpload)).toEqual([]);
      expect(result.stderr).toMatch(
        new RegExp(`^manifest-tool: .*\\(${ATTEMPTS} attempts\\)$`, 'm'),
      );
    },
  );

  it.each(FAILURES)('%s for each upload: PUT is sent as often, and POST', async (_, fail) => {
    target.script = (request) =>
      isUpload(request) ? fail(request, targets) : targets.answer(request);
    const result = await upload();
    expectCode(result, 5);
    expect(countsByBlob(target.requests.filter(isUpload))).toEqual([ATTEMPTS, ATTEMPTS]);
    expect(target.requests.filter(isSession)).toHaveLength(2 * ATTEMPTS);
    expect(result.stderr).toMatch(new RegExp(`^manifest-tool: .*\\(${ATTEMPTS} attempts\\)$`, 'm'));
  });

  it('failures of the session and of the upload count together', async () => {
    let sessions = 0;
    target.script = (request) => {
      if (isSession(request) && (sessions += 1) % 2 === 1) return { status: 503 };
      return isUpload(request) ? { status: 503 } : targets.answer(request);
    };
    expectCode(await upload(), 5);
    const uploads = countsByBlob(target.requests.filter(isUpload));
    expect(Math.max(...uploads)).toBeLessThanOrEqual(ATTEMPTS);
    expect(target.requests.filter(isSession).length).toBeLessThanOrEqual(2 * ATTEMPTS);
  });

  it('--retry 0 is one attempt', async () => {
    target.script = (request) => (isSession(request) ? { status: 503 } : targets.answer(request));
    const result = await upload(0);
    expectCode(result, 5);
    expect(target.requests.filter(isSession)).toHaveLength(2);
    expect(result.stderr).not.toMatch(/attempts/);
  });

  it('a Retry-After is kept by the upload that starts again', async () => {
    let until: number | undefined;
    target.script = (request) => {
      if (!isUpload(request) || until !== undefined) return targets.answer(request);
      until = request.time + 1000;
      return { status: 429, headers: { 'retry-after': '1' } };
    };
    const result = await upload();
    expectCode(result, 0);
    expect(result.stderr).toMatch(/^retrying \S+ in 1 s: status 429 \(attempt 2 of 3\)$/m);
    const sessions = target.requests.filter(isSession).map(({ time }) => time);
    expect(Math.max(...sessions)).toBeGreaterThanOrEqual(until!);
  });

  it('an upload whose answer is lost is looked for, and not sent again', async () => {
    target.script = (request) => {
      const answer = targets.answer(request);
      return isUpload(request) ? 'reset' : answer;
    };
    expectCode(await upload(), 0);
    expect(countsByBlob(target.requests.filter(isUpload))).toEqual([1, 1]);
  });
});

describe('blobs of a registry that are read', () => {
  const targetsOf: readonly [string, () => string][] = [
    ['another registry', () => `${target.host}/out:1`],
    ['a layout', () => `oci-layout://${folder.directory()}/out:1`],
  ];

  describe.each(targetsOf)('for %s', (_, to) => {
    it.each([...FAILURES, ...DAMAGE])('%s: GET is sent as often as said', async (__, fail) => {
      source.script = (request) =>
        isBlob(request) ? fail(request, sources) : sources.answer(request);
      const result = await copy(`${source.host}/app:image`, to());
      expect([1, 5]).toContain(result.code);
      const counts = countsByBlob(source.requests.filter(isBlob));
      expect(counts).toEqual([ATTEMPTS, ATTEMPTS]);
      expect(result.stderr).toMatch(
        new RegExp(`^manifest-tool: .*\\(${ATTEMPTS} attempts\\)$`, 'm'),
      );
      expect(targets.manifests.size).toBe(0);
    });

    it.each(DAMAGE)('%s, once: it is read again', async (__, fail) => {
      const hit = new Set<string>();
      source.script = (request) => {
        if (!isBlob(request) || hit.has(request.path)) return sources.answer(request);
        hit.add(request.path);
        return fail(request, sources);
      };
      expectCode(await copy(`${source.host}/app:image`, to()), 0);
      expect(countsByBlob(source.requests.filter(isBlob))).toEqual([2, 2]);
    });
  });

  it('a source and a target that both fail share the attempts', async () => {
    const [, cut] = DAMAGE[0]!;
    const hit = new Set<string>();
    source.script = (request) => {
      if (!isBlob(request) || hit.has(request.path)) return sources.answer(request);
      hit.add(request.path);
      return cut(request, sources);
    };
    target.script = (request) => (isUpload(request) ? { status: 503 } : targets.answer(request));
    expectCode(await copy(`${source.host}/app:image`, `${target.host}/out:1`), 5);
    const reads = countsByBlob(source.requests.filter(isBlob));
    const writes = countsByBlob(target.requests.filter(isUpload));
    expect(Math.max(...reads)).toBeLessThanOrEqual(ATTEMPTS);
    expect(Math.max(...writes)).toBeLessThanOrEqual(ATTEMPTS);
  });

  it.each([...FAILURES, ...DAMAGE])('%s, as they are verified', async (_, fail) => {
    source.script = (request) =>
      isBlob(request) ? fail(request, sources) : sources.answer(request);
    const args = ['verify', `${source.host}/app:image`, '--deep'];
    const result = await runCli([...args, '--retry', '2', '--retry-delay', '5ms']);
    expect(result.code).not.toBe(0);
    // The command before this one may have ended with the request for another blob on its way.
    const start = source.requests.findIndex(({ url }) => url.includes('/manifests/'));
    const requests = source.requests.slice(start).filter(isBlob);
    expect(requests.length).toBeGreaterThan(0);
    for (const count of countsByBlob(requests)) expect(count).toBeLessThanOrEqual(ATTEMPTS);
  });
});

describe('a mount', () => {
  const mount = () => copy(`${source.host}/app:image`, `${source.host}/out:1`);

  it.each(FAILURES)(
    '%s for each POST: as many as said a blob, uploads counted',
    async (_, fail) => {
      source.script = (request) =>
        isSession(request) ? fail(request, sources) : sources.answer(request);
      const result = await mount();
      expectCode(result, 5);
      expect(source.requests.filter(isSession)).toHaveLength(2 * ATTEMPTS);
      expect(result.stderr).toMatch(
        new RegExp(`^manifest-tool: .*\\(${ATTEMPTS} attempts\\)$`, 'm'),
      );
    },
  );

  it('a 500 is no second mount, but one upload', async () => {
    source.script = (request) =>
      request.query.has('mount') ? { status: 500 } : sources.answer(request);
    expectCode(await mount(), 0);
    expect(source.requests.filter(({ query }) => query.has('mount'))).toHaveLength(2);
    expect(source.requests.filter(isUpload)).toHaveLength(2);
  });

  it('a 503 that stays: the last attempt is an upload', async () => {
    source.script = (request) =>
      request.query.has('mount') ? { status: 503 } : sources.answer(request);
    expectCode(await mount(), 0);
    expect(source.requests.filter(({ query }) => query.has('mount'))).toHaveLength(2 * RETRIES);
    expect(source.requests.filter(isUpload)).toHaveLength(2);
  });
});

describe('a request that is signed', () => {
  it('has the attempts of one, though it is sent again with a token', async () => {
    let tries = 0;
    source.script = (request) => {
      if (request.path === '/token') return json(200, { token: 'a-token' });
      if (!request.path.includes('/manifests/')) return sources.answer(request);
      tries += 1;
      if (tries < ATTEMPTS) return { status: 503 };
      const challenge = `Bearer realm="${source.url}/token",service="s"`;
      return request.headers.authorization === undefined
        ? { status: 401, headers: { 'www-authenticate': challenge } }
        : { status: 503 };
    };
    const args = ['inspect', `${source.host}/app:image`, '--retry', '2', '--retry-delay', '5ms'];
    expectCode(await runCli(args), 5);
    // The challenge is no failure.
    expect(tries).toBe(ATTEMPTS + 1);
  });

  it.each([
    ['503', 503],
    ['429', 429],
  ])('%s from its token server: that is asked as often as said', async (_, status) => {
    target.script = (request) => {
      if (request.path === '/token') return { status };
      const challenge = `Bearer realm="${target.url}/token",service="s"`;
      return isSession(request) && request.headers.authorization === undefined
        ? { status: 401, headers: { 'www-authenticate': challenge } }
        : targets.answer(request);
    };
    expectCode(await copy(layout.reference('image'), `${target.host}/out:1`), 5);
    // Each of two blobs asks for the token.
    const asked = target.requests.filter(({ path }) => path === '/token');
    expect(asked.length).toBeLessThanOrEqual(2 * ATTEMPTS);
  });
});
