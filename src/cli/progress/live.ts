import { formatDuration } from '../../duration.js';
import type { Descriptor } from '../../oci/descriptor.js';
import { isIndexType } from '../../oci/media-types.js';
import { countOf, formatSize } from '../../text.js';
import { columnsOf, cut } from '../output/columns.js';
import type { ReportEvent } from './events.js';

const BETWEEN = ' · ';
/** Columns that the activity keeps as long as they exist. */
const MIN_ACTIVITY = 16;
/** Milliseconds of copying before there is a rate. */
const MIN_RATE_MS = 500;

/** The transfer of a blob to a target. */
interface Transfer {
  readonly size: number;
  readonly bytes: number;
  readonly state: 'copying' | 'copied' | 'mounted' | 'present';
}

/** What a command has done so far, from its events, as a line of progress and as a summary. */
export class LiveDisplay {
  private activity = 'starting';
  private wait: { readonly text: string; readonly until: number } | undefined;
  private read = 0;
  private written = 0;
  /** Digests of the images that were written. */
  private readonly images = new Set<string>();
  /** By target and digest. */
  private readonly transfers = new Map<string, Transfer>();
  /** Sizes of all blobs of the images that are published, by target and digest. */
  private readonly planned = new Map<string, number>();
  private readonly plannedTargets = new Set<string>();
  private copyingSince: number | undefined;
  /** Blobs that are only read, by place and digest: bytes in all and so far. */
  private readonly reads = new Map<string, { size: number; bytes: number }>();

  /**
   * @param start a time in milliseconds, as all of this class
   * @param printable redacts and escapes text for a terminal
   */
  constructor(
    private readonly start: number,
    private readonly printable: (text: string) => string = (text) => text,
  ) {}

  /** Updates the state by an event. */
  update(event: ReportEvent, now: number): void {
    if (event.event === 'activity') this.activity = event.message;
    else if (event.event === 'read') this.read += 1;
    else if (event.event === 'written') this.written += 1;
    else if (event.event === 'retry') {
      this.wait = { text: `${event.host} (${event.reason})`, until: now + event.milliseconds };
    } else if (event.event === 'waiting') this.wait = { text: event.reason, until: now + 1000 };
    else if (event.event === 'blob') this.updateBlob(event, now);
  }

  /** Adds the blobs of what is published to a target: from now on the total is known. */
  plan(target: string, blobs: readonly Descriptor[]): void {
    this.plannedTargets.add(target);
    for (const { digest, size } of blobs) this.planned.set(`${target} ${digest}`, size);
  }

  /** Counts an image that was written, by its digest or under a tag. */
  wrote({ mediaType, digest }: { readonly mediaType: string; readonly digest: string }): void {
    if (!isIndexType(mediaType)) this.images.add(digest);
  }

  private updateBlob(event: ReportEvent & { event: 'blob' }, now: number): void {
    const { state, size, bytes, target, digest } = event;
    const key = `${target} ${digest}`;
    if (state === 'started') return;
    if (state === 'reading' || state === 'read') {
      this.reads.set(key, { size, bytes });
      return;
    }
    this.reads.delete(key);
    if (state === 'failed') this.transfers.delete(key);
    else this.transfers.set(key, { size, bytes, state });
    if (state === 'copying' || state === 'copied') this.copyingSince ??= now;
  }

  /**
   * The line in at most `columns` columns: the activity is cut first, bytes and waits are kept
   * longest.
   */
  text(now: number, columns: number): string {
    const activity = this.printable(this.activity);
    const moving = [...this.copied(now), ...this.examined(), ...this.waiting(now)].map(
      this.printable,
    );
    for (const parts of [[...this.counts(), ...moving], moving]) {
      const rest = parts.map((part) => BETWEEN + part).join('');
      const left = columns - columnsOf(rest);
      if (left >= Math.min(MIN_ACTIVITY, columnsOf(activity))) return cut(activity, left) + rest;
    }
    return cut(moving.length === 0 ? activity : moving.join(BETWEEN), Math.max(columns, 1));
  }

  /** What was published, in one line; undefined if nothing was. */
  summary(now: number): string | undefined {
    const images = this.images.size;
    const [copied, mounted] = [this.sum('copied'), this.sum('mounted')];
    if (images === 0 && copied + mounted === 0) return undefined;
    const parts = [`${countOf(images, 'image')} written`, `${formatSize(copied)} copied`];
    if (mounted > 0) parts.push(`${formatSize(mounted)} mounted`);
    return `done in ${formatDuration(now - this.start)}: ${parts.join(', ')}`;
  }

  private counts(): string[] {
    const mounted = [...this.transfers.values()].filter(({ state }) => state === 'mounted').length;
    return [
      ...(this.read > 0 ? [`${this.read} read`] : []),
      ...(mounted > 0 ? [`${mounted} mounted`] : []),
      ...(this.written > 0 ? [`${this.written} written`] : []),
    ];
  }

  /** Bytes of the blobs in one of these states. */
  private sum(...states: readonly Transfer['state'][]): number {
    let sum = 0;
    for (const { state, size, bytes } of this.transfers.values())
      if (states.includes(state)) sum += state === 'copying' ? bytes : size;
    return sum;
  }

  /**
   * Bytes copied, the total with a percentage and the time left if they are known, and the rate.
   * Blobs that the target holds already or that are mounted count as done.
   */
  private copied(now: number): string[] {
    if (this.copyingSince === undefined) return [];
    const moved = this.sum('copying', 'copied');
    const elapsed = now - this.copyingSince;
    const rate = elapsed < MIN_RATE_MS ? 0 : (moved * 1000) / elapsed;
    const total = this.total();
    if (total === undefined) {
      return [[`copied ${formatSize(moved)}`, ...rateText(rate)].join(', ')];
    }
    const done = moved + this.sum('mounted', 'present');
    const left = total - done;
    const percent = total === 0 ? 100 : Math.floor((done / total) * 100);
    const time = rate > 0 && left > 0 ? [`${formatDuration((left / rate) * 1000)} left`] : [];
    const amount = `${percent}% of ${formatSize(total)}`;
    return [[amount, ...rateText(rate), ...time].join(', ')];
  }

  private examined(): string[] {
    if (this.reads.size === 0) return [];
    let [bytes, size] = [0, 0];
    for (const each of this.reads.values()) [bytes, size] = [bytes + each.bytes, size + each.size];
    const blobs = countOf(this.reads.size, 'blob');
    return [`${formatSize(bytes)} of ${formatSize(size)} of ${blobs} read`];
  }

  /** Undefined until it is known for every target that something is copied to. */
  private total(): number | undefined {
    for (const key of this.transfers.keys())
      if (!this.plannedTargets.has(key.slice(0, key.lastIndexOf(' ')))) return undefined;
    let total = 0;
    for (const size of this.planned.values()) total += size;
    return total;
  }

  private waiting(now: number): string[] {
    if (this.wait === undefined || now >= this.wait.until) return [];
    return [`waiting ${formatDuration(this.wait.until - now)} for ${this.wait.text}`];
  }
}

function rateText(rate: number): string[] {
  return rate === 0 ? [] : [`${formatSize(Math.round(rate))}/s`];
}
