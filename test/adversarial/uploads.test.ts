import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { sha256 } from '../support/http.js';
import { FakeRegistry, type MadeImage } from './support/fake-registry.js';
import { auths, Folder } from './support/files.js';
import {
  failure,
  startScripted,
  type Answer,
  type ScriptedServer,
  type Seen,
} from './support/scripted.js';

const folder = new Folder();

const LAYER_SIZE = 40 * 1024 * 1024;

let source: ScriptedServer;

beforeAll(async () => {
  const registry = new FakeRegistry();
  registry.addImage('app', '1', { layerSize: LAYER_SIZE });
  source = await startScripted((request) => registry.answer(request));
});

afterAll(() => source.stop());

/** When a server gives the answer to an upload, and what becomes of the connection. */
interface Manner {
  /** After how many bytes of the body. */
  readonly after: number;
  readonly connection: 'close' | 'stay' | 'read on';
}

/** A registry that answers to large uploads before it has read them. */
class ImpatientRegistry {
  readonly registry = new FakeRegistry();
  uploads = 0;
  status = 413;
  manner: Manner = { after: 0, connection: 'close' };
  private readonly server = http.createServer((request, response) => {
    void this.handle(request, response);
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => {
      this.server.listen(0, '127.0.0.1', resolve);
    });
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private async handle(request: http.IncomingMessage, response: http.ServerResponse) {
    const { method = '', url = '', headers } = request;
    const isLarge = method === 'PUT' && Number(headers['content-length']) > 1024 * 1024;
    if (isLarge) {
      this.uploads += 1;
      return this.refuse(request, response);
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { pathname, searchParams } = new URL(url, 'http://registry');
    const answer = this.registry.answer({
      method,
      url,
      headers,
      path: pathname,
      query: searchParams,
      body: Buffer.concat(chunks),
      time: 0,
      hasClientCertificate: false,
    });
    response.writeHead(answer.status, answer.headers);
    response.end(method === 'HEAD' ? undefined : answer.body);
  }

  private async refuse(request: http.IncomingMessage, response: http.ServerResponse) {
    const { after, connection } = this.manner;
    let read = 0;
    if (after > 0) {
      for await (const chunk of request.iterator({ destroyOnReturn: false })) {
        read += (chunk as Buffer).length;
        if (read >= after) break;
      }
    }
    const page = '<html>too much</html>';
    const fields = { 'content-type': 'text/html', 'content-length': page.length };
    if (connection === 'close') {
      response.writeHead(this.status, { ...fields, connection: 'close' });
      response.end(page, () => request.socket.destroy());
    } else {
      response.writeHead(this.status, fields);
      response.write(page);
      if (connection === 'read on') {
        request.resume();
        response.end();
      }
    }
  }
}

let target: ImpatientRegistry;
let host: string;

beforeEach(async () => {
  target = new ImpatientRegistry();
  host = await target.start();
});

afterEach(() => target.stop());

const copy = (...options: string[]): Promise<CliResult> =>
  runCli(['copy', `${source.host}/app:1`, `${host}/copy:1`, '--retry-delay', '5ms', ...options]);

describe('a final answer to an upload', () => {
  const manners: readonly Manner[] = [
    { after: 0, connection: 'close' },
    { after: 1024 * 1024, connection: 'close' },
    { after: 0, connection: 'stay' },
    { after: 1024 * 1024, connection: 'stay' },
    { after: 0, connection: 'read on' },
  ];

  it.each(
    manners.flatMap((manner) => [413, 507, 400, 405].map((status) => [status, manner] as const)),
  )('%i, %j, ends it at once', async (status, manner) => {
    target.status = status;
    target.manner = manner;
    const result = await copy();
    expectCode(result, 1);
    expect(result.stderr).toContain(String(status));
    expect(target.uploads).toBe(1);
  });
});

/** A registry whose answers to uploads are odd, with an image in another repository of another host. */
describe('a session', () => {
  let odd: (request: Seen) => Answer | undefined;
  let registry: FakeRegistry;
  let server: ScriptedServer;
  let small: ScriptedServer;
  let image: MadeImage;

  beforeAll(async () => {
    const images = new FakeRegistry();
    image = images.addImage('app', '1', { text: 'a layer' });
    small = await startScripted((request) => images.answer(request));
    server = await startScripted((request) => odd(request) ?? registry.answer(request));
  });

  beforeEach(() => {
    registry = new FakeRegistry();
    odd = () => undefined;
    server.requests.length = 0;
  });

  afterAll(() => Promise.all([small.stop(), server.stop()]));

  const copySmall = (...options: string[]): Promise<CliResult> =>
    runCli([
      'copy',
      `${small.host}/app:1`,
      `${server.host}/copy:1`,
      '--retry-delay',
      '5ms',
      ...options,
    ]);
  const isHeld = (): boolean =>
    registry.blobs.has(`copy@${sha256(image.layer)}`) && registry.manifests.has('copy:1');
  const isUpload = ({ method, path }: Seen): boolean =>
    method === 'PUT' && path.includes('/blobs/uploads/');
  const countOf = (method: string): number =>
    server.requests.filter((each) => each.method === method && each.path.includes('/blobs/'))
      .length;

  describe('that the registry has redirected', () => {
    let storage: ScriptedServer;
    let location: (path: string) => string;

    beforeAll(async () => {
      storage = await startScripted(({ method, path, query, body, url }) => {
        if (method === 'POST') return { status: 202, headers: { location: location(path) } };
        const digest = query.get('digest') ?? '';
        if (sha256(body) !== digest || !url.includes('?state=a%2Fb&digest='))
          return { status: 400 };
        registry.blobs.set(`copy@${digest}`, body);
        return { status: 201 };
      });
    });

    beforeEach(() => {
      storage.requests.length = 0;
      odd = ({ method, path, headers }) => {
        if (headers.authorization === undefined)
          return { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } };
        return method === 'POST'
          ? { status: 307, headers: { location: `${storage.url}${path}` } }
          : undefined;
      };
    });

    afterAll(() => storage.stop());

    const env = (): Record<string, string> => ({
      DOCKER_CONFIG: folder.dockerConfig(auths(server.host, 'alice', 'canary-word')),
    });
    const copyAs = (): Promise<CliResult> =>
      runCli(['copy', `${small.host}/app:1`, `${server.host}/copy:1`, '--retry', '0'], {
        env: env(),
      });

    it.each<[string, (path: string) => string]>([
      ['a path', (path) => `${path}session?state=a%2Fb`],
      ['a relative path', () => 'session?state=a%2Fb'],
      ['its own address', (path) => `${storage.url}${path}session?state=a%2Fb`],
    ])('stays at the host that answered: %s', async (_, make) => {
      location = make;
      const result = await copyAs();
      expectCode(result, 0);
      expect(isHeld()).toBe(true);
      expect(storage.requests.map(({ method }) => method).toSorted()).toEqual([
        'POST',
        'POST',
        'PUT',
        'PUT',
      ]);
      for (const { headers } of storage.requests) expect(headers.authorization).toBeUndefined();
    });

    it('may be at the registry again, with its credentials', async () => {
      location = (path) => `${server.url}${path}session?state=s`;
      expectCode(await copyAs(), 0);
      expect(isHeld()).toBe(true);
    });

    it('is nowhere else', async () => {
      location = (path) => `http://localhost:${server.port}${path}session`;
      const result = await copyAs();
      expectCode(result, 1);
      expect(result.stderr).toContain('(Location header)');
      expect(server.requests.some(isUpload)).toBe(false);
    });
  });

  describe('that the registry has lost', () => {
    const losing = (times: number, answer: Answer): void => {
      let lost = 0;
      odd = (request) => {
        if (!isUpload(request) || lost >= times) return undefined;
        lost += 1;
        return answer;
      };
    };

    it.each([
      ['404', failure(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry')],
      ['404 alone', { status: 404 }],
      ['400', failure(400, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry')],
      ['410', { status: 410 }],
    ])('is begun anew (%s)', async (_, answer) => {
      losing(2, answer);
      expectCode(await copySmall(), 0);
      expect(isHeld()).toBe(true);
      expect([countOf('POST'), countOf('PUT')]).toEqual([4, 4]);
      const sessions = server.requests.filter(isUpload).map(({ path }) => path);
      expect(new Set(sessions).size).toBe(4);
    });

    it('is begun anew as often as a request is retried', async () => {
      losing(100, failure(404, 'BLOB_UPLOAD_UNKNOWN', 'unknown'));
      const result = await copySmall('--retry', '2');
      expectCode(result, 5);
      expect(result.stderr).toContain('has lost the upload');
      expect(result.stderr).toContain('BLOB_UPLOAD_UNKNOWN');
      expect(countOf('PUT')).toBeLessThanOrEqual(6);
    });

    it('is not one of a repository that does not exist', async () => {
      losing(100, failure(404, 'NAME_UNKNOWN', 'repository name not known to registry'));
      expectCode(await copySmall(), 3);
      expect(countOf('PUT')).toBeLessThanOrEqual(2);
    });
  });

  describe('of a registry that ignores the body of the last request', () => {
    /** What each session has received by PATCH. */
    let received: Map<string, Buffer>;
    let lose: (request: Seen) => boolean;
    let refusal: (stored: string) => Answer;

    beforeEach(() => {
      received = new Map();
      lose = () => false;
      refusal = () => failure(400, 'DIGEST_INVALID', 'provided digest did not match');
      odd = (request) => {
        const { method, path, query, body, headers } = request;
        if (!path.includes('/blobs/uploads/session')) return undefined;
        if (lose(request)) return failure(404, 'BLOB_UPLOAD_UNKNOWN', 'lost');
        if (method === 'PATCH') {
          if (headers['transfer-encoding'] !== undefined) return { status: 400 };
          received.set(path, body);
          return { status: 202, headers: { location: `${path}?_state=patched`, range: '0-1' } };
        }
        if (method !== 'PUT') return undefined;
        const content = received.get(path) ?? Buffer.alloc(0);
        const digest = query.get('digest') ?? '';
        if (sha256(content) !== digest) return refusal(sha256(content));
        if (query.get('_state') !== 'patched' || headers['content-length'] !== '0')
          return { status: 400 };
        registry.blobs.set(`copy@${digest}`, content);
        return { status: 201, headers: { 'docker-content-digest': digest } };
      };
    });

    it.each<[string, (stored: string) => Answer]>([
      ['refuses the digest', () => failure(400, 'DIGEST_INVALID', 'did not match')],
      ['refuses it by another code', () => failure(400, 'BLOB_UPLOAD_INVALID', 'upload invalid')],
      ['refuses it in its own words', () => ({ status: 422, body: 'digest mismatch' })],
      [
        'names another one',
        (stored) => ({ status: 201, headers: { 'docker-content-digest': stored } }),
      ],
    ])('gets it once more by PATCH: one that %s', async (_, answer) => {
      refusal = answer;
      expectCode(await copySmall('--retry', '0'), 0);
      expect(isHeld()).toBe(true);
      expect(countOf('PATCH')).toBe(2);
    });

    it.each(['PATCH', 'PUT'])(
      'and loses the session before %s: it is begun anew',
      async (method) => {
        let lost = 0;
        lose = (request) => {
          const isSecond = method === 'PATCH' || received.has(request.path);
          if (request.method !== method || !isSecond || lost >= 2) return false;
          lost += 1;
          return true;
        };
        expectCode(await copySmall(), 0);
        expect(isHeld()).toBe(true);
        expect(lost).toBe(2);
      },
    );

    it.each<[string, (stored: string) => Answer]>([
      ['refuses the digest', () => failure(400, 'DIGEST_INVALID', 'did not match')],
      [
        'names another one',
        () => ({ status: 201, headers: { 'docker-content-digest': sha256('x') } }),
      ],
    ])('and of the PATCH: it fails (%s)', async (_, answer) => {
      const ignored = odd;
      odd = (request) => (isUpload(request) ? answer(sha256('')) : ignored(request));
      const result = await copySmall();
      expectCode(result, 1);
      expect(registry.manifests.has('copy:1')).toBe(false);
      expect(countOf('PATCH')).toBeLessThanOrEqual(2);
    });
  });
});

it('a registry that makes no repositories is named as such, and where to make one', async () => {
  const ecr = await startScripted(({ method }) =>
    method === 'POST'
      ? failure(404, 'NAME_UNKNOWN', 'The repository with name app does not exist')
      : failure(404, 'MANIFEST_UNKNOWN', 'unknown'),
  );
  try {
    const names = [`${source.host}/app:1`, `${ecr.host}/app:1`];
    const { code, stderr } = await runCli(['copy', '--plain-http', ...names]);
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /the repository does not exist \(.*\)\nhint: create it at the registry\n/,
    );
  } finally {
    await ecr.stop();
  }
});
