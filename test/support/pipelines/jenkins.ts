import { LeftFiles, machine, runShell, type Job, type Site } from './jobs.js';

/** A block of a declarative pipeline: `stage('x') { … }`. */
interface Block {
  readonly head: string;
  readonly blocks: Block[];
  /** All that stands between its braces. */
  text: string;
}

const PIECE = /\/\/.*|'''[\s\S]*?'''|'[^'\n]*'|"[^"\n]*"|[{}\n]|[^{}\n'"/]+|\//g;

/** Of the steps that the examples have: a variable and a script; a stash and what it includes; a stash. */
const STEP =
  /(?:env\.(\w+) = sh\(returnStdout: true, script: |sh )'''([\s\S]*?)'''|\bstash name: '(.+?)', includes: '(.+?)'|\bunstash '(.+?)'/g;

/** The stages of a Jenkinsfile of examples/jenkins, as jobs: those of `parallel` beside each other, all others in order. */
export function jenkinsJobs(text: string, site: Site, run: string): Job[] {
  const pipeline = child(blockOf(text), 'pipeline');
  const env: Record<string, string> = { BUILD_NUMBER: run, TAG_NAME: 'v1.0' };
  for (const line of child(pipeline, 'environment').text.trim().split('\n')) {
    const [, name, value] = /^\s*(\w+) = (.+)$/.exec(line) ?? [];
    if (name === undefined) continue;
    if (value === "credentials('registry')") {
      env[`${name}_USR`] = site.user.username;
      env[`${name}_PSW`] = site.user.password;
    } else
      env[name] = value!.slice(1, -1).replaceAll(/\$\{(\w+)\}/g, (_, other: string) => env[other]!);
  }
  const stashes = new LeftFiles();
  const jobs: Job[] = [];
  let before: string[] = [];
  for (const stage of child(pipeline, 'stages').blocks) {
    const together = stage.blocks.find(({ head }) => head === 'parallel')?.blocks ?? [stage];
    const added = together.map((each) => jobOf(each, before, env, { site, stashes }));
    jobs.push(...added);
    before = added.map(({ name }) => name);
  }
  return jobs;
}

function jobOf(
  stage: Block,
  needs: readonly string[],
  env: Record<string, string>,
  { site, stashes }: { readonly site: Site; readonly stashes: LeftFiles },
): Job {
  const [, name] = /^stage\('(.*)'\)$/.exec(stage.head)!;
  const steps = child(stage, 'steps').text;
  const found = [...steps.matchAll(STEP)];
  if (found.length === 0) throw new Error(`stage ${name} runs nothing`);
  return {
    name: name!,
    needs,
    run: async () => {
      const own = machine(site);
      let log = '';
      for (const [, variable, script, stashed, includes, unstashed] of found) {
        if (stashed !== undefined) stashes.keep(stashed, own.home, includes!);
        if (unstashed !== undefined) stashes.restore(unstashed, own.home);
        if (script === undefined) continue;
        const local = script.replaceAll('registry.example.com', site.registry);
        const result = await runShell(local, own.home, { ...own.env, ...filled(env, site) });
        log += result.log;
        if (result.code !== 0) return { code: result.code, log };
        if (variable !== undefined) env[variable] = result.stdout.trim();
      }
      return { code: 0, log };
    },
  };
}

function filled(env: Readonly<Record<string, string>>, { registry }: Site): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [
      name,
      value.replaceAll('registry.example.com', registry),
    ]),
  );
}

function blockOf(text: string): Block {
  const open: Block[] = [{ head: '', blocks: [], text: '' }];
  let line = '';
  for (const [piece] of text.matchAll(PIECE)) {
    if (piece === '{') {
      const block = { head: line.trim(), blocks: [], text: '' };
      open.at(-1)!.blocks.push(block);
      open.push(block);
    } else if (piece === '}') {
      const done = open.pop()!;
      if (open.length === 0) throw new Error('a brace too many');
      open.at(-1)!.text += `{${done.text}}`;
    } else if (!piece.startsWith('//')) open.at(-1)!.text += piece;
    line = piece === '{' || piece === '}' || piece === '\n' ? '' : line + piece;
  }
  if (open.length !== 1) throw new Error('a brace is missing');
  return open[0]!;
}

function child(block: Block, head: string): Block {
  const found = block.blocks.find((each) => each.head === head);
  if (found === undefined) throw new Error(`there is no ${head} in ${block.head}`);
  return found;
}
