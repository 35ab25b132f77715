import { describe, expect, test } from 'vitest';
import { LiveDisplay } from '../../../../src/cli/progress/live.js';
import type { BlobProgress } from '../../../../src/core/events.js';
import { escapeText } from '../../../../src/text.js';
import { digestOf } from '../../../../src/oci/digest.js';

const MB = 1_000_000;

function blob(name: string, state: BlobProgress['state'], bytes: number, size = 10 * MB) {
  const digest = digestOf(Buffer.from(name));
  return { event: 'blob', target: 'e.co/app', digest, size, bytes, state } as const;
}

describe('the live line', () => {
  test('says what is being done', () => {
    const display = new LiveDisplay(0);
    expect(display.text(0, 80)).toBe('starting');
    display.update({ event: 'activity', message: 'reading 3 images' }, 0);
    expect(display.text(0, 80)).toBe('reading 3 images');
  });

  test('counts what was read, mounted and written', () => {
    const display = new LiveDisplay(0);
    const manifest = {
      name: 'e.co/app',
      mediaType: 't',
      digest: digestOf(Buffer.from('m')),
      size: 1,
    };
    display.update({ event: 'read', ...manifest }, 0);
    display.update({ event: 'read', ...manifest }, 0);
    display.update(blob('a', 'started', 0), 0);
    display.update(blob('a', 'mounted', 0), 0);
    display.update({ event: 'written', ...manifest }, 0);
    expect(display.text(0, 80)).toBe('starting · 2 read · 1 mounted · 1 written');
  });

  test('sums what is copied, and shows the rate', () => {
    const display = new LiveDisplay(0);
    display.update(blob('a', 'started', 0), 0);
    expect(display.text(0, 80)).toBe('starting');
    display.update(blob('a', 'copying', MB), 1000);
    display.update(blob('b', 'copying', 2 * MB), 1200);
    expect(display.text(1300, 80)).toBe('starting · copied 3.00 MB');
    display.update(blob('a', 'copied', 10 * MB), 2900);
    expect(display.text(3000, 80)).toBe('starting · copied 12.0 MB, 6.00 MB/s');
    display.update(blob('b', 'failed', 0), 3000);
    expect(display.text(3000, 80)).toBe('starting · copied 10.0 MB, 5.00 MB/s');
  });

  test('has a total, a percentage and the time left as soon as all blobs are known', () => {
    const display = new LiveDisplay(0);
    const { digest, size } = blob('a', 'copying', 0);
    const all = ['a', 'b', 'c', 'd'].map((name) => blob(name, 'started', 0));
    const planned = all.map((each) => ({ mediaType: 't', digest: each.digest, size: each.size }));
    display.plan('e.co/app', planned);
    // The same blob of another image counts once.
    display.plan('e.co/app', [{ mediaType: 't', digest, size }]);
    display.update(blob('a', 'copying', 2 * MB), 1000);
    expect(display.text(1100, 80)).toBe('starting · 5% of 40.0 MB');
    display.update(blob('b', 'mounted', 0), 1200);
    display.update(blob('c', 'present', 0), 1200);
    display.update(blob('a', 'copying', 5 * MB), 3000);
    expect(display.text(3000, 80)).toBe(
      'starting · 1 mounted · 62% of 40.0 MB, 2.50 MB/s, 6 s left',
    );
    display.update(blob('a', 'copied', 10 * MB), 4000);
    display.update(blob('d', 'copied', 10 * MB), 5000);
    expect(display.text(5000, 80)).toBe('starting · 1 mounted · 100% of 40.0 MB, 5.00 MB/s');
  });

  test('has no total while a target that is copied to has none', () => {
    const display = new LiveDisplay(0);
    display.plan('e.co/app', []);
    display.update({ ...blob('a', 'copying', MB), target: 'e.co/other' }, 0);
    expect(display.text(0, 80)).toBe('starting · copied 1.00 MB');
  });

  test('shows a wait as long as it lasts', () => {
    const display = new LiveDisplay(0);
    const wait = {
      host: 'e.co',
      reason: 'status 429',
      milliseconds: 4000,
      attempt: 2,
      attempts: 5,
    };
    display.update({ event: 'retry', ...wait }, 1000);
    expect(display.text(2000, 80)).toBe('starting · waiting 3 s for e.co (status 429)');
    expect(display.text(5000, 80)).toBe('starting');
  });

  test.each([
    [61, 'writing 2 images to e.co/team/long… · 1 read · copied 1.00 MB'],
    [41, 'writing 2 images to e.c… · copied 1.00 MB'],
    [24, 'copied 1.00 MB'],
    [10, 'copied 1.…'],
  ])('in %d columns cuts names first, and what is copied last', (columns, line) => {
    const display = new LiveDisplay(0);
    const digest = digestOf(Buffer.from('m'));
    display.update({ event: 'activity', message: 'writing 2 images to e.co/team/long-name' }, 0);
    display.update({ event: 'read', name: 'e.co/app', mediaType: 't', digest, size: 1 }, 0);
    display.update(blob('a', 'copying', MB), 0);
    expect(display.text(0, columns)).toBe(line);
  });

  test('counts what is shown: characters of two columns, and those that are written as escapes', () => {
    const display = new LiveDisplay(0, escapeText);
    display.update({ event: 'activity', message: '漢字漢字漢字' }, 0);
    expect(display.text(0, 8)).toBe('漢字漢…');
    display.update({ event: 'activity', message: '\u001b\u001b' }, 0);
    expect(display.text(0, 8)).toBe('\\u001b\\…');
  });

  test.each([0, 1, 10, 30])('is never wider than %d columns', (columns) => {
    const display = new LiveDisplay(0);
    display.update({ event: 'activity', message: 'reading an image with a very long name' }, 0);
    expect(display.text(0, columns).length).toBeLessThanOrEqual(Math.max(columns, 1));
  });
});

describe('the summary', () => {
  const image = (name: string) => ({
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: digestOf(Buffer.from(name)),
  });

  test('counts images and bytes', () => {
    const display = new LiveDisplay(1000);
    expect(display.summary(2000)).toBeUndefined();
    for (const name of ['x', 'y', 'x']) display.wrote(image(name));
    display.wrote({ ...image('index'), mediaType: 'application/vnd.oci.image.index.v1+json' });
    display.update(blob('a', 'copied', 10 * MB), 2000);
    display.update(blob('b', 'mounted', 0, 5 * MB), 2000);
    display.update(blob('c', 'present', 0, 7 * MB), 2000);
    expect(display.summary(4200)).toBe(
      'done in 3.2 s: 2 images written, 10.0 MB copied, 5.00 MB mounted',
    );
  });
});
