import type { Io } from './io.js';
import type { OptionName } from './args/options.js';
import type { Reporter } from './progress/reporter.js';

/** The command line, read: words that are no options, and the options by their long names. */
export interface Parsed {
  readonly positionals: readonly string[];
  readonly switches: ReadonlySet<OptionName>;
  readonly values: ReadonlyMap<OptionName, readonly string[]>;
}

/** What a command of the command line is, as far as the help and the parser need to know it. */
export interface CommandSpec {
  /** The words that name it. */
  readonly path: readonly string[];
  readonly describe: string;
  /** Names of its arguments, for the help; the number of them is exact, but for a last one that ends in `...`: one or more. */
  readonly positionals: readonly string[];
  readonly options: readonly OptionName[];
  readonly required: readonly OptionName[];
  readonly examples: readonly (readonly [string, string])[];
  /** Loads the part that does it: nothing else of the command is on the start-up path. */
  readonly load: () => Promise<{ run(parsed: Parsed, io: Io, reporter: Reporter): Promise<void> }>;
}
