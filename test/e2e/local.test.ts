import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** The built command line with layouts, archives and files alone: CI runs this on every system. */

const BIN = path.resolve('bin/manifest-tool.cjs');
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mt-local-'));
  await cp('fixtures/layout', path.join(folder, 'images'), { recursive: true });
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Standard output of a command that succeeds, run in the folder. */
async function run(...args: string[]): Promise<string> {
  const options = { cwd: folder, env: { ...process.env, HOME: folder, USERPROFILE: folder } };
  const { stdout } = await promisify(execFile)(process.execPath, [BIN, ...args], options);
  return stdout;
}

/** Exit code and standard error of a command that fails. */
async function failure(...args: string[]): Promise<{ code: number; stderr: string }> {
  return run(...args).then(
    () => {
      throw new Error(`${args.join(' ')} succeeded`);
    },
    (error: { code: number; stderr: string }) => error,
  );
}

describe('without a registry', () => {
  const images = ['linux-amd64', 'linux-s390x'].map((tag) => `oci-layout://images:${tag}`);
  const create = ['create', ...images, '--require', 'linux/amd64,linux/s390x', '--target'];

  it('the same index is published in a layout, in an archive, and by a spec', async () => {
    const digest = await run(...create, 'oci-layout://made:1.0');
    expect(digest).toMatch(/^Digest: sha256:[0-9a-f]{64} \d+\n$/);
    expect(await run(...create, 'oci-archive://made.tar:1.0')).toBe(digest);
    const manifests = images.map((image) => `  - image: ${image}\r\n`).join('');
    const spec = `image: oci-layout://spec:1.0\r\nmanifests:\r\n${manifests}`;
    await writeFile(path.join(folder, 'app.yaml'), spec);
    expect(await run('push', 'from-spec', '--type', 'auto', 'app.yaml')).toBe(digest);
    for (const name of ['oci-layout://made:1.0', 'oci-archive://made.tar:1.0'])
      expect(
        await run('verify', '--deep', '--platforms', 'linux/amd64,linux/s390x', name),
      ).toContain(digest.split(' ')[1]);
  });

  it('an index is edited, copied through an archive, and compared', async () => {
    await run(...create, 'oci-layout://edited:1.0', '--dotenv', 'made.env', '--subjects', 'SUMS');
    const { image } = Object.fromEntries(
      (await readFile(path.join(folder, 'made.env'), 'utf8'))
        .split('\n')
        .map((line) => line.split('=')),
    ) as { image: string };
    expect(image).toMatch(/^oci-layout:\/\/edited@sha256:/);
    expect((await readFile(path.join(folder, 'SUMS'), 'utf8')).split('\n')).toHaveLength(4);
    await run('copy', image, 'oci-archive://copy.tar:1.0');
    expect(await run('diff', image, 'oci-archive://copy.tar:1.0')).not.toContain('linux/s390x');
    await run('remove', 'oci-layout://edited:1.0', '--platform', 'linux/s390x');
    const { code } = await failure('diff', 'oci-layout://edited:1.0', 'oci-archive://copy.tar:1.0');
    expect(code).toBe(6);
  });

  it('errors keep their exit codes', async () => {
    expect(await failure('inspect', 'oci-layout://nowhere:1')).toMatchObject({ code: 3 });
    expect(await failure('inspect', '--unknown')).toMatchObject({ code: 2 });
    const missing = await failure(...create, 'oci-layout://x:1', '--require', 'linux/arm64');
    expect(missing.code).toBe(6);
    expect(missing.stderr).toContain('linux/arm64');
  });
});
