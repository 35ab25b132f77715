import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeImage } from '../../scripts/bench/images.mjs';
import { putImage } from '../../scripts/bench/seed.mjs';
import { expectCode, runCli } from '../support/cli.js';
import { LayoutFolder } from '../support/layout.js';
import { startRegistry } from '../support/registry.js';

let layout: LayoutFolder;

beforeAll(async () => {
  layout = await LayoutFolder.make();
});

afterAll(() => layout.remove());

async function tags(reference: string): Promise<string[]> {
  const result = await runCli(['tags', reference]);
  expectCode(result, 0);
  return result.stdout.split('\n').slice(0, -1);
}

describe('untag', () => {
  it('leaves a registry as it was that does not delete tags (distribution 2.8)', async () => {
    const registry = await startRegistry();
    try {
      const image = makeImage('linux/amd64');
      await putImage({ host: registry.host }, 'app', image, ['1.0', '1.0-amd64']);
      const name = `${registry.host}/app`;
      const result = await runCli(['untag', `${name}:1.0-amd64`]);
      expectCode(result, 6);
      expect(result.stderr).toContain('the registry does not delete tags (status 4');
      expect(await tags(name)).toEqual(['1.0', '1.0-amd64']);
    } finally {
      await registry.stop();
    }
  });

  it('removes the names of images from a layout and an archive, and keeps the images', async () => {
    const image = await layout.imageFor('linux/amd64');
    const other = await layout.imageFor('linux/arm64');
    await layout.tag(image, '1.0');
    await layout.tag(image, '1.0-amd64');
    await layout.tag(other, '1.0-arm64');
    const archive = `oci-archive://${path.join(layout.root, 'app.tar')}`;
    const root = `oci-layout://${layout.root}`;
    expectCode(await runCli(['copy', '--all-tags', root, archive]), 0);
    for (const place of [root, archive]) {
      const planned = await runCli(['untag', '--dry-run', `${place}:1.0-arm64`]);
      expect(planned.stdout).toContain(other.digest);
      expect(await tags(place)).toEqual(['1.0', '1.0-amd64', '1.0-arm64']);
      const names = ['1.0-amd64', '1.0-arm64'].map((tag) => `${place}:${tag}`);
      expectCode(await runCli(['untag', ...names]), 0);
      expect(await tags(place)).toEqual(['1.0']);
      for (const { digest } of [image, other])
        expectCode(await runCli(['verify', '--deep', `${place}@${digest}`]), 0);
      const gone = await runCli(['untag', `${place}:1.0-arm64`]);
      expectCode(gone, 3);
      expect(gone.stderr).toContain('has no tag 1.0-arm64');
    }
    const index = JSON.parse(await readFile(path.join(layout.root, 'index.json'), 'utf8')) as {
      manifests: object[];
    };
    const { mediaType, digest, size } = other;
    // The image that has another name is listed under that alone.
    expect(index.manifests).toHaveLength(2);
    expect(index.manifests).toContainEqual({ mediaType, digest, size });
  });

  it('cannot change an archive of docker save', async () => {
    const result = await runCli(['untag', `docker-archive://${layout.root}/none.tar:app:1.0`]);
    expectCode(result, 2);
    expect(result.stderr).toContain('can only be read');
  });
});
