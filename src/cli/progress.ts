import ora from 'ora';

/** A live line on a terminal. */
export interface Progress {
  /** Makes room for a line. */
  clear(): void;
  resume(): void;
  stop(): void;
}

/** How often the line is made anew, in milliseconds. */
const PERIOD_MS = 100;

/**
 * A spinner on standard error with the text that `text` gives at the time; only for a terminal that has columns (ora would loop for ever
 * on one that has none).
 */
export function startProgress(text: () => string): Progress {
  const spinner = ora({ stream: process.stderr, discardStdin: false, color: false }).start(text());
  const timer = setInterval(() => {
    spinner.text = text();
  }, PERIOD_MS);
  timer.unref();
  return {
    clear: () => spinner.clear(),
    resume: () => spinner.render(),
    stop: () => {
      clearInterval(timer);
      spinner.stop();
    },
  };
}
