/** A place that text is written to; a terminal where `isTTY` is true. */
export interface Output {
  /** Bytes are for what is no text. */
  write(text: string | Uint8Array): void;
  readonly isTTY: boolean;
  readonly columns: number;
}

/** All that the command line touches of its process, so that tests can run it whole in theirs. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Reads standard input to its end, as text. */
  readonly readStdin: () => Promise<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted when the process is asked to stop (SIGINT, SIGTERM). */
  readonly signal: AbortSignal;
}
