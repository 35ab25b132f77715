/**
 * Workflow commands, by which a step talks to the runner:
 * https://docs.github.com/actions/reference/workflow-commands-for-github-actions
 */
import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';

/** An annotation of the job, with a message of any characters. @param {'error' | 'warning'} level @param {string} message */
export function annotation(level, message) {
  const data = message.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  return `::${level} title=manifest-tool::${data}\n`;
}

/**
 * Lines between which the runner executes no commands: the log contains text from registries, and
 * the runner looks for `##[` anywhere in a line.
 */
export function silence() {
  const token = randomUUID();
  return { begin: `::stop-commands::${token}\n`, end: `::${token}::\n` };
}

/**
 * Sets an output of the step. The delimiter is random, so that no value can contain it.
 * @param {NodeJS.ProcessEnv} env
 * @param {string} name
 * @param {string} value
 */
export function setOutput(env, name, value) {
  const delimiter = `end-${randomUUID()}`;
  append(env['GITHUB_OUTPUT'], `${name}<<${delimiter}\n${value}\n${delimiter}\n`);
}

/** @param {NodeJS.ProcessEnv} env @param {string} markdown */
export function addSummary(env, markdown) {
  append(env['GITHUB_STEP_SUMMARY'], markdown);
}

/** Runners before version 2.300, and other programs that run Actions, lack some of these files. @param {string | undefined} file @param {string} text */
function append(file, text) {
  if (file !== undefined && file !== '') appendFileSync(file, text);
}
