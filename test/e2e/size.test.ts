import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { getManifest, putBlob, putManifest, sha256 } from '../support/http.js';
import { startRegistry, type Registry } from '../support/registry.js';
import { OCI_MANIFEST } from '../adversarial/support/fake-registry.js';

/** As many entries as a list may have. */
const COUNT = 1000;
const MAX_RESIDENT_KIB = 120 * 1024;
const BIN = fileURLToPath(new URL('../../bin/manifest-tool.cjs', import.meta.url));

/** Tells at the end how much memory was resident at most, in KiB. */
const REPORT =
  "process.on('exit', () => require('fs').writeSync(2, `\\nresident ${process.resourceUsage().maxRSS}`));";

let registry: Registry;
let folder: string;
let spec: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'size-'));
  registry = await startRegistry();
  const layer = Buffer.from('layer');
  await putBlob(registry.host, 'big', layer);
  // One more than an index may have.
  const left = Array.from({ length: COUNT + 1 }, (_, i) => i).values();
  const worker = async (): Promise<void> => {
    for (const i of left) await addImage(i, layer);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  const entries = Array.from(
    { length: COUNT },
    (_, i) =>
      `  - image: ${registry.host}/big:i${i}\n    platform: { os: linux, architecture: amd64, osversion: '1.${i}' }\n`,
  );
  await writeFile(path.join(folder, 'report.cjs'), REPORT);
  spec = path.join(folder, 'spec.yaml');
  await writeFile(spec, `image: ${registry.host}/big:list\nmanifests:\n${entries.join('')}`);
}, 120_000);

afterAll(async () => {
  await registry.stop();
  await rm(folder, { recursive: true, force: true });
}, 120_000);

async function addImage(i: number, layer: Buffer): Promise<void> {
  const history = Array.from({ length: 10 }, (_, step) => ({ created_by: `RUN step ${step}` }));
  const config = Buffer.from(
    JSON.stringify({ os: 'linux', architecture: 'amd64', 'os.version': `1.${i}`, history }),
  );
  await putBlob(registry.host, 'big', config);
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: sha256(config),
      size: config.length,
    },
    layers: [
      {
        mediaType: 'application/vnd.oci.image.layer.v1.tar',
        digest: sha256(layer),
        size: layer.length,
      },
    ],
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  await putManifest(registry.host, 'big', `i${i}`, OCI_MANIFEST, bytes);
}

/** Runs the built program; its standard output, and the most memory that was resident, in KiB. */
function run(...args: string[]): { stdout: string; resident: number } {
  const wrapped = ['--require', path.join(folder, 'report.cjs'), BIN, ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, wrapped, {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: folder },
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(stderr);
  return { stdout, resident: Number(/resident (\d+)$/.exec(stderr)![1]) };
}

describe(`a list of ${COUNT} entries`, () => {
  it('is published and inspected within 120 MiB', async () => {
    const published = run('push', '--type', 'oci', 'from-spec', spec);
    expect(published.stdout).toMatch(/^Digest: sha256:[0-9a-f]{64} \d+\n$/);
    const held = await getManifest(registry.host, 'big', 'list');
    expect((JSON.parse(held.body) as { manifests: unknown[] }).manifests).toHaveLength(COUNT);
    const inspected = run('inspect', `${registry.host}/big:list`);
    expect(inspected.stdout.match(/Arch: amd64/g)).toHaveLength(COUNT);
    for (const { resident } of [published, inspected]) {
      expect(resident).toBeLessThan(MAX_RESIDENT_KIB);
    }
  });

  it('is copied, and verified', async () => {
    const layout = `oci-layout://${folder}/layout:list`;
    expectCode(await runCli(['copy', `${registry.host}/big:list`, layout]), 0);
    expectCode(await runCli(['verify', '--deep', layout]), 0);
  });
});
