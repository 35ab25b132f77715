import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { projectAddress } from '../../../scripts/build/address.mjs';
import { runAction } from '../github/action.js';
import { DONE, filled, runSteps, type Runner, type Step } from '../github/steps.js';
import { LeftFiles, machine, runShell, type Job, type JobResult, type Site } from './jobs.js';

const { slug } = projectAddress();

type Texts = Readonly<Record<string, string>>;

interface JobText {
  readonly needs?: string | readonly string[];
  readonly strategy?: { readonly matrix: { readonly include: readonly Texts[] } };
  readonly outputs?: Texts;
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly env: Texts;
  readonly jobs: Readonly<Record<string, JobText>>;
}

/** The jobs of a workflow of examples/github. */
export function githubJobs(text: string, site: Site, run: string): Job[] {
  const workflow = parse(text.replaceAll('ghcr.io', site.registry)) as Workflow;
  const { username, password } = site.user;
  const github = {
    actor: username,
    token: password,
    ref_name: 'v1.0',
    run_id: run,
    run_attempt: '1',
  };
  const env = filled(workflow.env, { github });
  const needs: Record<string, { outputs: Texts }> = {};
  const artifacts = new LeftFiles();
  return Object.entries(workflow.jobs).flatMap(([id, job]) => {
    const before = [job.needs ?? []].flat();
    const rows = job.strategy?.matrix.include ?? [{}];
    return rows.map((matrix, i): Job => ({
      name: rows.length > 1 ? `${id} ${i}` : id,
      needs: before.flatMap((name) => {
        const { length } = workflow.jobs[name]?.strategy?.matrix.include ?? [{}];
        return length > 1 ? Array.from({ length }, (_, row) => `${name} ${row}`) : [name];
      }),
      run: async (): Promise<JobResult> => {
        const own = runnerOf(site, env, artifacts);
        const runner = { temp: own.env['RUNNER_TEMP'] };
        const result = await runSteps(job.steps, { github, env, matrix, needs, runner }, own);
        needs[id] = { outputs: filled(job.outputs, { steps: result.steps }) };
        return result;
      },
    }));
  });
}

function runnerOf(site: Site, env: Texts, artifacts: LeftFiles): Runner {
  const own = machine(site);
  const docker = async (...words: string[]) => {
    const quoted = words.map((word) => `'${word}'`).join(' ');
    const script = `printf %s "$PASSWORD" | docker ${quoted}`;
    const result = await runShell(script, own.home, {
      ...runner.env,
      PASSWORD: site.user.password,
    });
    return { ...DONE, ...result };
  };
  const temp = path.join(own.home, 'temp');
  mkdirSync(temp);
  const runner: Runner = {
    workspace: own.home,
    env: { ...own.env, ...env, RUNNER_TEMP: temp },
    uses: async (action, inputs) => {
      switch (action.replace(/@.*/, '')) {
        case slug:
          return runAction(inputs, runner);
        case 'docker/login-action': {
          const { username = '', registry = '' } = inputs;
          return docker('login', '--username', username, '--password-stdin', registry);
        }
        case 'docker/build-push-action': {
          const { platforms = '', tags = '', outputs } = inputs;
          if (outputs !== undefined) {
            const output = outputs.replace('type=image,', `type=image,name=${tags},`);
            const file = path.join(temp, 'build.json');
            const options = ['--platform', platforms, '--metadata-file', file, '--output', output];
            const result = await docker('buildx', 'build', ...options, '.');
            if (result.code !== 0) return result;
            const metadata = JSON.parse(readFileSync(file, 'utf8')) as Texts;
            return { ...result, outputs: { digest: metadata['containerimage.digest']! } };
          }
          const built = await docker('build', '--platform', platforms, '--tag', tags, '.');
          return built.code === 0 ? docker('push', tags) : built;
        }
        case 'actions/upload-artifact':
          artifacts.keep(inputs['name']!, temp, inputs['path']!);
          return DONE;
        case 'actions/download-artifact':
          artifacts.restore(inputs['pattern']!.replace('*', ''), path.dirname(inputs['path']!));
          return DONE;
        case 'actions/checkout':
        case 'docker/setup-buildx-action':
          return DONE;
        default:
          throw new Error(`the test does not know ${action}`);
      }
    },
  };
  return runner;
}
