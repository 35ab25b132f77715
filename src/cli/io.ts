import type { Readable } from 'node:stream';

/** A stream for text; a terminal if `isTTY` is true. */
export interface Output {
  /** Bytes are for content that may not be text. */
  write(text: string | Uint8Array): void;
  readonly isTTY: boolean;
  /** Width of the terminal; 0 if there is none. */
  readonly columns: number;
}

/** Everything of the process that the command line uses, so that tests can run it inside theirs. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Standard input; it is opened by the first call. */
  readonly stdin: () => Readable;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted when the process is asked to stop (SIGINT, SIGTERM). */
  readonly signal: AbortSignal;
}

/** Fewest columns for a live line; ora never returns at 0. */
export const MIN_LIVE_COLUMNS = 10;

/**
 * Whether a line on standard error can be drawn again: not on a dumb terminal, nor in the log of a
 * CI.
 */
export function isLiveTerminal({ stderr, env }: Io): boolean {
  const isLog = env['TERM'] === 'dumb' || env['CI'] !== undefined;
  return stderr.isTTY && stderr.columns >= MIN_LIVE_COLUMNS && !isLog;
}
