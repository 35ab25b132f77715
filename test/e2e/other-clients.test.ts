import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { startGuardedRegistry, type GuardedRegistry } from '../support/guarded-registry.js';
import { getManifest } from '../support/http.js';
import { startRegistry, type Registry } from '../support/registry.js';
import { seedParityImages } from '../support/seed.js';

const run = promisify(execFile);

let open: Registry;
let guarded: GuardedRegistry;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'clients-'));
  [open, guarded] = await Promise.all([startRegistry(), startGuardedRegistry(folder)]);
  await seedParityImages(open.host, { repositories: ['oci/app', 'docker/app', 'buildx/full'] });
});

afterAll(async () => {
  await Promise.all([open.stop(), guarded.stop()]);
  await rm(folder, { recursive: true, force: true });
});

function cli(args: readonly string[]) {
  return runCli([...args, ...guarded.options], { env: guarded.env });
}

/** What each command publishes: its arguments with {S}, the registry of the sources, and {T}, where it goes to. */
const PUBLISHES: Readonly<Record<string, readonly string[][]>> = {
  'push from-args, docker': [
    [
      'push',
      'from-args',
      '--platforms',
      'linux/amd64,linux/s390x',
      '--template',
      '{S}/docker/app:OS-ARCH',
      '--target',
      '{T}',
    ],
  ],
  'push from-args, oci': [
    [
      'push',
      '--type',
      'oci',
      'from-args',
      '--platforms',
      'linux/amd64,linux/s390x',
      '--template',
      '{S}/oci/app:OS-ARCH',
      '--target',
      '{T}',
    ],
  ],
  create: [['create', '--target', '{T}', '{S}/oci/app:linux-amd64', '{S}/oci/app:linux-s390x']],
  'copy of a list with attestations': [['copy', '{S}/buildx/full:latest', '{T}']],
  'copy of one image': [['copy', '{S}/docker/app:linux-amd64', '{T}']],
  add: [
    ['create', '--target', '{T}', '{S}/oci/app:linux-amd64'],
    ['add', '{T}', '{S}/oci/app:linux-s390x'],
  ],
  remove: [
    ['create', '--target', '{T}', '{S}/oci/app:linux-amd64', '{S}/oci/app:linux-s390x'],
    ['remove', '{T}', '--platform', 'linux/s390x'],
  ],
  annotate: [
    ['create', '--target', '{T}', '{S}/oci/app:linux-amd64'],
    ['annotate', '{T}', '--annotation', 'org.example.note=a, <b> & "c"'],
    ['annotate', '{T}', '--platform', 'linux/amd64', '--variant', 'v2'],
  ],
};

describe.each(Object.entries(PUBLISHES))('%s', (name, commands) => {
  const repository = `out/${name.replaceAll(/[^a-z]+/g, '-')}`;

  it('is read whole by skopeo and by docker, from a plain registry and from one with TLS and tokens', async () => {
    for (const host of [open.host, guarded.registry.host]) {
      const target = `${host}/${repository}:1`;
      for (const args of commands) {
        expectCode(
          await cli(args.map((word) => word.replace('{S}', open.host).replace('{T}', target))),
          0,
        );
      }
      const isOpen = host === open.host;
      const held = await getManifest(
        host,
        repository,
        '1',
        isOpen ? {} : guarded.access(repository),
      );
      expect(held.status).toBe(200);
      // Skopeo asks the token server for its certificate as well.
      const access = isOpen
        ? ['--tls-verify=false']
        : ['--tls-verify=false', '--creds', 'alice:secret'];
      const raw = await run('skopeo', ['inspect', '--raw', ...access, `docker://${target}`]);
      expect(raw.stdout).toBe(held.body);
      const from = access.map((option) => option.replace(/^--(tls-verify|creds)/, '--src-$1'));
      const copy = path.join(folder, repository.replace('/', '-'), isOpen ? 'open' : 'guarded');
      await run('mkdir', ['-p', copy]);
      // Every child and every blob is read, and its digest checked.
      await run('skopeo', [
        'copy',
        '--all',
        '--preserve-digests',
        ...from,
        `docker://${target}`,
        `dir:${copy}`,
      ]);
      const env = { ...process.env, ...guarded.env, HOME: folder };
      const docker = await run('docker', ['manifest', 'inspect', '--insecure', target], { env });
      // Docker shows no annotations, which name digests a second time.
      expect(digests(JSON.parse(docker.stdout))).toEqual(digests(JSON.parse(held.body)));
    }
  });
});

function digests(document: unknown): Set<string> {
  const found = JSON.stringify(document).matchAll(/sha256:[0-9a-f]{64}/g);
  return new Set([...found].map(([digest]) => digest));
}
