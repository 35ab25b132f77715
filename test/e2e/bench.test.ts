import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { longestChain } from '../../scripts/bench/chain.mjs';
import { find } from '../../scripts/bench/path.mjs';
import { startDelayProxy, type DelayProxy } from '../../scripts/bench/proxy.mjs';
import { sha256 } from '../support/http.js';
import { startRegistry, type Registry } from '../support/registry.js';
import { seedParityImages } from '../support/seed.js';

const RTT_MS = 80;
/** One of each kind, and two of those in TLS. */
const NEAR_JOBS = [
  'push',
  'push-other',
  'inspect',
  'inspect-one',
  'copy',
  'copy-small',
  'promote',
  'startup',
];

const BIG = Buffer.alloc(3 * 1024 * 1024, 'big');

describe('the delay proxy', () => {
  let registry: Registry;
  let proxy: DelayProxy;
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

  beforeAll(async () => {
    registry = await startRegistry();
    await seedParityImages(registry.host, { repositories: ['docker/list'] });
    proxy = await startDelayProxy(registry.host, RTT_MS);
  });

  afterAll(async () => {
    agent.destroy();
    await proxy.stop();
    await registry.stop();
  });

  /** Sends a request over the one connection. */
  function send(method: string, url: string, body = Buffer.alloc(0)) {
    const start = performance.now();
    return new Promise<{ ms: number; status: number; location: string; size: number }>(
      (resolve, reject) => {
        const sent = http.request(new URL(url, `http://${proxy.host}`), { method, agent });
        sent.once('error', reject);
        sent.once('response', (response) => {
          let size = 0;
          response.on('data', (chunk: Buffer) => (size += chunk.length));
          response.once('end', () => {
            const { statusCode: status = 0, headers } = response;
            const location = headers.location ?? '';
            resolve({ ms: performance.now() - start, status, location, size });
          });
        });
        sent.end(body);
      },
    );
  }

  it('makes a registry a round trip away, and two for the first request', async () => {
    expect((await send('GET', '/v2/')).ms).toBeGreaterThanOrEqual(2 * RTT_MS - 1);
    const second = await send('HEAD', '/v2/docker/list/manifests/latest');
    expect(second).toMatchObject({ status: 200, size: 0 });
    expect(second.ms).toBeGreaterThanOrEqual(RTT_MS - 1);
    expect(proxy.connections).toBe(1);
    expect(longestChain(proxy.requests)).toBe(2);
  });

  it('changes nothing, and has Locations lead back to it', async () => {
    const { location } = await send('POST', '/v2/out/blobs/uploads/');
    expect(new URL(location).host).toBe(proxy.host);
    const digest = sha256(BIG);
    const put = await send('PUT', `${location}&digest=${digest}`, BIG);
    expect(put.status).toBe(201);
    const got = await send('GET', `/v2/out/blobs/${digest}`);
    expect(got).toMatchObject({ status: 200, size: BIG.length });
    expect(proxy.requests.map(({ method, status }) => `${method} ${status}`).slice(-3)).toEqual([
      'POST 202',
      'PUT 201',
      'GET 200',
    ]);
    expect(proxy.connections).toBe(1);
  });
});

describe('make bench', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'mt-bench-test-'));
    for (const command of ['sh', 'docker-registry', 'openssl'])
      symlinkSync(find(command)!, `${folder}/${command}`);
    tool(
      'crane',
      '[ "$1" = version ] && echo v0.1.0 && exit; echo >&2; echo "no luck" >&2; exit 1',
    );
    tool('manifest-tool', '[ "$1" = --version ] && echo "manifest-tool version 2.0.0 (commit: x)"');
    // Something else of that name.
    tool('oras', 'echo of another kind');
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function tool(name: string, script: string): void {
    writeFileSync(`${folder}/${name}`, `#!/bin/sh\n${script}\nexit 0\n`);
    chmodSync(`${folder}/${name}`, 0o755);
  }

  function bench(...args: string[]) {
    const svg = `${folder}/plot.svg`;
    const child = spawn(process.execPath, ['scripts/bench/bench.mjs', '--svg', svg, ...args], {
      env: { PATH: folder, HOME: folder },
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    return new Promise<{ code: number | null; stdout: string; stderr: string; svg: string }>(
      (resolve) => {
        child.once('close', (code) => resolve({ code, stdout, stderr, svg }));
      },
    );
  }

  it('measures what is there, says what fails and what is missing, and ends well', async () => {
    const sizes = [
      '--rtt',
      '10',
      '--platforms',
      '2',
      '--runs',
      '1',
      '--layer-mib',
      '1',
      '--layers',
      '3',
      '--tags',
      '3',
      '--jobs',
      [...NEAR_JOBS, 'inspect-tls-10', 'push-tls1-10'].join(','),
    ];
    const { code, stdout, stderr, svg } = await bench('--json', ...sizes);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { missing, versions, tables } = JSON.parse(stdout) as {
      missing: string[];
      versions: Record<string, string>;
      tables: { job: string; rows: { name: string; failed?: string }[]; cannot: string[] }[];
    };
    expect(missing).toEqual([
      'oras',
      'regctl',
      'docker buildx',
      'docker manifest',
      'skopeo',
      'buildah',
      'podman',
    ]);
    expect(versions).toMatchObject({ crane: '0.1.0', 'manifest-tool v2': '2.0.0' });
    const byJob = Object.fromEntries(tables.map((table) => [table.job, table]));
    const failures = tables.flatMap(({ rows }) =>
      rows.flatMap(({ name, failed }) => (failed === undefined ? [] : `${name}: ${failed}`)),
    );
    expect([...new Set(failures)].toSorted()).toEqual([
      'crane: no luck',
      'manifest-tool v2: it ended well, but the target does not exist',
      'manifest-tool v2: it printed nothing',
    ]);
    expect(byJob['inspect']).toMatchObject({
      rows: [{ name: 'this program', runs: 1, requests: 3 }, { failed: expect.anything() }],
      cannot: ['crane'],
    });
    expect(byJob['push']!.rows[0]).toMatchObject({ requests: 2 * 2 + 2 });
    expect(byJob['startup']!.rows.map(({ name }) => name)).toContain('node -e 0');
    expect(readFileSync(svg, 'utf8')).toContain('Copy 3 small layers');
  }, 120_000);

  it('says how it is used', async () => {
    const { code, stdout, stderr } = await bench('--rtt', 'far');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^bench: --rtt is a whole number from 0 to 2000, not far\nusage: /);
  });
});
