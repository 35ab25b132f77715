import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fillIn, holds, type Contexts } from './expressions.js';

/** A step of a job or of a composite Action, as YAML has it. */
export interface Step {
  readonly id?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly shell?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly 'continue-on-error'?: boolean;
}

export interface StepResult {
  readonly code: number;
  /** Standard output and error, in the order in which they came. */
  readonly log: string;
  readonly summary: string;
  readonly outputs: Readonly<Record<string, string>>;
}

export interface Runner {
  readonly workspace: string;
  /** Environment of all steps; steps that install something change it. */
  readonly env: Record<string, string>;
  /** Does what a step that `uses` something does. */
  uses(action: string, inputs: Readonly<Record<string, string>>): Promise<StepResult>;
  /** Cancels the job. */
  readonly cancelled?: Promise<void>;
}

export interface StepsResult extends StepResult {
  readonly steps: Readonly<Record<string, { readonly outputs: StepResult['outputs'] }>>;
}

/** What a step that does nothing here leaves. */
export const DONE: StepResult = { code: 0, log: '', summary: '', outputs: {} };

/** Runs steps one after another, to the first that fails. */
export async function runSteps(
  steps: readonly Step[],
  contexts: Contexts,
  runner: Runner,
): Promise<StepsResult> {
  const byId: Record<string, { outputs: StepResult['outputs'] }> = {};
  let all = DONE;
  for (const step of steps) {
    const known = { ...contexts, steps: byId };
    if (step.if !== undefined && !holds(step.if, known)) continue;
    const result =
      step.uses === undefined
        ? await runScript(step, known, runner)
        : await runner.uses(step.uses, filled(step.with, known));
    if (step.id !== undefined) byId[step.id] = { outputs: result.outputs };
    const { outputs } = result;
    const code = step['continue-on-error'] === true ? 0 : result.code;
    all = { code, outputs, log: all.log + result.log, summary: all.summary + result.summary };
    if (code !== 0) break;
  }
  return { ...all, steps: byId };
}

export function filled(
  values: Readonly<Record<string, unknown>> = {},
  contexts: Contexts,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, fillIn(String(value), contexts)]),
  );
}

/** The command of `shell: bash`, and that of a step of a job that names no shell: {0} is the script. */
const SHELLS: Readonly<Record<string, readonly string[]>> = {
  bash: ['--noprofile', '--norc', '-eo', 'pipefail'],
  '': ['-e'],
};

async function runScript(step: Step, contexts: Contexts, runner: Runner): Promise<StepResult> {
  const folder = await mkdtemp(path.join(tmpdir(), 'step-'));
  const file = (name: string): string => path.join(folder, name);
  const files = { GITHUB_OUTPUT: file('output'), GITHUB_STEP_SUMMARY: file('summary') };
  for (const name of Object.values(files)) await writeFile(name, '');
  await writeFile(file('script.sh'), fillIn(step.run!, contexts));
  const env = { ...runner.env, ...filled(step.env, contexts), ...files };
  try {
    const args = [...SHELLS[step.shell ?? '']!, file('script.sh')];
    const child = spawn('bash', args, { env, cwd: runner.workspace });
    void runner.cancelled?.then(() => child.kill('SIGINT'));
    let log = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (chunk: string) => (log += chunk));
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status, signal) => resolve(status ?? (signal === null ? 1 : 128)));
    });
    const outputs = readOutputs(await readFile(files.GITHUB_OUTPUT, 'utf8'));
    return { code, log, outputs, summary: await readFile(files.GITHUB_STEP_SUMMARY, 'utf8') };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** `name=value`, or `name<<DELIMITER`, lines, and the delimiter. */
function readOutputs(text: string): Record<string, string> {
  const outputs: Record<string, string> = {};
  const lines = text.split('\n');
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    if (line === '') continue;
    const [, name, sign, rest] = /^([\w-]+)(=|<<)(.*)$/.exec(line)!;
    if (sign === '=') {
      outputs[name!] = rest!;
      continue;
    }
    const end = lines.indexOf(rest!);
    if (end < 0) throw new Error(`the output ${name} does not end`);
    outputs[name!] = lines
      .splice(0, end + 1)
      .slice(0, -1)
      .join('\n');
  }
  return outputs;
}
