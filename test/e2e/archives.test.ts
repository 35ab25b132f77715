import { readdir, readFile, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { LAYER, LayoutFolder } from '../support/layout.js';
import { startRegistry } from '../support/registry.js';
import { temporaryFolder } from '../support/supervise.js';

const FIXTURE = 'oci-layout://fixtures/layout';

let registry: Awaited<ReturnType<typeof startRegistry>>;
let folder: string;

beforeAll(async () => {
  registry = await startRegistry();
  folder = await temporaryFolder();
});

afterAll(() => registry.stop());

const at = (name: string): string => path.join(folder, name);

async function run(...args: string[]): Promise<string> {
  const result = await runCli(args);
  expectCode(result, 0);
  return result.stdout;
}

describe('archives', () => {
  it('are combined from single images, copied to a registry and verified', async () => {
    for (const platform of ['amd64', 'arm64v8'])
      await run('copy', `${FIXTURE}:linux-${platform}`, `oci-archive://${at(platform)}.tar`);
    const all = `oci-archive://${at('all.tar')}:1.0`;
    const created = await run(
      'create',
      '--target',
      all,
      `oci-archive:${at('amd64.tar')}`,
      `oci-archive://${at('arm64v8.tar')}`,
    );
    execFileSync('gzip', [at('all.tar')]);
    const zipped = `oci-archive://${at('all.tar.gz')}:1.0`;
    const copied = await run('copy', zipped, `docker://${registry.host}/app:1.0`);
    expect(copied).toBe(created);
    await run('verify', '--deep', `${registry.host}/app:1.0`);
    await run('verify', '--deep', zipped);
    expect(await run('query', zipped)).toContain('- linux/arm64/v8');
    await run('copy', `${registry.host}/app:1.0`, `oci-archive://${at('back.tar')}:1.0`);
    await run('verify', '--deep', `oci-archive://${at('back.tar')}`);
  });

  it('of docker save are sources like any other', async () => {
    const target = `docker-archive:${at('saved.tar')}:example.com/app:1.0`;
    execFileSync('skopeo', ['copy', '--quiet', 'oci:fixtures/layout:linux-amd64', target]);
    const source = `docker-archive://${at('saved.tar')}:example.com/app:1.0`;
    await run('create', '--type', 'docker', '--target', `${registry.host}/saved:1.0`, source);
    await run('verify', '--deep', `${registry.host}/saved:1.0`);
    expect(await run('inspect', source)).toContain('Arch: amd64');
  });

  it('take what several documents of a spec publish', async () => {
    const document = (tag: string, platform: string): string =>
      `image: oci-archive://${at('spec.tar')}:${tag}\nmanifests:\n  - image: ${FIXTURE}:linux-${platform}\n`;
    await writeFile(at('spec.yaml'), `${document('a', 'amd64')}---\n${document('b', '386')}`);
    await run('push', '--type', 'oci', 'from-spec', at('spec.yaml'));
    for (const tag of ['a', 'b']) await run('verify', `oci-archive://${at('spec.tar')}:${tag}`);
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('are not edited, and say what to do', async () => {
    const before = await readFile(at('back.tar'));
    const { code, stderr } = await runCli([
      'add',
      `oci-archive://${at('back.tar')}:1.0`,
      `${FIXTURE}:linux-s390x`,
    ]);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /an archive cannot be edited in place\nhint: copy the image to a layout/,
    );
    expect(await readFile(at('back.tar'))).toEqual(before);
  });
});

describe('several images under one name', () => {
  it('are told apart by --platform, and listed without', async () => {
    const layout = await LayoutFolder.make();
    const layer = await layout.blob(LAYER, 'a layer');
    const digests = [];
    for (const architecture of ['amd64', 's390x']) {
      const image = await layout.image({ os: 'linux', architecture }, [layer]);
      await layout.tag(image, '1.0');
      digests.push(image.digest);
    }
    const reference = layout.reference('1.0');
    expect(await run('inspect', '--platform', 'linux/s390x', reference)).toContain(digests[1]);
    const { code, stderr } = await runCli(['inspect', reference]);
    expect(code).toBe(2);
    expect(stderr).toContain(`1.0 refers to several images: ${digests.join(', ')}`);
    expect(stderr).toContain('hint: refer to one by digest, or select one with --platform');
    await layout.remove();
  });
});
