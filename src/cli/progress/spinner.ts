import ora from 'ora';
import { MIN_LIVE_COLUMNS } from '../io.js';

/** A live line on a terminal. */
export interface Spinner {
  /** Removes the line, so that another one can be written. */
  clear(): void;
  resume(): void;
  stop(): void;
}

/** Period of the live line, in milliseconds. */
const PERIOD_MS = 100;

/** Starts a spinner on standard error, which is a terminal; `text` gives the line of the moment. */
export function startSpinner(text: () => string): Spinner {
  const stream = process.stderr;
  // The cursor stays at the start of the line: a terminal that is made narrower then folds the line
  // behind the cursor.
  const line = (): string => `${text()}\r`;
  const spinner = ora({ stream, discardStdin: false, color: false }).start(line());
  const timer = setInterval(() => {
    spinner.text = line();
  }, PERIOD_MS);
  timer.unref();
  const resized = (): void => {
    if (stream.columns < MIN_LIVE_COLUMNS) return stop();
    spinner.clear();
    stream.clearScreenDown();
    spinner.text = line();
  };
  const stop = (): void => {
    clearInterval(timer);
    stream.off('resize', resized);
    spinner.stop();
  };
  stream.on('resize', resized);
  return {
    clear: () => spinner.clear(),
    resume: () => void (spinner.isSpinning && spinner.render()),
    stop,
  };
}
