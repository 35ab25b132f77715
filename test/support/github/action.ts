import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { filled, runSteps, type Runner, type Step, type StepResult } from './steps.js';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

interface ActionFile {
  readonly inputs: Readonly<Record<string, { readonly default?: string }>>;
  readonly outputs: Readonly<Record<string, { readonly value: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
}

/** action.yml at the root of this repository. */
export const ACTION = parse(readFileSync(path.join(ROOT, 'action.yml'), 'utf8')) as ActionFile;

/** Runs the Action that lies in `folder`, with inputs as `with:` has them. */
export async function runAction(
  inputs: Readonly<Record<string, string>>,
  runner: Runner,
  folder = ROOT,
): Promise<StepResult> {
  // The runner only warns of it; here it is a mistake of a test or an example.
  for (const name of Object.keys(inputs))
    if (!(name in ACTION.inputs)) throw new Error(`the Action has no input ${name}`);
  const defaults = Object.entries(ACTION.inputs).map(([name, input]) => [
    name,
    input.default ?? '',
  ]);
  const env: Record<string, string> = { ...runner.env, GITHUB_ACTION_PATH: folder };
  const contexts = { inputs: { ...Object.fromEntries(defaults), ...inputs } };
  const inside: Runner = {
    ...runner,
    env,
    uses: async (action, given) => {
      const result = await runner.uses(action, given);
      env['PATH'] = runner.env['PATH']!;
      return result;
    },
  };
  const result = await runSteps(ACTION.runs.steps, contexts, inside);
  const values = Object.entries(ACTION.outputs).map(([name, { value }]) => [name, value]);
  return { ...result, outputs: filled(Object.fromEntries(values), { steps: result.steps }) };
}
