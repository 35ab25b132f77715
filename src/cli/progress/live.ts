import { formatDuration } from '../../duration.js';
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
  /** Copies by target and digest: bytes in all, bytes copied, and whether the copy has ended. */
  private readonly copies = new Map<string, { size: number; bytes: number; hasEnded: boolean }>();
  private copyingSince = 0;

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
    const { state, size, bytes } = event;
    const key = `${event.target} ${event.digest}`;
    if (state === 'mounted') this.mounted += 1;
    if (state === 'copying' || state === 'copied') {
      if (this.copies.size === 0) this.copyingSince = now;
      this.copies.set(key, { size, bytes, hasEnded: state === 'copied' });
    } else if (state !== 'started') this.copies.delete(key);
  }

  /**
   * The line in at most `columns` columns: the activity is cut first, bytes and waits are kept
   * longest.
   */
  text(now: number, columns: number): string {
    const activity = this.printable(this.activity);
    const moving = [...this.copied(now), ...this.waiting(now)].map(this.printable);
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

  private copied(now: number): string[] {
    const all = [...this.copies.values()];
    if (all.length === 0) return [];
    const sum = (of: (copy: (typeof all)[number]) => number): number =>
      all.reduce((total, copy) => total + of(copy), 0);
    const [bytes, size] = [sum((copy) => copy.bytes), sum((copy) => copy.size)];
    const seconds = (now - this.copyingSince) / 1000;
    const rate = seconds < 0.5 ? '' : `, ${formatSize(Math.round(bytes / seconds))}/s`;
    const ended = sum(({ hasEnded }) => (hasEnded ? 1 : 0));
    return [`copied ${ended} of ${all.length}: ${formatSize(bytes)} of ${formatSize(size)}${rate}`];
  }

  private waiting(now: number): string[] {
    if (this.wait === undefined || now >= this.wait.until) return [];
    return [`waiting ${formatDuration(this.wait.until - now)} for ${this.wait.text}`];
  }
}
