import { suggestion } from '../../text.js';
import { usageError } from '../args/values.js';
import type { Run } from '../command.js';

const SCRIPTS: ReadonlyMap<string, () => Promise<{ script(): string }>> = new Map([
  ['bash', () => import('../args/completion/bash.js')],
  ['zsh', () => import('../args/completion/zsh.js')],
  ['fish', () => import('../args/completion/fish.js')],
]);

/** `completion SHELL`. */
export const run: Run<'completion'> = async ({ args: { shell }, io }) => {
  const load = SCRIPTS.get(shell);
  if (load === undefined) {
    throw usageError(
      `there is no completion script for ${JSON.stringify(shell)}${suggestion(shell, SCRIPTS.keys())}`,
      'the shells are bash, zsh and fish',
    );
  }
  io.stdout.write((await load()).script());
};
