import { findCommands } from '../args/parse.js';
import { helpText } from '../args/help.js';
import type { Context } from '../command.js';

/**
 * Prints the help of the program, of a group or of a command, as `--help` does.
 * @throws {ManifestToolError} USAGE if there is no such command.
 */
export async function run({ args, io }: Context<'help'>): Promise<void> {
  const path = findCommands(args.words);
  io.stdout.write(helpText(path, io.stdout.columns, args.all));
}
