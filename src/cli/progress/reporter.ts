import { causesOf, EXIT_CODES, ManifestToolError, reasonOf } from '../../errors.js';
import type { ManifestContent } from '../../oci/content.js';
import type { Descriptor } from '../../oci/descriptor.js';
import type { Digest } from '../../oci/digest.js';
import type { BlobProgress, ProgressEvents } from '../../core/events.js';
import { Secrets } from '../../secrets.js';
import { escapeText } from '../../text.js';
import type { RequestRecord } from '../../http/log.js';
import type { RetryEvent } from '../../http/retry.js';
import { usageError, type Options } from '../args/values.js';
import { isLiveTerminal, type Io } from '../io.js';
import { isColoured, palette, type ColourOptions } from '../output/colours.js';
import type { HintContext } from './hints.js';
import { LABELS, linesOf, type Label, type ReportEvent, type Weight } from './events.js';
import type { LiveDisplay } from './live.js';
import { SYSTEM_TIMER, type Timer } from './timer.js';
import type { Spinner } from './spinner.js';

/** Longest line that is written, in characters. */
const MAX_LINE = 2000;

/** Period of the lines of progress where no line can be drawn again, in milliseconds. */
const STATUS_PERIOD_MS = 10_000;

/** How much is reported, and in which form. */
type ReportStyle = Options<'quiet' | 'progress' | 'debug'> & ColourOptions;

/**
 * Writes to standard error what a command reports. Every line is redacted and escaped here, and
 * nowhere else.
 */
export class Reporter implements ProgressEvents {
  readonly secrets = new Secrets();
  private spinner: Spinner | undefined;
  private display: LiveDisplay | undefined;
  private context: HintContext = {};
  private style: ReportStyle = { progress: undefined, quiet: false, debug: false };
  /** Ends of the waits that were reported, by what they are for. */
  private readonly waits = new Map<string, number>();
  /** What is being waited for, as reported. */
  private readonly missing = new Set<string>();
  /** Set while an error waits for its hint to be loaded: the events after it wait as well. */
  private pending: Promise<void> | undefined;

  constructor(
    private readonly io: Io,
    private readonly timer: Timer = SYSTEM_TIMER,
  ) {}

  /** Sets the name of the command, for hints. */
  begin(command: string): void {
    this.context = { ...this.context, command };
  }

  /** Sets the registry that --username is for, for hints. */
  setTypedHost(typedHost: string | undefined): void {
    this.context = { ...this.context, typedHost };
  }

  /** @throws {ManifestToolError} USAGE for options that contradict each other. */
  setStyle(style: ReportStyle): void {
    if (style.quiet && style.progress !== undefined && style.progress !== 'none') {
      throw usageError(
        'pass --quiet or --progress, not both',
        '--quiet shows nothing but warnings, errors and the result',
      );
    }
    if (style.noColor === true && style.color !== undefined && style.color !== 'never') {
      throw usageError(`--no-color contradicts --color ${style.color}`, 'omit one of them');
    }
    this.style = style;
  }

  warning = (message: string): void => this.report({ event: 'warning', message });

  note = (message: string): void => this.report({ event: 'note', message });

  progress = (message: string): void => this.report({ event: 'activity', message });

  waiting = (reason: string): void => this.report({ event: 'waiting', reason });

  waited = (what: string, milliseconds: number): void =>
    this.report({ event: 'waited', what, milliseconds });

  planned = (target: string, blobs: readonly Descriptor[]): void => {
    this.display?.plan(target, blobs);
    const bytes = blobs.reduce((sum, { size }) => sum + size, 0);
    this.report({ event: 'planned', target, blobs: blobs.length, bytes });
  };

  read = (name: string, { mediaType, digest, size }: ManifestContent): void =>
    this.report({ event: 'read', name, mediaType, digest, size });

  blob = (progress: BlobProgress): void => this.report({ event: 'blob', ...progress });

  written = (name: string, manifest: ManifestContent): void => {
    const { mediaType, digest, size } = manifest;
    this.display?.wrote(manifest);
    this.report({ event: 'written', name, mediaType, digest, size });
  };

  tagged = (name: string, manifest: ManifestContent, from?: Digest): void => {
    this.display?.wrote(manifest);
    this.report({ event: 'tagged', name, digest: manifest.digest, from: from ?? null });
  };

  unchanged = (name: string, { digest }: ManifestContent): void =>
    this.report({ event: 'unchanged', name, digest, from: digest });

  /**
   * Reports a failure at one of several targets when it happens; the exit code follows at the end.
   */
  targetFailed = (_target: string, error: ManifestToolError): void => void this.failed(error);

  request = (record: RequestRecord): void => this.report({ event: 'request', ...record });

  retry = (wait: RetryEvent): void => this.report({ event: 'retry', ...wait });

  /**
   * Runs `work` and shows its progress: a live line on a terminal, elsewhere a line every ten
   * seconds, so that a long job is not taken for a dead one. A summary of what was published follows
   * if progress was shown.
   */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const { progress = 'auto', quiet } = this.style;
    if (quiet || progress === 'none' || progress === 'json') return work();
    const { LiveDisplay: Display } = await import('./live.js');
    const display = new Display(this.timer.now(), (text) => this.printable(text));
    this.display = display;
    const isLive = progress === 'auto' && isLiveTerminal(this.io);
    let isShown = isLive || progress === 'plain';
    const stop = isLive
      ? await this.startLiveLine(display)
      : this.timer.every(STATUS_PERIOD_MS, () => {
          isShown = true;
          const message = display.text(this.timer.now(), MAX_LINE);
          this.report({ event: 'status', message });
        });
    try {
      const result = await work();
      stop();
      const message = display.summary(this.timer.now());
      if (isShown && message !== undefined) this.report({ event: 'status', message });
      return result;
    } finally {
      stop();
      this.display = undefined;
    }
  }

  /** Draws the live line until the function that is returned is called. */
  private async startLiveLine(display: LiveDisplay): Promise<() => void> {
    const { startSpinner } = await import('./spinner.js');
    // Room for the spinner, and for the cursor.
    const spinner = startSpinner(() => display.text(this.timer.now(), this.io.stderr.columns - 4));
    this.spinner = spinner;
    return () => {
      spinner.stop();
      this.spinner = undefined;
    };
  }

  /** Reports an error with its hint, and returns its exit code when that is written. */
  async failed(thrown: unknown): Promise<number> {
    const error = knownError(thrown);
    const { code, message, items: all } = error;
    const items = all.length === 0 ? {} : { items: all };
    const exitCode = EXIT_CODES[code];
    await this.enqueue(async () => {
      const { hintFor } = await import('./hints.js');
      const hint = hintFor(error, this.context);
      this.write({ event: 'error', code, exitCode, message, ...items, hint });
      if (this.style.debug) for (const cause of debugEvents(error)) this.write(cause);
    });
    return exitCode;
  }

  private report(event: ReportEvent): void {
    this.display?.update(event, this.timer.now());
    if (this.pending === undefined) this.write(event);
    else void this.enqueue(() => this.write(event));
  }

  /** Runs `write` after what is pending, so that lines keep their order. */
  private enqueue(write: () => void | Promise<void>): Promise<void> {
    const done = (this.pending ?? Promise.resolve()).then(write).finally(() => {
      if (this.pending === done) this.pending = undefined;
    });
    this.pending = done;
    return done;
  }

  private write(event: ReportEvent): void {
    if (this.style.progress === 'json') {
      if (!this.style.quiet || event.event === 'error') this.writeLine(this.json(event));
      return;
    }
    if (event.event === 'retry' && this.isReported(event)) return;
    if (event.event === 'waiting') {
      if (this.missing.has(event.reason)) return;
      this.missing.add(event.reason);
    }
    for (const [weight, text, label] of linesOf(event)) {
      if (!this.isShown(weight)) continue;
      const start = label === undefined ? '' : `${this.paintLabel(label)} `;
      this.writeLine(start + this.printable(text));
    }
  }

  private paintLabel(label: Label): string {
    const { stderr, env } = this.io;
    const { bad, warning, hint, faint } = palette(isColoured(stderr, env, this.style));
    return { error: bad, warning, hint, debug: faint }[label](LABELS[label]);
  }

  /** Requests that are sent together fail alike: a wait is written once, until it is over. */
  private isReported({ host, reason, attempt, milliseconds }: RetryEvent): boolean {
    const key = `${host} ${reason} ${attempt}`;
    if (this.timer.now() < (this.waits.get(key) ?? 0)) return true;
    this.waits.set(key, this.timer.now() + milliseconds);
    return false;
  }

  private isShown(weight: Weight): boolean {
    if (weight === 'always') return true;
    if (this.style.quiet) return false;
    return weight === 'result' || this.style.progress === 'plain';
  }

  private printable(text: string): string {
    return escapeText(this.secrets.redactAndCut(text, MAX_LINE));
  }

  private json(event: ReportEvent): string {
    const redacted = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(redacted);
      return typeof value === 'string' ? this.secrets.redactAndCut(value, MAX_LINE) : value;
    };
    const members = Object.entries(event).map(([name, value]) => [name, redacted(value)]);
    return escapeText(JSON.stringify(Object.fromEntries(members)));
  }

  private writeLine(line: string): void {
    this.spinner?.clear();
    this.io.stderr.write(`${line}\n`);
    this.spinner?.resume();
  }
}

function knownError(thrown: unknown): ManifestToolError {
  if (thrown instanceof ManifestToolError) return thrown;
  return new ManifestToolError('FAILED', 'this program', reasonOf(thrown), {
    cause: thrown,
    hint: 'this is a bug in manifest-tool; run it again with --debug and report what it prints',
  });
}

/** Stack and causes of an error, for --debug. */
function debugEvents(error: Error): (ReportEvent & { event: 'debug' })[] {
  const [, ...causes] = causesOf(error);
  const lines = causes.map((cause) => {
    const text = cause instanceof Error ? cause.stack : undefined;
    return `caused by: ${(text ?? reasonOf(cause)).replaceAll('\n', ' ')}`;
  });
  const stack = (error.stack ?? '').split('\n').slice(1);
  return [...stack, ...lines].map((message) => ({ event: 'debug', message }));
}
