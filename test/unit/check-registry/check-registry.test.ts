import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseDocument } from '../../../src/oci/documents.js';
import {
  attestationEntry,
  entry,
  indexOfSize,
  makeImages,
} from '../../../src/check-registry/images.js';
import { findLimit } from '../../../src/check-registry/manifest-limit.js';

const MIB = 1024 * 1024;

describe('the size limit of a manifest', () => {
  const look = async (limit: number, least = 700) => {
    const tried: number[] = [];
    const found = await findLimit(least, (size) => {
      tried.push(size);
      return Promise.resolve(size <= limit ? undefined : `no ${size}`);
    });
    return { ...found, tried };
  };

  test.each([8 * MIB, 9 * MIB, Infinity])(
    '%d: the largest size is taken at once',
    async (limit) => {
      const { accepted, refused, tried } = await look(limit);
      expect(accepted).toBe(8 * MIB);
      expect(refused).toBeUndefined();
      expect(tried).toEqual([8 * MIB]);
    },
  );

  test('of 4 MiB, as most have it, is found in three requests', async () => {
    const { accepted, refused, tried } = await look(4 * MIB);
    expect(accepted).toBe(4 * MIB);
    expect(refused).toEqual({ size: 4 * MIB + 1, words: `no ${4 * MIB + 1}` });
    expect(tried).toHaveLength(3);
  });

  test.each([
    700,
    701,
    1023,
    1024,
    5000,
    65_536,
    262_144,
    300_000,
    MIB,
    4_000_000,
    5 * MIB,
    8 * MIB - 1,
  ])('%d: found to a KiB, in few requests', async (limit) => {
    const { accepted, refused, tried } = await look(limit);
    expect(accepted).toBeLessThanOrEqual(limit);
    expect(refused!.size).toBeGreaterThan(limit);
    expect(refused!.size - accepted).toBeLessThanOrEqual(1024);
    expect(new Set(tried).size).toBe(tried.length);
    expect(tried.length).toBeLessThanOrEqual(17);
    expect(Math.max(...tried)).toBe(8 * MIB);
  });
});

describe('the images of a check', () => {
  const made = makeImages('0123');
  const manifests = [
    ...Object.values(made.docker),
    ...Object.values(made.oci),
    made.attestation,
    made.referrer,
  ];

  test('are documents of their kind, and their digests are those of their bytes', () => {
    const blobs = new Map(made.blobs.map((blob) => [blob.digest, blob]));
    for (const manifest of manifests) {
      const { mediaType, document } = parseDocument(manifest.bytes, manifest.mediaType);
      expect(mediaType).toBe(manifest.mediaType);
      expect(manifest.digest).toBe(digest(manifest.bytes));
      if (document.kind !== 'manifest') throw new Error('a list');
      for (const { digest: named, size } of [document.config, ...document.layers!]) {
        const { bytes } = blobs.get(named)!;
        expect([digest(bytes), bytes.length]).toEqual([named, size]);
      }
    }
  });

  test('have nothing in common with those of another check', () => {
    const other = makeImages('0124');
    const all = (images: typeof made): string[] =>
      [
        ...images.blobs,
        ...Object.values(images.docker),
        ...Object.values(images.oci),
        images.attestation,
        images.referrer,
      ].map((each) => each.digest);
    expect(all(made).filter((each) => all(other).includes(each))).toEqual([]);
    expect(new Set(all(made)).size).toBe(all(made).length);
    expect(all(makeImages('0123'))).toEqual(all(made));
  });

  test('have a layer that is an archive', () => {
    const { status, stdout } = spawnSync('tar', ['-xzOf', '-'], { input: made.layer.bytes });
    expect(status).toBe(0);
    expect(stdout.toString()).toContain('0123');
  });

  test('can be listed with an attestation', () => {
    const { attestation, oci } = made;
    const entries = [entry(oci.amd64, 'amd64'), attestationEntry(attestation, oci.amd64)];
    const { document } = parseDocument(indexOfSize('oci', entries, 0).bytes, undefined);
    if (document.kind !== 'index') throw new Error('no list');
    expect(document.manifests[1]!.annotations?.get('vnd.docker.reference.digest')).toBe(
      oci.amd64.digest,
    );
  });

  test.each(['docker', 'oci'] as const)('make a %s list of any size', (type) => {
    const entries = [entry(made[type].amd64, 'amd64')];
    for (const size of [10_000, 10_001, MIB]) {
      const list = indexOfSize(type, entries, size);
      expect([list.bytes.length, list.size]).toEqual([size, size]);
      expect(list.digest).toBe(digest(list.bytes));
      expect(parseDocument(list.bytes, list.mediaType).document.kind).toBe('index');
    }
  });
});

function digest(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
