import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { spawnCli } from '../support/cli.js';
import { sha256 } from '../support/http.js';

/** A copy needs no more memory for a larger layer. This runs what `npm run build` has built. */

const MIB = 1024 * 1024;
const LAYER_MIB = Number(process.env['MANIFEST_TOOL_COPY_MIB'] ?? '256');
/** Of the whole process, with node itself. */
const MOST_MIB = 150;
const SAMPLE_MS = 50;

const OCI_IMAGE = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers"}}');
/** All chunks of the layer share it, each with its number in front. */
const FILLING = Buffer.alloc(MIB, createHash('sha512').update('layer').digest());

let source: Source;
let target: Target;

beforeAll(async () => {
  const layer = createHash('sha256');
  for (const chunk of layerChunks()) layer.update(chunk);
  [source, target] = await Promise.all([
    startSource(`sha256:${layer.digest('hex')}`),
    startTarget(),
  ]);
}, 120_000);

afterAll(() => {
  for (const { server } of [source, target]) {
    server.closeAllConnections();
    server.close();
  }
});

function* layerChunks(): Generator<Buffer, void, undefined> {
  for (let n = 0; n < LAYER_MIB; n += 1) {
    const chunk = Buffer.from(FILLING);
    chunk.writeUInt32BE(n);
    yield chunk;
  }
}

interface Scripted {
  readonly server: Server;
  readonly host: string;
}

type Handle = (
  method: string,
  url: URL,
  incoming: IncomingMessage,
  response: ServerResponse,
) => Promise<void>;

async function startServer(handle: Handle): Promise<Scripted> {
  const server = createServer((incoming, response) => {
    const { method = '', url = '' } = incoming;
    handle(method, new URL(url, 'http://localhost'), incoming, response).catch(() =>
      incoming.socket.destroy(),
    );
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return { server, host: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

interface Source extends Scripted {
  readonly layerDigest: string;
  readonly manifest: Buffer;
}

/** A registry that has one image, whose layer it makes while it sends it. */
async function startSource(layerDigest: string): Promise<Source> {
  const layer = {
    mediaType: 'application/vnd.oci.image.layer.v1.tar',
    digest: layerDigest,
    size: LAYER_MIB * MIB,
  };
  const config = {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    digest: sha256(CONFIG),
    size: CONFIG.length,
  };
  const manifest = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: OCI_IMAGE, config, layers: [layer] }),
  );
  const scripted = await startServer(async (method, { pathname }, _, response) => {
    if (pathname === '/v2/') return void response.end('{}');
    if (pathname.includes('/manifests/')) {
      response.writeHead(200, {
        'content-type': OCI_IMAGE,
        'content-length': manifest.length,
        'docker-content-digest': sha256(manifest),
      });
      return void response.end(method === 'HEAD' ? undefined : manifest);
    }
    if (pathname.endsWith(config.digest)) {
      response.writeHead(200, { 'content-length': CONFIG.length });
      return void response.end(method === 'HEAD' ? undefined : CONFIG);
    }
    if (!pathname.endsWith(layerDigest)) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-length': layer.size });
    if (method === 'HEAD') return void response.end();
    return pipeline(Readable.from(layerChunks()), response);
  });
  return { ...scripted, layerDigest, manifest };
}

interface Target extends Scripted {
  /** What was uploaded: the number of bytes by their digest. */
  readonly blobs: Map<string, number>;
  /** The digests of the manifests, by tag. */
  readonly tags: Map<string, string>;
  /** What was uploaded under another digest than it has. */
  readonly wrong: string[];
}

/** An empty registry that counts and hashes what comes, and keeps nothing of it. */
async function startTarget(): Promise<Target> {
  const blobs = new Map<string, number>();
  const tags = new Map<string, string>();
  const wrong: string[] = [];
  const scripted = await startServer(async (method, url, incoming, response) => {
    const { pathname } = url;
    if (pathname === '/v2/') return void response.end('{}');
    if (method === 'POST') {
      const location = `${pathname}session`;
      return void response.writeHead(202, { location, 'content-length': 0 }).end();
    }
    if (method === 'PUT') {
      const { digest, size } = await digestOf(incoming);
      const announced = url.searchParams.get('digest');
      if (announced === null) tags.set(pathname.slice(pathname.lastIndexOf('/') + 1), digest);
      else blobs.set(digest, size);
      if (announced !== null && announced !== digest) wrong.push(announced);
      const headers = { 'docker-content-digest': digest, 'content-length': 0 };
      return void response.writeHead(201, { ...headers, location: pathname }).end();
    }
    const size = blobs.get(pathname.slice(pathname.lastIndexOf('/') + 1));
    if (size === undefined) return void response.writeHead(404).end();
    return void response.writeHead(200, { 'content-length': size }).end();
  });
  return { ...scripted, blobs, tags, wrong };
}

async function digestOf(stream: AsyncIterable<Buffer>): Promise<{ digest: string; size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of stream) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { digest: `sha256:${hash.digest('hex')}`, size };
}

/** The most memory that a process has had so far, in MiB; undefined where it has ended. */
function peakOf(pid: number): number | undefined {
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? undefined : Number(kib) / 1024;
  } catch {
    return undefined;
  }
}

it(`copies a layer of ${LAYER_MIB} MiB within ${MOST_MIB} MiB of memory`, async () => {
  if (!existsSync('/proc/self/status')) {
    throw new Error(
      'the memory of a process is read from /proc, which this platform does not have',
    );
  }
  const start = performance.now();
  const from = `${source.host}/big/app:1`;
  const { child, done } = spawnCli(['copy', from, `${target.host}/copied/app:1`]);
  let peak = 0;
  let samples = 0;
  const sample = setInterval(() => {
    const now = peakOf(child.pid!);
    if (now === undefined) return;
    peak = Math.max(peak, now);
    samples += 1;
  }, SAMPLE_MS);
  const { code, stderr } = await done.finally(() => clearInterval(sample));
  const seconds = (performance.now() - start) / 1000;

  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(target.blobs.get(source.layerDigest)).toBe(LAYER_MIB * MIB);
  expect(target.blobs.get(sha256(CONFIG))).toBe(CONFIG.length);
  expect(target.wrong).toEqual([]);
  expect(target.tags.get('1')).toBe(sha256(source.manifest));
  if (process.env['MANIFEST_TOOL_COPY_MIB'] !== undefined) {
    process.stderr.write(
      `copied ${LAYER_MIB} MiB in ${seconds.toFixed(1)} s with ${peak.toFixed(0)} MiB at most, of ${samples} samples\n`,
    );
  }
  // Enough to have seen it at work; what it has at most is never forgotten.
  expect(samples).toBeGreaterThan(3);
  expect(peak).toBeGreaterThan(20);
  expect(peak).toBeLessThan(MOST_MIB);
}, 120_000);
