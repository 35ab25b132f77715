import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

const DRIVERS: Readonly<Record<Shell, readonly string[]>> = {
  bash: ['--norc', '--noprofile', driver('bash.sh')],
  zsh: ['-f', driver('zsh.zsh')],
  fish: ['--no-config', driver('fish.fish')],
};

/** What the real shell offers behind each of the lines, with the completion in the file `script`, in the order of their names. */
export function completions(shell: Shell, script: string, lines: readonly string[]): string[][] {
  const isBash = shell === 'bash';
  const { status, error, stdout, stderr } = spawnSync(
    shell,
    [...DRIVERS[shell], script, ...(isBash ? [] : lines)],
    {
      encoding: 'utf8',
      timeout: 60_000,
      input: isBash ? lines.map((line) => `${cut(line).join('\t')}\n`).join('') : '',
    },
  );
  if (error !== undefined) {
    throw new Error(`there is no ${shell} in PATH: scripts/test/setup.sh installs it`, {
      cause: error,
    });
  }
  if (status !== 0 || stderr !== '') throw new Error(`${shell} ended with ${status}: ${stderr}`);
  const answers = stdout.split('\u0001\n').slice(0, -1);
  if (answers.length !== lines.length) throw new Error(`${shell} answered ${stdout}`);
  return answers.map((answer, i) => {
    const words = answer.split('\n').filter((word) => word !== '' && !word.startsWith('= '));
    const known = isBash ? words.map((word) => `${cutOff(lines[i]!)}${word}`) : words;
    return [...new Set(known.map((word) => word.replace(/\/$/, '')))].toSorted();
  });
}

/** The words of a line as readline cuts them: at blanks, and before and behind `=` and `:`. */
function cut(line: string): string[] {
  return line.split(' ').flatMap((word) => word.match(/[=:]+|[^=:]+/g) ?? ['']);
}

/** What readline has cut off the last word, and thus is not part of an answer. */
function cutOff(line: string): string {
  return /[^ ]*[=:]/.exec(line.slice(line.lastIndexOf(' ') + 1))?.[0] ?? '';
}

function driver(name: string): string {
  return fileURLToPath(new URL(`shells/${name}`, import.meta.url));
}
