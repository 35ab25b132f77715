import { expect } from 'vitest';
import { runCli, type CliResult, type RunOptions } from '../../support/cli.js';

/** A command line that fails, and what it has to say. */
export interface Failing extends RunOptions {
  readonly args: readonly string[];
  /** 2 where it is not given: most are about what was typed. */
  readonly code?: number;
  /** What the error line says. */
  readonly says: RegExp;
  /** What the hint says to try. */
  readonly hint: RegExp;
}

/** Runs a failing command line twice: as lines, and as events with the same hint. */
export async function expectHint(row: Failing): Promise<void> {
  const message = await expectTwoLines(row);
  const asEvents = await runCli(['--progress=json', ...row.args], row);
  const events = asEvents.stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const error = events.at(-1)!;
  expect(error).toMatchObject({ event: 'error', exitCode: row.code ?? 2 });
  expect(`manifest-tool: ${String(error['message'])}`).toMatch(row.says);
  expect(error['hint']).toMatch(row.hint);
  expect(events.filter(({ event }) => event === 'error')).toHaveLength(1);
  expect(message).toMatch(row.says);
}

/** Runs it once, and returns the error line; of a command line that cannot be read nobody knows yet whether it wants events. */
export async function expectTwoLines(row: Failing): Promise<string> {
  const result = await runCli(row.args, row);
  const [message, hint] = twoLines(result);
  expect(message).toMatch(row.says);
  expect(hint).toMatch(row.hint);
  expect(result.code).toBe(row.code ?? 2);
  return message;
}

/** The error line and the hint, which are everything but warnings and indented details. */
function twoLines({ stderr }: CliResult): [message: string, hint: string] {
  const lines = stderr
    .split('\n')
    .filter((line) => line !== '' && !/^(?: {2}|manifest-tool: warning: )/.test(line));
  expect(lines).toHaveLength(2);
  const [message, line] = lines as [string, string];
  expect(message).toMatch(/^manifest-tool: \S.* failed: \S/);
  expect(line).toMatch(/^hint: \S.*[^.]$/);
  const hint = line.slice('hint: '.length);
  // It says what the message does not.
  expect(message).not.toContain(hint);
  return [message, hint];
}
