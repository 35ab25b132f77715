import { constants } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { startRegistry } from '../support/registry.js';
import { seedParityImages } from '../support/seed.js';
import { makeAuthority, type Authority } from './support/authority.js';
import { FakeRegistry, pushArguments } from './support/fake-registry.js';
import { Folder } from './support/files.js';
import { startHttp2, type Exchange, type Http2Scripted } from './support/http2-server.js';

/** HTTP/2 (RFC 9113), with servers that use what it allows them: nothing may be lost, sent twice to no purpose, or taken for whole that is not. */

const { NGHTTP2_CANCEL, NGHTTP2_HTTP_1_1_REQUIRED, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } =
  constants;
const PLATFORMS = 10;

const folder = new Folder();
let registry: FakeRegistry;
let authority: Authority;
let server: Http2Scripted;

beforeAll(async () => {
  authority = await makeAuthority(folder.path);
});

beforeEach(async () => {
  registry = new FakeRegistry();
  registry.addPlatforms('x', PLATFORMS);
  server = await startHttp2((request) => registry.answer(request), authority.server);
});

afterEach(() => server.stop());

function push(...options: string[]): Promise<CliResult> {
  return runCli([
    ...pushArguments(`${server.host}/x`, `${server.host}/x`, { count: PLATFORMS }),
    '--insecure',
    ...options,
  ]);
}

/** The platforms of what was published last. */
function published(): number {
  const put = server.requests.findLast(({ method }) => method === 'PUT');
  return (JSON.parse(String(put?.body)) as { manifests: unknown[] }).manifests.length;
}

/** A script that does something else with the requests that `when` picks, the first time. */
function once(
  when: (exchange: Exchange) => boolean,
  what: (exchange: Exchange) => void,
): (exchange: Exchange) => void {
  let isDone = false;
  return (exchange) => {
    if (isDone || !when(exchange)) return exchange.answer();
    isDone = true;
    what(exchange);
  };
}

it('a list is published over one connection', async () => {
  expectCode(await push(), 0);
  expect(published()).toBe(PLATFORMS);
  expect(server.sessions).toBe(1);
  expect(
    server.requests.map(({ method }) => method).filter((method) => method === 'GET'),
  ).toHaveLength(2 * PLATFORMS);
  const { headers } = server.requests[0]!;
  expect(headers).toMatchObject({ ':authority': server.host, ':scheme': 'https' });
  expect(headers).not.toHaveProperty('connection');
});

describe('requests wait for each other only where the protocol of registries makes them', () => {
  let rounds: number;

  beforeEach(() => {
    rounds = 0;
    const held: (() => void)[] = [];
    const answerTogether = async (): Promise<void> => {
      for (let before = -1; before !== held.length;) {
        before = held.length;
        await sleep(25);
      }
      rounds += 1;
      for (const answer of held.splice(0)) answer();
    };
    server.script = ({ answer }) => {
      held.push(answer);
      if (held.length === 1) void answerTogether();
    };
  });

  it('in a push of images of its repository', async () => {
    expectCode(await push(), 0);
    expect(rounds).toBe(3);
  });

  it('in a push of images of a repository each', async () => {
    const platforms = registry.addPlatforms('unused', PLATFORMS).map(({ config }) => {
      const { os, architecture } = JSON.parse(config.toString()) as Record<string, string>;
      registry.addImage(`${os}-${architecture}`, '1', { os: os!, architecture: architecture! });
      return `${os}/${architecture}`;
    });
    const names = ['--template', `${server.host}/OS-ARCH:1`, '--target', `${server.host}/new:1`];
    const args = ['push', 'from-args', '--platforms', platforms.join(','), ...names, '--insecure'];
    expectCode(await runCli(args), 0);
    expect(published()).toBe(PLATFORMS);
    expect(rounds).toBe(4);
    expect(server.sessions).toBe(1);
  });

  it('in an inspect of a list', async () => {
    expectCode(await push(), 0);
    rounds = 0;
    expectCode(await runCli(['inspect', '--insecure', `${server.host}/x:out`]), 0);
    expect(rounds).toBe(2);
  });
});

it('an image is copied with its blobs between two servers that speak nothing else', async () => {
  const target = new FakeRegistry();
  const other = await startHttp2((request) => target.answer(request), authority.server);
  try {
    const names = [`${server.host}/x:linux-amd64`, `${other.host}/y:1`];
    expectCode(await runCli(['copy', '--insecure', ...names]), 0);
    expectCode(await runCli(['verify', '--deep', '--insecure', names[1]!]), 0);
    const puts = other.requests.filter(({ method }) => method === 'PUT');
    expect(puts.some(({ path, body }) => path.includes('/blobs/') && body.length > 0)).toBe(true);
    expect([server.http1, other.http1]).toEqual([0, 0]);
  } finally {
    await other.stop();
  }
});

it('the real registry is spoken to in it, and says the same', async () => {
  const real = await startRegistry({ tls: true });
  try {
    const images = { repositories: ['oci/app'], ca: real.ca! };
    await seedParityImages(real.host, images);
    const trusted = ['--ca-file', real.caFile!];
    const args = ['push', '--type', 'oci', 'from-args', '--platforms', 'linux/amd64,linux/386'];
    const name = `${real.host}/oci/app`;
    expectCode(
      await runCli([
        ...args,
        '--template',
        `${name}:OS-ARCH`,
        '--target',
        `${name}:new`,
        ...trusted,
      ]),
      0,
    );
    const verified = await runCli(['verify', '--deep', `${name}:new`, ...trusted]);
    expectCode(verified, 0);
    expectCode(await runCli(['copy', `${name}:new`, `${real.host}/other:new`, ...trusted]), 0);
    expectCode(await runCli(['inspect', `${real.host}/other:new`, ...trusted]), 0);
  } finally {
    await real.stop();
  }
});

describe('nothing is lost where a server', () => {
  it('ends a connection in good order while requests are under way', async () => {
    server.script = (exchange) => {
      // It has taken all that came so far, and answers it.
      if (exchange.ofAll === 3) exchange.session.goaway(NGHTTP2_NO_ERROR);
      setTimeout(exchange.answer, 20);
    };
    expectCode(await push('--retry', '1'), 0);
    expect(published()).toBe(PLATFORMS);
    expect(server.sessions).toBeGreaterThan(1);
  });

  it('ends a connection in good order after every fifth request', async () => {
    server.script = ({ ofSession, session, answer }) => {
      answer();
      if (ofSession === 5) session.close();
    };
    expectCode(await push('--retry', '2'), 0);
    expect(published()).toBe(PLATFORMS);
  });

  it('has not taken what it says in GOAWAY that it has not', async () => {
    let last: Exchange | undefined;
    server.script = (exchange) => {
      if (server.sessions > 1) return exchange.answer();
      // Of all that came, the first alone is answered.
      if (exchange.ofSession === 1) last = exchange;
      else if (exchange.ofSession === PLATFORMS) {
        exchange.session.goaway(NGHTTP2_NO_ERROR, last!.stream.id);
        last!.answer();
        setTimeout(() => exchange.session.destroy(), 20);
      }
    };
    expectCode(await push('--retry', '1'), 0);
    expect(published()).toBe(PLATFORMS);
  });

  it('takes five requests at a time, and says so late', async () => {
    await server.stop();
    const few = { settings: { maxConcurrentStreams: 5 } };
    server = await startHttp2((request) => registry.answer(request), authority.server, few);
    server.script = ({ answer }) => void setTimeout(answer, 5);
    expectCode(await push('--retry', '1'), 0);
    expect(published()).toBe(PLATFORMS);
    expect(server.peak).toBeLessThanOrEqual(5);
  });

  it.each([
    ['refuses a request', NGHTTP2_REFUSED_STREAM],
    ['cancels a request', NGHTTP2_CANCEL],
    ['resets a request without an error', NGHTTP2_NO_ERROR],
  ])('%s', async (_, code) => {
    server.script = once(
      ({ ofAll }) => ofAll === 4,
      ({ stream }) => stream.close(code),
    );
    expectCode(await push('--retry', '1'), 0);
    expect(published()).toBe(PLATFORMS);
  });

  it.each([
    ['cancels an answer half way', NGHTTP2_CANCEL],
    ['ends an answer half way without an error', NGHTTP2_NO_ERROR],
  ])('%s', async (_, code) => {
    server.script = once(
      ({ ofAll }) => ofAll === 4,
      ({ request, stream }) => {
        const { headers, body } = registry.answer(request);
        const bytes = Buffer.from(body!);
        stream.respond({ ':status': 200, 'content-length': bytes.length, ...headers });
        stream.write(bytes.subarray(0, 20), () => stream.close(code));
      },
    );
    expectCode(await push('--retry', '1'), 0);
    expect(published()).toBe(PLATFORMS);
  });

  it('cuts the connection', async () => {
    server.script = once(
      ({ ofAll }) => ofAll === 4,
      ({ session }) => session.destroy(),
    );
    expectCode(await push('--retry', '1'), 0);
    expect(published()).toBe(PLATFORMS);
    expect(server.sessions).toBe(2);
  });

  it('cuts the connection when the list is put, and has it', async () => {
    server.script = once(
      ({ request }) => request.method === 'PUT',
      ({ request, session }) => {
        registry.answer(request);
        session.destroy();
      },
    );
    expectCode(await push('--retry', '1'), 0);
    expect(published()).toBe(PLATFORMS);
  });
});

it('a server that cuts every connection is given up, with the reason', async () => {
  server.script = ({ session }) => session.destroy();
  const { code, stderr } = await push('--retry', '2');
  expect(code).toBe(5);
  expect(stderr).toMatch(/the connection was closed before the answer was complete \(3 attempts\)/);
  expect(stderr).not.toMatch(/at .*:\d+:\d+/);
});

it('a server that refuses a request gets it 20 times more at most, whatever the number of attempts', async () => {
  server.script = ({ stream }) => stream.close(NGHTTP2_REFUSED_STREAM);
  const name = `${server.host}/x:linux-amd64`;
  const args = ['inspect', '--insecure', '--retry', '4', '--retry-delay', '5ms', name];
  const { code, stderr } = await runCli(args);
  expect(code).toBe(5);
  expect(stderr).toMatch(/\(5 attempts\)/);
  expect(server.requests).toHaveLength(5 + 20);
});

it('a server that is silent is given up after the time for it', async () => {
  server.script = () => undefined;
  const { code, stderr } = await push('--retry', '0', '--timeout', '3s');
  expect(code).toBe(5);
  expect(stderr).toMatch(/it did not respond in time/);
});

it('an answer that stops half way is given up after the time for it', async () => {
  server.script = ({ stream }) => {
    stream.respond({ ':status': 200, 'content-length': 100 });
    stream.write('{');
  };
  const { code, stderr } = await push('--retry', '0', '--timeout', '3s');
  expect(code).toBe(5);
  expect(stderr).toMatch(/its response stopped halfway/);
});

it('an answer without end is not read to its end', async () => {
  let sent = 0;
  server.script = ({ stream }) => {
    stream.respond({ ':status': 200 });
    const piece = Buffer.alloc(65_536, ' ');
    const more = (): void => {
      if (stream.destroyed) return;
      sent += piece.length;
      stream.write(piece, more);
    };
    more();
  };
  const { code, stderr } = await runCli(['inspect', '--insecure', `${server.host}/x:linux-amd64`]);
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/larger than/);
  expect(sent).toBeLessThan(64 * 1024 * 1024);
});

it('an interrupt ends what is under way', async () => {
  const controller = new AbortController();
  server.script = () => controller.abort();
  const { code } = await runCli(['inspect', '--insecure', `${server.host}/x:linux-amd64`], {
    signal: controller.signal,
  });
  expect(code).toBe(130);
});

it('a server that wants HTTP/1.1 after all is spoken to in it', async () => {
  await server.stop();
  const both = { allowHTTP1: true };
  server = await startHttp2((request) => registry.answer(request), authority.server, both);
  server.script = ({ stream }) => stream.close(NGHTTP2_HTTP_1_1_REQUIRED);
  const name = `${server.host}/x:linux-amd64`;
  expectCode(await runCli(['inspect', '--insecure', '--retry', '0', name]), 0);
  expect(server.http1).toBe(2);
  expect(server.sessions).toBe(1);
});

it('a server that wants HTTP/1.1 after all and does not speak it is told of', async () => {
  server.script = ({ stream }) => stream.close(NGHTTP2_HTTP_1_1_REQUIRED);
  const { code, stderr } = await push('--retry', '1');
  expect(code).toBe(5);
  expect(stderr).toMatch(/^manifest-tool: .*\nhint: .*\n$/);
});

it('an answer of 401 is signed and sent again over the same connection', async () => {
  server.script = ({ request, stream, answer }) => {
    if (request.headers.authorization !== undefined) return answer();
    stream.respond({ ':status': 401, 'www-authenticate': 'Basic realm="x"' });
    stream.end();
  };
  expectCode(await push('--username', 'u', '--password', 'p'), 0);
  expect(server.sessions).toBe(1);
  expect(published()).toBe(PLATFORMS);
});

describe('an answer is what its status says, whatever its body', () => {
  const isPut = ({ request }: Exchange): boolean =>
    request.method === 'PUT' && request.path.includes('/manifests/out');

  const announcing =
    (status: number, more: (stream: Exchange['stream']) => void) =>
    ({ stream }: Exchange): void => {
      stream.respond({ ':status': status, 'content-length': 100_000_000 });
      more(stream);
    };

  it.each<[string, (stream: Exchange['stream']) => void]>([
    ['announced and does not come', () => undefined],
    ['cut off', (stream) => void setTimeout(() => stream.close(NGHTTP2_CANCEL), 20)],
    ['very large', (stream) => stream.end(Buffer.alloc(100_000_000))],
  ])('that is %s', async (_, more) => {
    server.script = once(isPut, announcing(201, more));
    expectCode(await push(), 0);
    registry.manifests.delete('x:out');
    server.script = (exchange) =>
      isPut(exchange) ? announcing(403, more)(exchange) : exchange.answer();
    expectCode(await push(), 4);
    expect(server.sessions).toBeLessThan(4);
  });
});
