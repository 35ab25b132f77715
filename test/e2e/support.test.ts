import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { getManifest, putBlob, request } from '../support/http.js';
import { startRecordingProxy, type Fault, type RecordingProxy } from '../support/proxy.js';
import { startRegistry, type Registry } from '../support/registry.js';
import { PARITY_IMAGES, seedParityImages } from '../support/seed.js';

/** The tests rest on what is in test/support: it must do what it says. */

let registry: Registry;
let proxy: RecordingProxy;

beforeAll(async () => {
  registry = await startRegistry();
  proxy = await startRecordingProxy(registry.host);
  await seedParityImages(proxy.host, { repositories: ['docker/list'] });
});

afterAll(async () => {
  await proxy.stop();
  await registry.stop();
});

describe('seeding', () => {
  it('pushes the exact bytes, with their media types and tags', async () => {
    const { manifests, tags } = PARITY_IMAGES['docker/list']!;
    for (const [tag, digest] of Object.entries(tags)) {
      const { mediaType, body } = manifests[digest]!;
      const held = await getManifest(registry.host, 'docker/list', tag);
      expect(held).toEqual({ status: 200, mediaType, digest, size: Buffer.byteLength(body), body });
    }
  });

  it('may be done again', async () => {
    await seedParityImages(registry.host, { repositories: ['perplat/linux-386/app'] });
    await seedParityImages(registry.host, { repositories: ['perplat/linux-386/app'] });
    const held = await getManifest(registry.host, 'perplat/linux-386/app', '1.0');
    expect(held.status).toBe(200);
  });
});

describe('the recording proxy', () => {
  const image = '/v2/docker/list/manifests/latest';

  /** What the client sees of one GET that this happens to. */
  async function get(fault: Fault | undefined): Promise<string | number> {
    proxy.requests.length = 0;
    proxy.intercept = () => fault;
    try {
      const accept = 'application/vnd.docker.distribution.manifest.list.v2+json';
      const answer = await request('GET', `${proxy.url}${image}`, { accept });
      return answer.status === 200 ? answer.body.toString() : answer.status;
    } catch (error) {
      return String(error);
    }
  }

  afterEach(() => {
    proxy.intercept = undefined;
  });

  it('has Locations of the registry lead back to it', async () => {
    proxy.requests.length = 0;
    await putBlob(proxy.host, 'docker/list', Buffer.from('a blob'));
    expect(proxy.requests.map(({ method, status }) => `${method} ${status}`)).toEqual([
      'POST 202',
      'PUT 201',
    ]);
    expect(proxy.requests[1]!.body.toString()).toBe('a blob');
  });

  it('passes on and records', async () => {
    const { manifests, tags } = PARITY_IMAGES['docker/list']!;
    expect(await get(undefined)).toBe(manifests[tags['latest']!]!.body);
    expect(proxy.requests).toMatchObject([{ method: 'GET', url: image, status: 200 }]);
  });

  it('answers by itself', async () => {
    expect(await get({ status: 503, body: 'later' })).toBe(503);
    expect(proxy.requests[0]!.status).toBe(503);
  });

  it.each(['reset-before', 'reset-after', 'truncate'] as const)(
    'cuts the connection with %s',
    async (fault) => {
      expect(await get(fault)).toMatch(/^Error: (socket hang up|aborted|read ECONNRESET)/);
    },
  );

  it('changes one byte', async () => {
    const { manifests, tags } = PARITY_IMAGES['docker/list']!;
    const before = Buffer.from(manifests[tags['latest']!]!.body);
    const after = Buffer.from(String(await get('corrupt')));
    expect(after).toHaveLength(before.length);
    expect([...after].filter((byte, index) => byte !== before[index])).toHaveLength(1);
  });

  it('is late', async () => {
    const start = performance.now();
    await get({ delayMs: 50 });
    expect(performance.now() - start).toBeGreaterThanOrEqual(49);
  });
});
