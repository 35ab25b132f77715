import ora from 'ora';
import { MIN_COLUMNS } from './live-terminal.js';

/** A live line on a terminal. */
export interface Progress {
  /** Makes room for a line. */
  clear(): void;
  resume(): void;
  stop(): void;
}

/** How often the line is made anew, in milliseconds. */
const PERIOD_MS = 100;

/** A spinner on standard error, which is a terminal, with the text that `text` gives at the time. */
export function startProgress(text: () => string): Progress {
  const stream = process.stderr;
  // The cursor waits at the start of the line: where a terminal that is made narrower lays the line out anew, all of it is behind the cursor.
  const line = (): string => `${text()}\r`;
  const spinner = ora({ stream, discardStdin: false, color: false }).start(line());
  const timer = setInterval(() => {
    spinner.text = line();
  }, PERIOD_MS);
  timer.unref();
  const resized = (): void => {
    if (stream.columns < MIN_COLUMNS) return stop();
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
