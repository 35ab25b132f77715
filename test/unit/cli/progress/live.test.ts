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
    const display = new LiveDisplay();
    expect(display.text(0, 80)).toBe('starting');
    display.update({ event: 'activity', message: 'reading 3 images' }, 0);
    expect(display.text(0, 80)).toBe('reading 3 images');
  });

  test('counts what was read, mounted and written', () => {
    const display = new LiveDisplay();
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

  test('sums what is copied, and tells how fast', () => {
    const display = new LiveDisplay();
    display.update(blob('a', 'started', 0), 0);
    expect(display.text(0, 80)).toBe('starting');
    display.update(blob('a', 'copying', MB), 1000);
    display.update(blob('b', 'copying', 2 * MB), 1200);
    expect(display.text(1300, 80)).toBe('starting · copied 0 of 2: 3.00 MB of 20.0 MB');
    display.update(blob('a', 'copied', 10 * MB), 2900);
    expect(display.text(3000, 80)).toBe('starting · copied 1 of 2: 12.0 MB of 20.0 MB, 6.00 MB/s');
    display.update(blob('b', 'failed', 0), 3000);
    expect(display.text(3000, 80)).toBe('starting · copied 1 of 1: 10.0 MB of 10.0 MB, 5.00 MB/s');
  });

  test('shows a wait as long as it lasts', () => {
    const display = new LiveDisplay();
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
    [80, 'writing 2 images to e.co/team/long… · 1 read · copied 0 of 1: 1.00 MB of 10.0 MB'],
    [60, 'writing 2 images to e.c… · copied 0 of 1: 1.00 MB of 10.0 MB'],
    [40, 'copied 0 of 1: 1.00 MB of 10.0 MB'],
    [20, 'copied 0 of 1: 1.00…'],
  ])('in %d columns cuts names first, and what is copied last', (columns, line) => {
    const display = new LiveDisplay();
    const digest = digestOf(Buffer.from('m'));
    display.update({ event: 'activity', message: 'writing 2 images to e.co/team/long-name' }, 0);
    display.update({ event: 'read', name: 'e.co/app', mediaType: 't', digest, size: 1 }, 0);
    display.update(blob('a', 'copying', MB), 0);
    expect(display.text(0, columns)).toBe(line);
  });

  test('counts what is shown: characters of two columns, and those that are written as escapes', () => {
    const display = new LiveDisplay(escapeText);
    display.update({ event: 'activity', message: '漢字漢字漢字' }, 0);
    expect(display.text(0, 8)).toBe('漢字漢…');
    display.update({ event: 'activity', message: '\u001b\u001b' }, 0);
    expect(display.text(0, 8)).toBe('\\u001b\\…');
  });

  test.each([0, 1, 10, 30])('is never wider than %d columns', (columns) => {
    const display = new LiveDisplay();
    display.update({ event: 'activity', message: 'reading an image with a very long name' }, 0);
    expect(display.text(0, columns).length).toBeLessThanOrEqual(Math.max(columns, 1));
  });
});
