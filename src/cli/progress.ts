import ora from 'ora';

/** Shows on a terminal what is being done. */
export interface Progress {
  show(text: string): void;
  /** Makes room for a line. */
  clear(): void;
  resume(): void;
  stop(): void;
}

/** A spinner on standard error; only for a terminal that has columns (ora would loop for ever on one that has none). */
export function startProgress(): Progress {
  const spinner = ora({ stream: process.stderr, discardStdin: false, color: false }).start(
    'starting',
  );
  return {
    show: (text) => {
      spinner.text = text;
    },
    clear: () => spinner.clear(),
    resume: () => spinner.render(),
    stop: () => spinner.stop(),
  };
}
