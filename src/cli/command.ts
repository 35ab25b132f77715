import type { Arguments, CommandName } from './args/commands.js';
import type { Io } from './io.js';
import type { Reporter } from './progress/reporter.js';

/** What a command writes to and reads from, beside its arguments. */
export interface Surroundings {
  readonly io: Io;
  readonly reporter: Reporter;
}

/**
 * What a command runs with; the types of its arguments come from its definition (args/commands).
 */
export interface Context<N extends CommandName> extends Surroundings {
  readonly args: Arguments<N>;
}

/** The implementation of a command: each module in commands/ exports one as `run`. */
export type Run<N extends CommandName> = (context: Context<N>) => Promise<void>;
