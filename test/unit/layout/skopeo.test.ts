import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLayout } from '../../../src/layout/layout.js';
import { digestOf } from '../../../src/oci/digest.js';
import type { Descriptor } from '../../../src/oci/descriptor.js';
import { OCI_INDEX } from '../../../src/oci/media-types.js';
import { HAS_SKOPEO } from '../../support/system.js';

function skopeo(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('skopeo', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`skopeo ${args.join(' ')}: ${stderr}`);
  return stdout;
}

describe.skipIf(!HAS_SKOPEO)('skopeo', () => {
  const source = openLayout(path.resolve('fixtures/layout'));
  let scratch: string;
  let target: string;
  let text: string;

  beforeAll(async () => {
    scratch = await mkdtemp(path.join(tmpdir(), 'layout-skopeo-'));
    target = path.join(scratch, 'target');
    const manifests = await Promise.all(['linux-amd64', 'linux-arm64v8'].map(copyImage));
    text = JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });
    const bytes = Buffer.from(text);
    const list = { mediaType: OCI_INDEX, digest: digestOf(bytes), size: bytes.length, bytes };
    await openLayout(target).publish(list, ['list'], () => {});
  });

  afterAll(() => rm(scratch, { recursive: true, force: true }));

  async function copyImage(tag: string): Promise<object> {
    const image = await source.getManifest(tag);
    if (image.document.kind !== 'manifest') throw new Error('not an image');
    const { config, layers } = image.document;
    const blobs: readonly Descriptor[] = [config, ...layers!];
    await Promise.all(blobs.map((blob) => openLayout(target).ensureBlob(blob, source)));
    await openLayout(target).putChild(image);
    const [os, architecture, variant] = tag.split('-');
    const { mediaType, digest, size } = image;
    return { mediaType, digest, size, platform: { architecture, os, variant } };
  }

  test('reads the fixture', () => {
    expect(skopeo('inspect', '--raw', `oci:${source.name.slice(13)}:linux-riscv64`)).toContain(
      '"schemaVersion":2',
    );
  });

  test('reads the exact bytes of a list that was written here', () => {
    expect(skopeo('inspect', '--raw', `oci:${target}:list`)).toBe(text);
  });

  test('copies all of a list that was written here, and what it writes is read here', async () => {
    const other = path.join(scratch, 'other');
    skopeo('copy', '--all', `oci:${target}:list`, `oci:${other}:copy`);
    const read = await openLayout(other).getManifest('copy');
    expect(Buffer.from(read.bytes).toString()).toBe(text);
    const again = await source.getManifest('linux-386');
    await openLayout(other).publish(again, ['more'], () => {});
    expect(skopeo('inspect', '--raw', `oci:${other}:copy`)).toBe(text);
  });
});
