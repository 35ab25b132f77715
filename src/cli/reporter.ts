import { ManifestToolError, reasonOf } from '../errors.js';
import type { ManifestContent } from '../oci/content.js';
import type { Digest } from '../oci/digest.js';
import type { PlanEvents } from '../plan/events.js';
import { formatDuration } from '../duration.js';
import { Secrets } from '../secrets.js';
import { escapeText } from '../text.js';
import type { Wait } from '../transport/retry.js';
import type { RequestRecord } from '../transport/log.js';
import type { Io } from './io.js';
import type { Progress } from './progress.js';

/** The longest line that is shown, in characters. */
const MAX_LINE = 2000;

/** Says things to the user, on standard error: every word of it is escaped here, and no secret passes. */
export class Reporter implements PlanEvents {
  private current: Progress | undefined;
  readonly secrets = new Secrets();

  constructor(
    private readonly io: Io,
    private readonly debug: boolean,
  ) {}

  warning = (text: string): void => this.line(`manifest-tool: warning: ${text}`);

  note = (text: string): void => this.line(text);

  progress = (text: string): void => {
    this.current?.show(escapeText(this.secrets.redact(text)));
  };

  waiting = (reason: string): void => this.line(`waiting: ${reason}`);

  tagged = (name: string, { digest }: ManifestContent, from?: Digest): void =>
    this.line(`published ${name}${from === undefined ? '' : `, from ${from} to ${digest}`}`);

  /** One of several targets failed: it is told at once, the exit code comes at the end. */
  targetFailed = (_target: string, error: ManifestToolError): void => void this.failed(error);

  unchanged = (name: string): void => this.line(`unchanged ${name}`);

  request(record: RequestRecord): void {
    const { method, url, outcome, milliseconds, attempt, signedWith } = record;
    const whose = signedWith === undefined ? 'no credentials' : `credentials: ${signedWith}`;
    this.line(
      `debug: ${method} ${url} -> ${outcome}, ${milliseconds} ms, try ${attempt}, ${whose}`,
    );
  }

  wait({ host, reason, milliseconds, attempt, attempts }: Wait): void {
    const time = formatDuration(milliseconds);
    this.line(`waiting ${time} for ${host} (${reason}), then try ${attempt} of ${attempts}`);
  }

  /** Shows a spinner while `work` runs, where standard error is a terminal. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const { stderr } = this.io;
    if (!stderr.isTTY || stderr.columns <= 0) return work();
    const { startProgress } = await import('./progress.js');
    this.current = startProgress();
    try {
      return await work();
    } finally {
      this.current.stop();
      this.current = undefined;
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
    this.line(`manifest-tool: ${known.message}`);
    if (known.hint !== undefined) this.line(`hint: ${known.hint}`);
    if (this.debug) this.causes(known);
    return known.exitCode;
  }

  private causes(error: Error): void {
    for (const stackLine of (error.stack ?? '').split('\n').slice(1))
      this.line(`debug: ${stackLine}`);
    for (let cause = error.cause, depth = 0; cause !== undefined && depth < 10; depth += 1) {
      this.line(
        `debug: caused by: ${cause instanceof Error ? (cause.stack ?? String(cause)).replaceAll('\n', ' ') : reasonOf(cause)}`,
      );
      cause = cause instanceof Error ? cause.cause : undefined;
    }
  }

  private line(text: string): void {
    this.current?.clear();
    this.io.stderr.write(`${escapeText(this.secrets.redactAndCut(text, MAX_LINE))}\n`);
    this.current?.resume();
  }
}
