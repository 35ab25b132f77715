import { execFile } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectAddress } from '../../scripts/build/address.mjs';
import { pathWith, Folder } from '../adversarial/support/files.js';
import { getManifest } from '../support/http.js';
import { startRegistry, type Registry } from '../support/registry.js';
import { PARITY_IMAGES, seedParityImages } from '../support/seed.js';

/** scripts/release/image.sh, as the release workflow runs it. */

const TAGS = PARITY_IMAGES['oci/app']!.tags;
const PLATFORMS = ['linux-amd64', 'linux-arm64-v8', 'linux-ppc64le', 'linux-s390x'];
const folder = new Folder();
let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry();
  await seedParityImages(registry.host, { repositories: ['oci/app'] });
});

afterAll(() => registry.stop());

function run(args: readonly string[], changes: Readonly<Record<string, string>> = {}) {
  const env = {
    PATH: process.env['PATH']!,
    HOME: folder.path,
    IMAGE: `${registry.host}/oci/app`,
    ...changes,
  };
  return new Promise<{ code: number; stderr: string }>((resolve) => {
    execFile('bash', ['scripts/release/image.sh', ...args], { env }, (error, _, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stderr });
    });
  });
}

describe('publish', () => {
  function digestsOf(names: readonly string[]): string {
    const directory = folder.directory();
    for (const name of names)
      folder.write(path.join(directory, TAGS[name]!.slice('sha256:'.length)), '');
    return directory;
  }

  const published = async (tag: string) => getManifest(registry.host, 'oci/app', tag);

  it('moves the tags of a release, with annotations, and hands the digest on', async () => {
    const output = path.join(folder.directory(), 'output');
    const args = ['publish', '2.3.4', digestsOf(PLATFORMS)];
    expect(await run(args, { GITHUB_OUTPUT: output })).toMatchObject({ code: 0 });
    const { digest, body } = await published('2.3.4');
    for (const tag of ['2.3', '2', 'latest']) expect((await published(tag)).digest).toBe(digest);
    const index = JSON.parse(body) as { manifests: unknown[]; annotations: object };
    expect(index.manifests).toHaveLength(PLATFORMS.length);
    expect(index.annotations).toEqual({
      'org.opencontainers.image.version': '2.3.4',
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.source': projectAddress().url,
    });
    expect(readFileSync(output, 'utf8')).toContain(`digest=${digest}\n`);
  });

  it('moves no other tag for a prerelease, and none at all if a platform is missing', async () => {
    const before = (await published('latest')).digest;
    expect(await run(['publish', '3.0.0-rc.1', digestsOf(PLATFORMS)])).toMatchObject({ code: 0 });
    expect((await published('3.0.0-rc.1')).status).toBe(200);
    expect((await published('3')).status).toBe(404);
    const refused = await run(['publish', '4.0.0', digestsOf(PLATFORMS.slice(1))]);
    expect(refused.code).toBe(6);
    expect(refused.stderr).toContain('missing: linux/amd64');
    expect((await published('4.0.0')).status).toBe(404);
    expect((await published('latest')).digest).toBe(before);
  });
});

it('build lays out the files, and leaves the digest that docker reports', async () => {
  const bin = folder.directory();
  const log = path.join(bin, 'log');
  const docker = `#!/bin/sh
set -eu
echo "$*" > '${log}'
while [ $# -gt 0 ]; do
  case $1 in
    --build-context) cp -R "\${2#files=}" '${bin}/files' ;;
    --metadata-file) echo '{"containerimage.digest": "sha256:${'a'.repeat(64)}"}' > "$2" ;;
  esac
  shift
done
`;
  chmodSync(folder.write(path.join(bin, 'docker'), docker), 0o755);
  const digests = path.join(folder.directory(), 'digests');
  const result = await run(['build', 'linux/s390x', digests], { PATH: pathWith(bin) });
  expect(result).toMatchObject({ code: 0 });
  expect(readdirSync(digests)).toEqual(['a'.repeat(64)]);
  const words = readFileSync(log, 'utf8').trim().split(' ');
  expect(words).toEqual(expect.arrayContaining(['--platform', 'linux/s390x']));
  expect(words).toContain(
    `type=image,name=${registry.host}/oci/app,push-by-digest=true,name-canonical=true,push=true`,
  );
  // Where the Dockerfile copies them from.
  expect(readFileSync('Dockerfile', 'utf8')).toContain('COPY --from=files /image/ /\n');
  for (const file of ['opt/manifest-tool/dist/cli/entry.cjs', 'etc/ssl/certs/ca-certificates.crt'])
    expect(existsSync(path.join(bin, 'files/image', file))).toBe(true);
});
