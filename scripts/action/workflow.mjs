/** How a step speaks to the runner: https://docs.github.com/actions/reference/workflow-commands-for-github-actions */
import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';

/** `::error::` or `::warning::`, with a message of any characters. */
export function annotation(level, message) {
  const data = message.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  return `::${level} title=manifest-tool::${data}\n`;
}

/**
 * The lines between which the runner takes nothing for a command. What a registry says gets into the log, and the runner looks for
 * `##[` anywhere in a line.
 */
export function silence() {
  const token = randomUUID();
  return { begin: `::stop-commands::${token}\n`, end: `::${token}::\n` };
}

/** An output of the step; no value can end the text, because nobody knows the delimiter before. */
export function setOutput(env, name, value) {
  const delimiter = `end-${randomUUID()}`;
  append(env.GITHUB_OUTPUT, `${name}<<${delimiter}\n${value}\n${delimiter}\n`);
}

export function addSummary(env, markdown) {
  append(env.GITHUB_STEP_SUMMARY, markdown);
}

/** Runners before version 2.300 and other programs that run Actions have not all of these files. */
function append(file, text) {
  if (file !== undefined && file !== '') appendFileSync(file, text);
}
