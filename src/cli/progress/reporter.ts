import { now } from '../../clock.js';
import { ManifestToolError, reasonOf } from '../../errors.js';
import type { ManifestContent } from '../../oci/content.js';
import type { Digest } from '../../oci/digest.js';
import type { BlobProgress, PlanEvents } from '../../core/events.js';
import { Secrets } from '../../secrets.js';
import { escapeText, safeJson } from '../../text.js';
import type { RequestRecord } from '../../http/log.js';
import type { Wait } from '../../http/retry.js';
import type { Io } from '../io.js';
import type { LiveDisplay } from './live.js';
import { isLiveTerminal } from './live-terminal.js';
import type { Progress } from './spinner.js';
import { hintFor } from './hints.js';
import { linesOf, type ReportEvent, type Weight } from './events.js';

/** The longest line that is shown, in characters. */
const MAX_LINE = 2000;

/** How much of what a command does is shown, and in which form. */
export interface ReportStyle {
  readonly progress: 'auto' | 'plain' | 'json' | 'none';
  readonly quiet: boolean;
}

/** Says things to the user, on standard error: every word of it is escaped here, and no secret passes. */
export class Reporter implements PlanEvents {
  private current: Progress | undefined;
  private display: LiveDisplay | undefined;
  private command: string | undefined;
  private style: ReportStyle = { progress: 'auto', quiet: false };
  /** When the waits end that were told of. */
  private readonly waits = new Map<string, number>();
  readonly secrets = new Secrets();

  constructor(
    private readonly io: Io,
    private readonly debug: boolean,
  ) {}

  /** Takes the name of the command that runs. */
  begin(command: string): void {
    this.command = command;
  }

  /** Takes the style that the user asks for, from now on. */
  use(style: ReportStyle): void {
    this.style = style;
  }

  warning = (message: string): void => this.tell({ event: 'warning', message });

  note = (message: string): void => this.tell({ event: 'note', message });

  progress = (message: string): void => this.tell({ event: 'activity', message });

  waiting = (reason: string): void => this.tell({ event: 'waiting', reason });

  read = (name: string, { mediaType, digest, size }: ManifestContent): void =>
    this.tell({ event: 'read', name, mediaType, digest, size });

  blob = (progress: BlobProgress): void => this.tell({ event: 'blob', ...progress });

  written = (name: string, { mediaType, digest, size }: ManifestContent): void =>
    this.tell({ event: 'written', name, mediaType, digest, size });

  tagged = (name: string, { digest }: ManifestContent, from?: Digest): void =>
    this.tell({ event: 'tagged', name, digest, from: from ?? null });

  unchanged = (name: string, { digest }: ManifestContent): void =>
    this.tell({ event: 'unchanged', name, digest, from: digest });

  /** One of several targets failed: it is told at once, the exit code comes at the end. */
  targetFailed = (_target: string, error: ManifestToolError): void => void this.failed(error);

  request(record: RequestRecord): void {
    this.tell({ event: 'request', ...record });
  }

  wait(wait: Wait): void {
    this.tell({ event: 'retry', ...wait });
  }

  /** Shows a live line while `work` runs, where standard error is a terminal and nothing else is asked for. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const isLive = this.style.progress === 'auto' && !this.style.quiet;
    if (!isLive || !isLiveTerminal(this.io)) return work();
    const [{ startProgress }, { LiveDisplay: Display }] = await Promise.all([
      import('./spinner.js'),
      import('./live.js'),
    ]);
    const display = new Display((text) => this.shown(text));
    // Semaphore for the spinner, and for the cursor.
    const text = (): string => display.text(now(), this.io.stderr.columns - 4);
    this.display = display;
    this.current = startProgress(text);
    try {
      return await work();
    } finally {
      this.current.stop();
      this.current = undefined;
      this.display = undefined;
    }
  }

  /** Tells of the error that ended the command, and returns its exit code. */
  failed(error: unknown): number {
    const known =
      error instanceof ManifestToolError
        ? error
        : new ManifestToolError('FAILED', 'this program', reasonOf(error), {
            cause: error,
            hint: 'this is a fault of manifest-tool; run it again with --debug and report what it prints',
          });
    const { code, exitCode, message } = known;
    const hint = hintFor(known, this.command);
    this.tell({ event: 'error', code, exitCode, message, hint });
    if (this.debug) this.causes(known);
    return exitCode;
  }

  private causes(error: Error): void {
    const tell = (message: string): void => this.tell({ event: 'debug', message });
    for (const stackLine of (error.stack ?? '').split('\n').slice(1)) tell(stackLine);
    for (let cause = error.cause, depth = 0; cause !== undefined && depth < 10; depth += 1) {
      tell(
        `caused by: ${cause instanceof Error ? (cause.stack ?? String(cause)).replaceAll('\n', ' ') : reasonOf(cause)}`,
      );
      cause = cause instanceof Error ? cause.cause : undefined;
    }
  }

  private tell(event: ReportEvent): void {
    this.display?.tell(event, now());
    if (this.style.progress === 'json') {
      if (!this.style.quiet || event.event === 'error') this.line(this.json(event));
      return;
    }
    if (event.event === 'retry' && this.isToldOf(event)) return;
    for (const [weight, line] of linesOf(event))
      if (this.shows(weight)) this.line(this.shown(line));
  }

  /** Requests at the same moment fail alike: people are told once, until that wait is over. */
  private isToldOf({ host, reason, attempt, milliseconds }: Wait): boolean {
    const key = `${host} ${reason} ${attempt}`;
    if (now() < (this.waits.get(key) ?? 0)) return true;
    this.waits.set(key, now() + milliseconds);
    return false;
  }

  private shows(weight: Weight): boolean {
    if (weight === 'always') return true;
    if (this.style.quiet) return false;
    return weight === 'result' || this.style.progress === 'plain';
  }

  private shown(text: string): string {
    return escapeText(this.secrets.redactAndCut(text, MAX_LINE));
  }

  private json(event: ReportEvent): string {
    const members = Object.entries(event).map(([name, value]): [string, unknown] => [
      name,
      typeof value === 'string' ? this.secrets.redactAndCut(value, MAX_LINE) : value,
    ]);
    return safeJson(Object.fromEntries(members));
  }

  private line(text: string): void {
    this.current?.clear();
    this.io.stderr.write(`${text}\n`);
    this.current?.resume();
  }
}
