import { randomBytes } from 'node:crypto';
import { createGzip } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { LayerError, readLayer, type Layer } from '../../src/executables/layer.js';
import { FileTree } from '../../src/executables/file-tree.js';
import { layerOf, programFor, zstdFrames } from '../support/programs.js';

const never = new AbortController().signal;

async function* chunksOf(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

/** A tar archive of one file of this size, all zeros. */
function headerOf(size: number): Buffer {
  const header = layerOf({ zeros: '' }).subarray(0, 512);
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** A zstd frame of blocks that each repeat a zero 128 Ki times (RFC 8878, RLE_Block). */
function zstdBomb(start: Buffer, blocks: number): Buffer {
  const first = Buffer.alloc(3);
  first.writeUIntLE(start.length << 3, 0, 3);
  const repeated = Buffer.alloc(4);
  repeated.writeUIntLE((131_072 << 3) | 2, 0, 3);
  // A window of 128 KiB, and no content size.
  const head = Buffer.from('28b52ffd0038', 'hex');
  const last = Buffer.from('010000', 'hex');
  return Buffer.concat([
    head,
    first,
    start,
    ...Array.from({ length: blocks }, () => repeated),
    last,
  ]);
}

async function fault(...chunks: readonly Uint8Array[]): Promise<string> {
  const error: unknown = await readLayer(chunksOf(...chunks), never).catch(
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof LayerError)) throw new Error(`no LayerError: ${String(error)}`);
  return `${error.fault}: ${error.message}`;
}

describe('a hostile layer', () => {
  it('that decompresses to gigabytes is read in flat memory', async () => {
    const size = 4 * 1024 ** 3;
    const before = process.memoryUsage.rss();
    const bomb = zstdBomb(headerOf(size), size / 131_072);
    const { entries } = await readLayer(chunksOf(bomb, Buffer.alloc(0)), never);
    expect(entries).toHaveLength(1);
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 * 1024 ** 2);
  });

  it.each<[string, (signal: AbortSignal) => Promise<Layer>]>([
    ['zstd', (signal) => readLayer(chunksOf(zstdBomb(headerOf(1024 ** 4), 1_000_000)), signal)],
    [
      'gzip',
      (signal) => {
        const gzip = createGzip();
        const endless = async function* endless() {
          yield headerOf(1024 ** 4);
          for (;;) yield Buffer.alloc(1024 * 1024);
        };
        void (async () => {
          for await (const chunk of endless()) {
            if (gzip.destroyed) return;
            if (!gzip.write(chunk)) await new Promise((resolve) => gzip.once('drain', resolve));
          }
        })();
        return readLayer(gzip as AsyncIterable<Uint8Array>, signal);
      },
    ],
  ])('that does not end is left within a second of a signal: %s', async (_, read) => {
    const controller = new AbortController();
    const reading = read(controller.signal);
    let aborted = 0;
    setTimeout(() => {
      aborted = Date.now();
      controller.abort();
    }, 200);
    await expect(reading).rejects.toThrow();
    expect(Date.now() - aborted).toBeLessThan(1000);
  });

  it('is refused if a path is too long', async () => {
    const path = 'a/'.repeat(3000);
    expect(await fault(layerOf({ [path]: 'x' }))).toBe(
      `too-large: a path has ${path.length} characters, more than 4096`,
    );
  });

  it('is refused if a header is damaged', async () => {
    const damaged = layerOf({ a: 'x', b: 'y' });
    damaged[1024] = 0x21;
    expect(await fault(damaged)).toBe('damaged: a header has an invalid checksum');
  });

  it('is read the same in chunks of any size', async () => {
    const files = {
      ['long/'.repeat(60)]: { isDirectory: true },
      [`${'long/'.repeat(60)}app`]: programFor('linux/s390x'),
      'run.sh': '#!/bin/sh\nexec app\n',
      link: { symlink: 'x'.repeat(300) },
      hard: { hardlink: 'run.sh' },
    } as const;
    const bytes = layerOf(files);
    const whole = await readLayer(chunksOf(bytes), never);
    expect(whole.entries.map(({ kind }) => kind)).toEqual([
      'directory',
      'file',
      'file',
      'symlink',
      'hardlink',
    ]);
    for (const content of [bytes, zstdFrames(bytes, 100)]) {
      for (const size of [1, 7, 511, 513]) {
        const count = Math.ceil(content.length / size);
        const chunks = Array.from({ length: count }, (__, i) =>
          content.subarray(i * size, (i + 1) * size),
        );
        expect((await readLayer(chunksOf(...chunks), never)).entries).toEqual(whole.entries);
      }
    }
  });

  it('of random bytes is an error, and nothing else', async () => {
    for (let i = 0; i < 50; i += 1) {
      const bytes = layerOf({ a: 'x'.repeat(600), b: { symlink: 'a' } });
      randomBytes(20).copy(bytes, Math.floor(Math.random() * bytes.length));
      const layer = await readLayer(chunksOf(bytes), never).catch((thrown: unknown) => thrown);
      if (layer instanceof Error) expect(layer).toBeInstanceOf(LayerError);
      else await new FileTree(false).apply(layer as Layer, never);
    }
  });
});
