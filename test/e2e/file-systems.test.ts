import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { putBlob, putManifest } from '../support/http.js';
import { startRegistry, type Registry } from '../support/registry.js';
import { makeImage } from '../adversarial/support/fake-registry.js';

const run = promisify(execFile);

/** Only root may mount; where the tests are not asked to be complete, that is said and not hidden. */
const canMount = process.getuid?.() === 0 || process.env['CI'] === 'true';
if (!canMount) console.warn('not root: a full disk and a read-only layout are not tested');
const FIXTURE = 'oci-layout://fixtures/layout';

let folder: string;
let registry: Registry;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'file-systems-'));
  registry = await startRegistry();
});

afterAll(async () => {
  await registry.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A file system of its own, of which all can be said that cannot be said of a directory for root. */
async function mounted(name: string, options: string, work: (at: string) => Promise<void>) {
  const at = path.join(folder, name);
  await mkdir(at);
  await run('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', at]);
  try {
    await work(at);
  } finally {
    await run('umount', [at]);
  }
}

function expectOneLine({ stderr, stdout }: CliResult, says: RegExp): void {
  expect(stderr).toMatch(/^manifest-tool: [^\n]* failed: [^\n]+\nhint: [^\n]+\n$/);
  expect(stderr).toMatch(says);
  expect(stdout).toBe('');
}

const create = (target: string, ...sources: string[]): Promise<CliResult> =>
  runCli(['create', '--target', target, ...sources]);

// Node's own recursive mkdir never ends there.
it.runIf(process.platform === 'linux')('a layout cannot be made in /proc', async () => {
  for (const at of ['/proc/x', '/proc/x/y']) {
    const result = await create(`oci-layout://${at}:1`, `${FIXTURE}:linux-amd64`);
    expectCode(result, 1);
    expectOneLine(result, /no such file or directory/);
  }
});

describe('a full disk', () => {
  it.runIf(canMount)(
    'ends with one line, and leaves the tag where it was and nothing half written',
    async () => {
      const image = makeImage({ oci: true });
      const layer = Buffer.alloc(2 * 1024 * 1024, 'x');
      const big = JSON.parse(image.bytes.toString()) as { layers: object[] };
      const digest = await putBlob(registry.host, 'big', layer);
      await putBlob(registry.host, 'big', image.config);
      big.layers = [
        { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: layer.length },
      ];
      const bytes = Buffer.from(JSON.stringify(big));
      await putManifest(registry.host, 'big', '1', image.mediaType, bytes);
      await mounted('full', 'size=1m', async (at) => {
        const target = `oci-layout://${at}/layout:1`;
        expectCode(await create(target, `${FIXTURE}:linux-amd64`), 0);
        const before = await snapshot(`${at}/layout`);
        const result = await create(target, `${registry.host}/big:1`);
        expectCode(result, 1);
        expectOneLine(
          result,
          /no space left on the device\nhint: free some space, or use a layout/,
        );
        const after = await snapshot(`${at}/layout`);
        expect(after).toEqual(expect.arrayContaining(before));
        // Blobs that nothing names do no harm; there is nothing but them that was not there.
        for (const [file] of after.filter((each) => !before.some(([name]) => name === each[0])))
          expect(file).toMatch(/\/blobs\/sha256\/[0-9a-f]{64}$/);
        expectCode(await runCli(['verify', '--deep', target]), 0);
      });
    },
  );

  it('fails for a result file as well', async () => {
    const target = `oci-layout://${folder}/published:1`;
    const result = await runCli([
      'create',
      '--target',
      target,
      `${FIXTURE}:linux-amd64`,
      '--digestfile',
      '/dev/full',
    ]);
    expectCode(result, 1);
    expect(result.stderr).toMatch(
      /^manifest-tool: writing --digestfile \/dev\/full failed: no space left on the device$/m,
    );
  });
});

describe('a read-only layout', () => {
  it.runIf(canMount)('can be read, and is not written', async () => {
    await mounted('read-only', 'size=4m', async (at) => {
      const layout = `oci-layout://${at}`;
      expectCode(await create(`${layout}:1`, `${FIXTURE}:linux-amd64`), 0);
      await run('mount', ['-o', 'remount,ro', at]);
      expectCode(await runCli(['inspect', `${layout}:1`]), 0);
      for (const args of [
        ['create', '--target', `${layout}:2`, `${FIXTURE}:linux-s390x`],
        ['copy', `${layout}:1`, `${layout}:2`],
        ['add', `${layout}:1`, `${FIXTURE}:linux-s390x`],
        ['annotate', `${layout}:1`, '--annotation', 'a=b'],
      ]) {
        const result = await runCli(args);
        expectCode(result, 1);
        expectOneLine(result, /is read-only\nhint: use a layout on another file system\n/);
      }
    });
  });
});

describe('a directory that is no layout', () => {
  it('is not read as one', async () => {
    const at = path.join(folder, 'none');
    await mkdir(at);
    await writeFile(path.join(at, 'precious.txt'), 'x');
    for (const args of [
      ['inspect', `oci-layout://${at}:1`],
      ['verify', `oci-layout://${at}:1`],
      ['add', `oci-layout://${at}:1`, `${FIXTURE}:linux-s390x`],
      ['copy', `oci-layout://${at}:1`, `oci-layout://${folder}/copied:1`],
    ]) {
      const result = await runCli(args);
      expectCode(result, 1);
      expectOneLine(result, /is not an OCI image layout/);
    }
    expect(await readdir(at)).toEqual(['precious.txt']);
  });

  it('is not made one where it holds other things', async () => {
    const at = path.join(folder, 'other');
    await mkdir(at);
    await writeFile(path.join(at, 'precious.txt'), 'x');
    const result = await create(`oci-layout://${at}:1`, `${FIXTURE}:linux-s390x`);
    expectCode(result, 1);
    expectOneLine(result, /is not an OCI image layout/);
    expect(await readdir(at)).toEqual(['precious.txt']);
  });
});

/** All files of a directory with their content. */
async function snapshot(at: string): Promise<[string, string][]> {
  const entries = await readdir(at, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const read = files.map(async (entry): Promise<[string, string]> => {
    const file = path.join(entry.parentPath, entry.name);
    return [file, await readFile(file, 'base64')];
  });
  return (await Promise.all(read)).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
