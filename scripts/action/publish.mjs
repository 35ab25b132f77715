/** Step of the Action: runs manifest-tool with what the inputs say, and hands its result to the job. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { commandLine, inputsOf } from './inputs.mjs';
import { summary } from './summary.mjs';
import { addSummary, annotation, setOutput, silence } from './workflow.mjs';

const PROGRAM = fileURLToPath(new URL('../../bin/manifest-tool.cjs', import.meta.url));

function argumentsOrError() {
  try {
    return commandLine(inputsOf(process.env));
  } catch (error) {
    process.stdout.write(annotation('error', `reading the inputs failed: ${error.message}`));
    process.exitCode = 2;
    return undefined;
  }
}

async function publish(args) {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
  // Both streams of a step come to the runner on ways of their own: in one stream they stay in order.
  const [printed, said, code] = await Promise.all([text(child.stdout), tell(child.stderr), ended]);
  process.exitCode = code;
  handOver(printed.trim());
  annotate(said, code);
}

/** Shows what the program says while it runs, and returns it. */
async function tell(stream) {
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

/** Outputs, summary and log of the result; where targets failed, it tells of those where it did not. */
function handOver(printed) {
  if (printed === '') return;
  const { begin, end } = silence();
  process.stdout.write(`::group::Result\n${begin}${printed}\n${end}::endgroup::\n`);
  const documents = documentsOf(printed);
  if (documents === undefined) return;
  const digests = documents.flatMap(({ digest }) => digest ?? []);
  setOutput(process.env, 'digest', digests.join('\n'));
  setOutput(process.env, 'json', printed);
  // Others, of query and verify, are about what was published before.
  const published = documents.filter(({ target }) => target !== undefined);
  if (published.length > 0) addSummary(process.env, summary(published));
}

/** The documents of `--json`; nothing for a command that has printed something else, as --help does. */
function documentsOf(printed) {
  try {
    return [JSON.parse(printed)].flat();
  } catch {
    return undefined;
  }
}

/** Warnings and errors where GitHub shows them, an error together with its hint. */
function annotate(said, code) {
  const pattern = /^manifest-tool: (warning: )?(.*)(\nhint: .*)?$/gm;
  const messages = [...said.matchAll(pattern)].map(([, warning, message, hint = '']) => {
    return [warning === undefined ? 'error' : 'warning', `${message}${hint}`];
  });
  if (code !== 0 && !messages.some(([level]) => level === 'error')) {
    messages.push(['error', `manifest-tool ended with exit code ${code}`]);
  }
  for (const [level, message] of messages) process.stdout.write(annotation(level, message));
}

const args = argumentsOrError();
if (args !== undefined) await publish(args);
