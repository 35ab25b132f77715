import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { spawnCli, type CliResult, type SpawnOptions } from '../support/cli.js';
import { startRegistry, USER, type Registry } from '../support/registry.js';
import { VERSION } from '../../src/version.js';

/** The single executable of this machine: it does what `npm run build` has built, without the Node that is installed. */

const HOST = `${process.platform}-${process.arch}`;
const NAME = `manifest-tool-${VERSION}-${HOST}`;

let folder: string;
let out: string;
let executable: string;
let made: string;
let registry: Registry;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mt-binary-'));
  out = path.join(folder, 'out');
  executable = path.join(out, NAME);
  const script = ['scripts/executables/make.mjs', '--out', out, HOST];
  made = (await promisify(execFile)(process.execPath, script)).stdout;
  registry = await startRegistry({ tls: true, htpasswd: true });
}, 240_000);

afterAll(async () => {
  await registry?.stop();
  await rm(folder, { recursive: true, force: true });
});

type Ended = Omit<CliResult, 'code'> & { readonly code: number | null };

async function run(args: readonly string[], options: SpawnOptions = {}): Promise<Ended> {
  const { code, stdout, stderr } = await spawnCli(args, options).done;
  return { code, stdout, stderr };
}

it.each(
  [
    '--version',
    'push --help',
    'inspect --raw oci-layout://fixtures/layout:linux-amd64',
    'inspect oci-layout://fixtures/layout:\u65e5\u672c',
    'spec check specs/app.yaml',
    'inspect',
  ].map((line) => ({ line, args: line.split(' ') })),
)('$line: as the npm package', async ({ args }) => {
  const expected = await run(args);
  expect(expected.stdout + expected.stderr).not.toBe('');
  expect(await run(args, { program: executable })).toEqual(expected);
});

it('pushes over TLS, with credentials of a helper', async () => {
  // The helper is a process that the executable starts, for which it loads more of Node.
  const helper = path.join(folder, 'docker-credential-binary');
  const answer = JSON.stringify({ Username: USER.username, Secret: USER.password });
  await writeFile(helper, `#!/bin/sh\necho '${answer}'\n`);
  await chmod(helper, 0o755);
  const config = { credHelpers: { [registry.host]: 'binary' } };
  await writeFile(path.join(folder, 'config.json'), JSON.stringify(config));
  const caFile = path.join(folder, 'ca.pem');
  await writeFile(caFile, registry.ca!);
  const env = { DOCKER_CONFIG: folder, PATH: `${folder}:${process.env['PATH']}` };
  const source = 'oci-layout://fixtures/layout:OS-ARCH';
  const push = (repository: string): string[] => {
    const target = `${registry.host}/${repository}:1.0`;
    const what = `--platforms linux/amd64,linux/386 --template ${source} --target ${target}`;
    return `push --ca-file ${caFile} from-args ${what}`.split(' ');
  };
  const expected = await run(push('npm'), { env });
  const result = await run(push('binary'), { env, program: executable });
  expect(result).toMatchObject({ code: 0, stdout: expected.stdout });
  expect(result.stdout).toMatch(/^Digest: sha256:[0-9a-f]{64} \d+$/m);
  const target = `${registry.host}/binary:1.0`;
  const verified = await run(['verify', '--deep', '--ca-file', caFile, target], {
    env,
    program: executable,
  });
  expect(verified).toMatchObject({ code: 0 });
});

it('takes no options of Node from the environment', async () => {
  const result = await run(['--version'], {
    program: executable,
    env: { NODE_OPTIONS: '--no-such-option' },
  });
  expect(result).toMatchObject({ code: 0, stderr: '' });
});

it('has a code cache, and stands beside its licences and its SHA-256 sum', async () => {
  expect(made).toMatch(new RegExp(`^${NAME} +\\d+ MB  with code cache, .*run$`, 'm'));
  const { stdout } = await promisify(execFile)('sha256sum', ['--check', 'SHA256SUMS'], {
    cwd: out,
  });
  expect(stdout).toBe(`manifest-tool-${VERSION}-LICENSES.txt: OK\n${NAME}: OK\n`);
  const licenses = await readFile(path.join(out, `manifest-tool-${VERSION}-LICENSES.txt`), 'utf8');
  for (const part of ['Apache License', 'undici', 'Node.js is licensed', 'OpenSSL'])
    expect(licenses).toContain(part);
});

it('is made for no target that is not known', async () => {
  const script = ['scripts/executables/make.mjs', '--out', path.join(folder, 'none'), 'beos-ppc'];
  await expect(promisify(execFile)(process.execPath, script)).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /^make binary failed: no executable for beos-ppc .+\n$/,
    ) as string,
  });
});
