import { readFileSync } from 'node:fs';

/** A task of a guide: the commands of another tool for it, and those of manifest-tool, each in its order. */
export interface Step {
  readonly task: string;
  readonly old: readonly string[];
  readonly now: readonly string[];
}

/** The steps of a guide: rows of its tables of three columns, and blocks of code that begin with "```sh new". */
export function stepsOf(file: string): Step[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  const steps: Step[] = [];
  for (let i = 0; i < lines.length; i += 1) {
    const line = lines[i]!;
    if (line === '```sh new') {
      const end = lines.indexOf('```', i);
      const script = lines.slice(i + 1, end).join('\n');
      for (const command of script.replaceAll(/\\\n */g, '').split('\n')) {
        if (!command.startsWith('#')) steps.push({ task: command, old: [], now: [command] });
      }
      i = end;
    }
    const cells = line.startsWith('|') ? line.slice(2, -2).split(' | ') : [];
    const isHead = lines[i + 1]?.startsWith('| ---') === true;
    if (cells.length !== 3 || isHead || line.startsWith('| ---')) continue;
    const [task, old, now] = cells as [string, string, string];
    steps.push({ task, old: commands(old), now: commands(now) });
  }
  return steps;
}

function commands(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, command]) => command!);
}
