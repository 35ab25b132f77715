import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { getManifest } from '../support/http.js';
import { startRecordingProxy, type Intercept, type RecordedRequest } from '../support/proxy.js';
import { startRegistry, type Registry } from '../support/registry.js';
import { seedParityImages } from '../support/seed.js';

let source: Registry;
let target: Registry;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'waiting-'));
  [source, target] = await Promise.all([startRegistry(), startRegistry()]);
  await seedParityImages(source.host, { repositories: ['oci/app', 'buildx/full'] });
});

afterAll(async () => {
  await Promise.all([source.stop(), target.stop()]);
  await rm(folder, { recursive: true, force: true });
});

const UNKNOWN = (code: string) =>
  ({ status: 404, body: JSON.stringify({ errors: [{ code, message: 'unknown' }] }) }) as const;

/**
 * A registry whose parts do not all see yet what was pushed: the first two requests of a kind are
 * answered with 404.
 */
function late(code: string, isMeant: (request: RecordedRequest) => boolean): Intercept {
  const seen = new Map<string, number>();
  return (request) => {
    if (!isMeant(request)) return undefined;
    const count = (seen.get(request.url) ?? 0) + 1;
    seen.set(request.url, count);
    return count <= 2 ? UNKNOWN(code) : undefined;
  };
}

const isChild = ({ method, url }: RecordedRequest): boolean =>
  method === 'GET' && url.includes('/manifests/sha256:');
const isBlob = ({ method, url }: RecordedRequest): boolean =>
  method === 'GET' && url.includes('/blobs/sha256:');

describe('--wait', () => {
  it.each([
    ['children of a list that are late', 'MANIFEST_UNKNOWN', isChild],
    ['configurations and layers that are late', 'BLOB_UNKNOWN', isBlob],
  ] as const)('waits for %s', async (_, code, isMeant) => {
    const proxy = await startRecordingProxy(source.host, late(code, isMeant));
    const commandLines = (to: string): string[][] => [
      ['copy', `${proxy.host}/buildx/full:latest`, to],
      ['create', '--target', to, `${proxy.host}/buildx/full:latest`],
    ];
    try {
      for (const [at, args] of commandLines(
        `${target.host}/late-${code.toLowerCase()}/app:1`,
      ).entries()) {
        proxy.intercept = late(code, isMeant);
        const without = await runCli(args);
        // What the target has already is not read again.
        if (at === 0) expectCode(without, 3);
        proxy.intercept = late(code, isMeant);
        const result = await runCli([...args, '--wait', '20s']);
        expectCode(result, 0);
      }
      const held = await runCli([
        'verify',
        '--deep',
        `${target.host}/late-${code.toLowerCase()}/app:1`,
      ]);
      expectCode(held, 0);
    } finally {
      await proxy.stop();
    }
  });

  it('waits for children that the registry does not see yet when the list is put', async () => {
    let refusals = 0;
    const proxy = await startRecordingProxy(source.host, ({ method, url }) => {
      if (method !== 'PUT' || !url.endsWith('/manifests/incomplete') || refusals === 4)
        return undefined;
      refusals += 1;
      return { ...UNKNOWN('MANIFEST_BLOB_UNKNOWN'), status: 400 };
    });
    try {
      const args = ['create', '--target', `${proxy.host}/oci/app:incomplete`];
      const sources = [`${proxy.host}/oci/app:linux-amd64`, `${proxy.host}/oci/app:linux-s390x`];
      const result = await runCli([...args, ...sources, '--wait', '20s']);
      expectCode(result, 0);
      expect(refusals).toBe(4);
      expect(result.stderr).toMatch(/^waiting: writing \S+:incomplete failed: the registry lacks/m);
      expect((await getManifest(source.host, 'oci/app', 'incomplete')).status).toBe(200);
    } finally {
      await proxy.stop();
    }
  });

  it('waits for the list that is edited', async () => {
    const proxy = await startRecordingProxy(
      source.host,
      late('MANIFEST_UNKNOWN', ({ url }) => url.endsWith('/manifests/latest')),
    );
    try {
      const list = `${proxy.host}/buildx/full:latest`;
      const args = ['annotate', list, '--annotation', 'org.example.waited=yes'];
      expectCode(await runCli(args), 3);
      proxy.intercept = late('MANIFEST_UNKNOWN', ({ url }) => url.endsWith('/manifests/latest'));
      expectCode(await runCli([...args, '--wait', '20s', '--verify']), 0);
    } finally {
      await proxy.stop();
    }
  });

  it('does not wait for what is not allowed, wrong or damaged', async () => {
    for (const status of [400, 401, 403]) {
      const proxy = await startRecordingProxy(source.host, () => ({ status }));
      try {
        const from = `${proxy.host}/buildx/full:latest`;
        const args = ['copy', from, `oci-layout://${folder}/y:1`, '--wait', '1h'];
        const result = await runCli(args);
        expect(result.code).not.toBe(0);
        expect(result.stderr).not.toContain('waiting:');
      } finally {
        await proxy.stop();
      }
    }
  });

  it('ends at once when it is interrupted, and says that nothing was published', async () => {
    const controller = new AbortController();
    const from = `${source.host}/oci/app:never`;
    const running = runCli(
      ['create', '--target', `${source.host}/oci/app:x`, from, '--wait', '1h'],
      {
        signal: controller.signal,
      },
    );
    setTimeout(() => controller.abort(), 600);
    const result = await running;
    expectCode(result, 130);
    expect(result.stderr).toMatch(/it was interrupted; nothing was published$/m);
  });
});
