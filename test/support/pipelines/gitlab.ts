import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { LeftFiles, machine, runShell, type Job, type Site } from './jobs.js';

type Texts = Readonly<Record<string, string>>;

interface JobText {
  readonly extends?: string;
  readonly stage?: string;
  readonly needs?: readonly string[];
  readonly parallel?: { readonly matrix: readonly Readonly<Record<string, string[]>>[] };
  readonly variables?: Texts;
  readonly before_script?: readonly string[];
  readonly script?: readonly string[];
  readonly artifacts?: {
    readonly reports?: { readonly dotenv: string };
    readonly paths?: readonly string[];
  };
}

const NO_JOBS = new Set(['stages', 'workflow', 'variables']);
const KEYS = new Set(
  'extends stage needs parallel variables before_script script artifacts image services tags timeout'.split(
    ' ',
  ),
);

/** The jobs of a pipeline of examples/gitlab. */
export function gitlabJobs(text: string, site: Site, run: string): Job[] {
  const file = parse(text) as Readonly<Record<string, JobText>>;
  const stages = file['stages'] as unknown as readonly string[];
  const known = {
    CI_REGISTRY: site.registry,
    CI_REGISTRY_IMAGE: `${site.registry}/example/app`,
    CI_REGISTRY_USER: site.user.username,
    CI_REGISTRY_PASSWORD: site.user.password,
    CI_PIPELINE_ID: run,
    CI_COMMIT_TAG: 'v1.0',
  };
  const variables = expanded((file['variables'] ?? {}) as Texts, known);
  const fromJobs: Record<string, string> = {};
  const artifacts = new LeftFiles();
  let hasArtifacts = false;

  const jobs = Object.entries(file).flatMap(([name, own]) => {
    if (NO_JOBS.has(name) || name.startsWith('.')) return [];
    const job: JobText = { ...(own.extends === undefined ? {} : file[own.extends]), ...own };
    for (const key of Object.keys(job))
      if (!KEYS.has(key)) throw new Error(`the test does not know ${key} of ${name}`);
    return rowsOf(job).map((row) => ({ name: nameOf(name, row), row, job }));
  });
  return jobs.map(({ name, row, job }) => ({
    name,
    needs:
      job.needs ?? jobs.filter((each) => stageOf(each.job) < stageOf(job)).map((each) => each.name),
    run: async () => {
      const { home, env } = machine(site);
      // GitLab restores those of all earlier stages.
      if (hasArtifacts) artifacts.restore('', home);
      const all = { ...env, ...known, ...variables, ...job.variables, ...row, ...fromJobs };
      const script = [...(job.before_script ?? []), ...job.script!].join('\n');
      const result = await runShell(script, home, all);
      if (result.code === 0)
        for (const each of job.artifacts?.paths ?? []) {
          artifacts.keep(`${name} ${each}`, home, each);
          hasArtifacts = true;
        }
      const dotenv = job.artifacts?.reports?.dotenv;
      if (dotenv !== undefined && result.code === 0)
        for (const line of readFileSync(path.join(home, dotenv), 'utf8').trim().split('\n')) {
          const [, key, value] = /^(\w+)=(.*)$/.exec(line)!;
          fromJobs[key!] = value!;
        }
      return result;
    },
  }));

  function stageOf(job: JobText): number {
    const at = stages.indexOf(job.stage!);
    if (at < 0) throw new Error(`${job.stage} is no stage`);
    return at;
  }
}

function rowsOf(job: JobText): Texts[] {
  if (job.parallel === undefined) return [{}];
  return job.parallel.matrix.flatMap((row) => {
    const [[name, values] = ['', []], ...more] = Object.entries(row);
    if (more.length > 0) throw new Error('the test knows a matrix of one variable only');
    return values.map((value) => ({ [name]: value }));
  });
}

/** As GitLab names the jobs of a matrix. */
function nameOf(name: string, row: Texts): string {
  const values = Object.values(row);
  return values.length === 0 ? name : `${name}: [${values.join(', ')}]`;
}

function expanded(variables: Texts, known: Texts): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [
      name,
      value.replaceAll(/\$(\w+)/g, (_, other: string) => {
        if (known[other] === undefined)
          throw new Error(`${name} is made of ${other}, unknown here`);
        return known[other];
      }),
    ]),
  );
}
