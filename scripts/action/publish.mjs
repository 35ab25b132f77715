/** Step of the Action: runs manifest-tool with the inputs and passes its result to the job. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../project.mjs';
import { commandLine, inputsOf } from './inputs.mjs';
import { outputsOf } from './outputs.mjs';
import { summary } from './summary.mjs';
import { addSummary, annotation, setOutput, silence } from './workflow.mjs';

const PROGRAM = fileURLToPath(new URL('../../bin/manifest-tool.cjs', import.meta.url));

function commandOrError() {
  try {
    return commandLine(inputsOf(process.env));
  } catch (error) {
    process.stdout.write(annotation('error', `reading the inputs failed: ${messageOf(error)}`));
    process.exitCode = 2;
    return undefined;
  }
}

/** Publishes or verifies. @param {ReturnType<typeof commandLine>} command */
async function run({ args, acceptsMetadataFile }) {
  const folder = mkdtempSync(path.join(process.env['RUNNER_TEMP'] || tmpdir(), 'manifest-tool-'));
  const metadataFile = path.join(folder, 'metadata.json');
  try {
    const files = acceptsMetadataFile ? [`--metadata-file=${metadataFile}`] : [];
    const { printed, said, code } = await runProgram([...files, ...args]);
    process.exitCode = code;
    handOver(printed.trim(), acceptsMetadataFile ? textOf(metadataFile) : '');
    annotate(said, code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {readonly string[]} args */
async function runProgram(args) {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM']))
    process.on(signal, () => child.kill(signal));
  /** @type {Promise<number>} */
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
  // The runner reads both streams of a step separately; in one stream they stay in order.
  const [printed, said, code] = await Promise.all([text(child.stdout), show(child.stderr), ended]);
  return { printed, said, code };
}

/** Empty for a file that a refused command did not open. @param {string} file */
function textOf(file) {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}

/** Shows what the program reports while it runs, and returns it. @param {import('node:stream').Readable} stream */
async function show(stream) {
  const { begin, end } = silence();
  let said = '';
  process.stdout.write(begin);
  stream.setEncoding('utf8');
  for await (const chunk of stream) {
    said += chunk;
    process.stdout.write(chunk);
  }
  process.stdout.write(`${said === '' || said.endsWith('\n') ? '' : '\n'}${end}`);
  return said;
}

/**
 * Writes outputs, summary and log of the result; if some targets failed, the outputs have the
 * others.
 * @param {string} printed
 * @param {string} metadata
 */
function handOver(printed, metadata) {
  if (printed === '') return;
  const { begin, end } = silence();
  process.stdout.write(`::group::Result\n${begin}${printed}\n${end}::endgroup::\n`);
  const documents = documentsOf(printed);
  if (documents === undefined) return;
  const outputs = { ...outputsOf(documents), json: printed, metadata };
  for (const [name, value] of Object.entries(outputs)) setOutput(process.env, name, value);
  // Those of query and verify have no target: nothing was published.
  const published = documents.filter(({ target }) => target !== undefined);
  if (published.length > 0) addSummary(process.env, summary(published));
}

/**
 * The documents of `--json`; undefined if a command printed something else, as --help does.
 * @param {string} printed
 * @returns {import('./summary.mjs').Published[] | undefined}
 */
function documentsOf(printed) {
  try {
    return [JSON.parse(printed)].flat();
  } catch {
    return undefined;
  }
}

/**
 * Annotates the job with warnings and errors, an error together with its hint.
 * @param {string} said
 * @param {number} code
 */
function annotate(said, code) {
  // An error with several causes has a line for each of them.
  const pattern = /^manifest-tool: (warning: )?(.*(?:\n {2}.*)*)(\nhint: .*)?$/gm;
  /** @type {{ level: 'error' | 'warning', message: string }[]} */
  const messages = [...said.matchAll(pattern)].map(([, warning, message, hint = '']) => {
    return { level: warning === undefined ? 'error' : 'warning', message: `${message}${hint}` };
  });
  if (code !== 0 && !messages.some(({ level }) => level === 'error')) {
    messages.push({ level: 'error', message: `manifest-tool ended with exit code ${code}` });
  }
  for (const { level, message } of messages) process.stdout.write(annotation(level, message));
}

const command = commandOrError();
if (command !== undefined) await run(command);
