import { formatDuration } from '../../duration.js';
import type { BlobProgress } from '../../core/events.js';
import { formatSize } from '../../text.js';
import { columnsOf, cut } from '../output/columns.js';
import type { ReportEvent } from './events.js';

const BETWEEN = ' · ';
/** Columns that the activity keeps as long as they exist. */
const MIN_ACTIVITY = 16;

/** The live line: the current activity, with counts and rates from all events so far. */
export class LiveDisplay {
  private activity = 'starting';
  private wait: { readonly text: string; readonly until: number } | undefined;
  private read = 0;
  private written = 0;
  private mounted = 0;
  private readonly copies = new Transfers('copied');
  private readonly reads = new Transfers('examined');

  /** `printable` redacts and escapes text for a terminal. */
  constructor(private readonly printable: (text: string) => string = (text) => text) {}

  /** Updates the state by an event; `now` is a time in milliseconds. */
  update(event: ReportEvent, now: number): void {
    if (event.event === 'activity') this.activity = event.message;
    else if (event.event === 'read') this.read += 1;
    else if (event.event === 'written') this.written += 1;
    else if (event.event === 'retry') {
      this.wait = { text: `${event.host} (${event.reason})`, until: now + event.milliseconds };
    } else if (event.event === 'waiting') this.wait = { text: event.reason, until: now + 1000 };
    else if (event.event === 'blob') this.updateBlob(event, now);
  }

  private updateBlob(event: ReportEvent & { event: 'blob' }, now: number): void {
    const { state } = event;
    if (state === 'mounted') this.mounted += 1;
    if (state === 'reading' || state === 'read') this.reads.update(event, state === 'read', now);
    else if (state === 'copying' || state === 'copied')
      this.copies.update(event, state === 'copied', now);
    else if (state !== 'started') for (const each of [this.copies, this.reads]) each.remove(event);
  }

  /**
   * The line in at most `columns` columns: the activity is cut first, bytes and waits are kept
   * longest.
   */
  text(now: number, columns: number): string {
    const activity = this.printable(this.activity);
    const moving = [...this.copies.text(now), ...this.reads.text(now), ...this.waiting(now)].map(
      this.printable,
    );
    for (const parts of [[...this.counts(), ...moving], moving]) {
      const rest = parts.map((part) => BETWEEN + part).join('');
      const left = columns - columnsOf(rest);
      if (left >= Math.min(MIN_ACTIVITY, columnsOf(activity))) return cut(activity, left) + rest;
    }
    return cut(moving.length === 0 ? activity : moving.join(BETWEEN), Math.max(columns, 1));
  }

  private counts(): string[] {
    return [
      ...(this.read > 0 ? [`${this.read} read`] : []),
      ...(this.mounted > 0 ? [`${this.mounted} mounted`] : []),
      ...(this.written > 0 ? [`${this.written} written`] : []),
    ];
  }

  private waiting(now: number): string[] {
    if (this.wait === undefined || now >= this.wait.until) return [];
    return [`waiting ${formatDuration(this.wait.until - now)} for ${this.wait.text}`];
  }
}

/** Blobs that are transferred in one way. */
class Transfers {
  /** By target and digest: bytes in all, bytes so far, and whether the transfer has ended. */
  private readonly blobs = new Map<string, { size: number; bytes: number; hasEnded: boolean }>();
  private since = 0;

  constructor(private readonly verb: string) {}

  update(blob: BlobProgress, hasEnded: boolean, now: number): void {
    if (this.blobs.size === 0) this.since = now;
    const { size, bytes } = blob;
    this.blobs.set(keyOf(blob), { size, bytes, hasEnded });
  }

  remove(blob: BlobProgress): void {
    this.blobs.delete(keyOf(blob));
  }

  /** Counts and rate; nothing if there are no blobs. */
  text(now: number): string[] {
    const all = [...this.blobs.values()];
    if (all.length === 0) return [];
    const sum = (of: (blob: (typeof all)[number]) => number): number =>
      all.reduce((total, blob) => total + of(blob), 0);
    const [bytes, size] = [sum((blob) => blob.bytes), sum((blob) => blob.size)];
    const seconds = (now - this.since) / 1000;
    const rate = seconds < 0.5 ? '' : `, ${formatSize(Math.round(bytes / seconds))}/s`;
    const ended = sum(({ hasEnded }) => (hasEnded ? 1 : 0));
    const sizes = `${formatSize(bytes)} of ${formatSize(size)}`;
    return [`${this.verb} ${ended} of ${all.length}: ${sizes}${rate}`];
  }
}

function keyOf({ target, digest }: BlobProgress): string {
  return `${target} ${digest}`;
}
