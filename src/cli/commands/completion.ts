import { suggestion } from '../../text.js';
import type { CommandSpec, Parsed } from '../command.js';
import type { Io } from '../io.js';
import { usageError } from '../args/usage.js';

const SCRIPTS: ReadonlyMap<
  string,
  () => Promise<{ script(commands: readonly CommandSpec[]): string }>
> = new Map([
  ['bash', () => import('../args/completion/bash.js')],
  ['zsh', () => import('../args/completion/zsh.js')],
  ['fish', () => import('../args/completion/fish.js')],
]);

/** `completion SHELL`, for these commands: they cannot be imported here, as they lead to this one. */
export function completionOf(commands: readonly CommandSpec[]) {
  return {
    async run(parsed: Parsed, io: Io): Promise<void> {
      const shell = parsed.positionals[0]!;
      const load = SCRIPTS.get(shell);
      if (load === undefined) {
        throw usageError(
          `there is no completion for ${JSON.stringify(shell)}${suggestion(shell, SCRIPTS.keys())}`,
          'there is one for bash, zsh and fish',
        );
      }
      io.stdout.write((await load()).script(commands));
    },
  };
}
