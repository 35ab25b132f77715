import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { spawnCli } from '../support/cli.js';

/** What only a process of its own can show: these run what `npm run build` has built. */

let server: Server;
let host: string;
let asked: Promise<void>;

beforeAll(async () => {
  // A registry that never answers.
  let tell = (): void => {};
  asked = new Promise((resolve) => {
    tell = resolve;
  });
  server = createServer(() => tell());
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

it('starts, and says its version', async () => {
  const { done } = spawnCli(['--version']);
  expect(await done).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /^manifest-tool version \d+\.\d+\.\d+(-rc\.\d+)?( \(commit [0-9a-f]{12}(-dirty)?\))?\n$/,
    ) as string,
    stderr: '',
  });
});

it('ends with the exit code of its error', async () => {
  const { code, stdout, stderr } = await spawnCli(['inspect']).done;
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^manifest-tool: .+ failed: .+\n/);
});

it('is no error where its reader has seen enough', async () => {
  const { child, done } = spawnCli(['--help']);
  child.stdout.destroy();
  expect(await done).toMatchObject({ code: 0, stderr: '' });
});

it('keeps the exit code of a failure where its reader has seen enough', async () => {
  const image = 'oci-layout://fixtures/layout:linux-amd64';
  const { child, done } = spawnCli(['verify', '--platforms', 'linux/386', image]);
  child.stdout.destroy();
  const { code, stderr } = await done;
  expect(code).toBe(6);
  expect(stderr).toContain('linux/386 is required');
});

it('ends at once with 130 when it is interrupted', async () => {
  const { child, done } = spawnCli(['inspect', `${host}/app:1`]);
  await asked;
  child.kill('SIGINT');
  expect(await done).toMatchObject({
    code: 130,
    stdout: '',
    stderr: expect.stringMatching(/interrupted/),
  });
});
