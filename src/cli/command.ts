import type { Arguments, CommandName } from './args/commands.js';
import type { Io } from './io.js';
import type { Reporter } from './progress/reporter.js';

/** The streams and the reporter of a command. */
export interface Surroundings {
  readonly io: Io;
  readonly reporter: Reporter;
}

/**
 * Arguments and surroundings of a command; the types of the arguments come from its definition
 * (args/commands).
 */
export interface Context<N extends CommandName> extends Surroundings {
  readonly args: Arguments<N>;
}

/** The implementation of a command: each module in commands/ exports one as `run`. */
export type Run<N extends CommandName> = (context: Context<N>) => Promise<void>;
