/** Step of the Action: runs manifest-tool with the inputs, and passes its result to the job. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../project.mjs';
import { commandLine, inputsOf } from './inputs.mjs';
import { summary } from './summary.mjs';
import { addSummary, annotation, setOutput, silence } from './workflow.mjs';

const PROGRAM = fileURLToPath(new URL('../../bin/manifest-tool.cjs', import.meta.url));

function argumentsOrError() {
  try {
    return commandLine(inputsOf(process.env));
  } catch (error) {
    process.stdout.write(annotation('error', `reading the inputs failed: ${messageOf(error)}`));
    process.exitCode = 2;
    return undefined;
  }
}

/** @param {readonly string[]} args */
async function publish(args) {
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
  process.exitCode = code;
  handOver(printed.trim());
  annotate(said, code);
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

/** Writes outputs, summary and log of the result; if some targets failed, it names the others. @param {string} printed */
function handOver(printed) {
  if (printed === '') return;
  const { begin, end } = silence();
  process.stdout.write(`::group::Result\n${begin}${printed}\n${end}::endgroup::\n`);
  const documents = documentsOf(printed);
  if (documents === undefined) return;
  const digests = documents.flatMap(({ digest }) => digest ?? []);
  setOutput(process.env, 'digest', digests.join('\n'));
  setOutput(process.env, 'json', printed);
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

/** Annotates the job with warnings and errors, an error together with its hint. @param {string} said @param {number} code */
function annotate(said, code) {
  const pattern = /^manifest-tool: (warning: )?(.*)(\nhint: .*)?$/gm;
  /** @type {{ level: 'error' | 'warning', message: string }[]} */
  const messages = [...said.matchAll(pattern)].map(([, warning, message, hint = '']) => {
    return { level: warning === undefined ? 'error' : 'warning', message: `${message}${hint}` };
  });
  if (code !== 0 && !messages.some(({ level }) => level === 'error')) {
    messages.push({ level: 'error', message: `manifest-tool ended with exit code ${code}` });
  }
  for (const { level, message } of messages) process.stdout.write(annotation(level, message));
}

const args = argumentsOrError();
if (args !== undefined) await publish(args);
