import { spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../github/action.js';

export interface JobResult {
  readonly code: number;
  readonly log: string;
}

/** A job of a pipeline. */
export interface Job {
  readonly name: string;
  /** Names of jobs that have to be done before. */
  readonly needs: readonly string[];
  run(): Promise<JobResult>;
}

/** What all pipelines of a test have in common. */
export interface Site {
  readonly folder: string;
  /** Host of the registry, which stands in for that of the examples. */
  readonly registry: string;
  readonly user: { readonly username: string; readonly password: string };
  /** On top of what jobs get: what docker.sh reads. */
  readonly env: Readonly<Record<string, string>>;
}

/** Runs jobs as soon as those are done that they need; those behind one that fails are left out. Results by name. */
export async function runJobs(jobs: readonly Job[]): Promise<Map<string, JobResult>> {
  const results = new Map<string, JobResult>();
  const running = new Map<string, Promise<boolean>>();
  const start = (job: Job): Promise<boolean> => {
    const known = running.get(job.name);
    if (known !== undefined) return known;
    const done = Promise.all(
      job.needs.map((name) => {
        const needed = jobs.find((each) => each.name === name);
        if (needed === undefined) throw new Error(`${job.name} needs ${name}, which is no job`);
        return start(needed);
      }),
    ).then(async (before) => {
      if (before.includes(false)) return false;
      const result = await job.run();
      results.set(job.name, result);
      return result.code === 0;
    });
    running.set(job.name, done);
    return done;
  };
  await Promise.all(jobs.map(start));
  return results;
}

/** A machine of its own for a job: an empty home, and docker and manifest-tool in PATH. */
export function machine({ folder, env }: Site): { home: string; env: Record<string, string> } {
  const home = mkdtempSync(path.join(folder, 'job-'));
  const bin = path.join(home, 'bin');
  mkdirSync(bin);
  const program = path.join(ROOT, 'bin/manifest-tool.cjs');
  writeFileSync(
    path.join(bin, 'manifest-tool'),
    `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`,
  );
  copyFileSync(fileURLToPath(new URL('docker.sh', import.meta.url)), path.join(bin, 'docker'));
  for (const name of ['manifest-tool', 'docker']) chmodSync(path.join(bin, name), 0o755);
  return {
    home,
    env: {
      PATH: `${bin}:${process.env['PATH']}`,
      HOME: home,
      LAYOUT: path.join(ROOT, 'fixtures/layout'),
      ...env,
    },
  };
}

/** Files that jobs leave for others: artifacts and stashes, by name. */
export class LeftFiles {
  private readonly byName = new Map<string, Map<string, Buffer>>();

  /** Keeps the files of a directory of a job, or one file of it. At least one. */
  keep(name: string, home: string, what: string): void {
    const place = path.resolve(home, what.replace(/\/\*?$/, ''));
    const isFile = statSync(place).isFile();
    const files = isFile ? [place] : readdirSync(place).map((each) => path.join(place, each));
    if (files.length === 0) throw new Error(`${what} has no files`);
    const kept = files.map((file) => [path.relative(home, file), readFileSync(file)] as const);
    this.byName.set(name, new Map(kept));
  }

  /** Puts the files of all names that begin so where another job looks for them. */
  restore(start: string, home: string): void {
    const names = [...this.byName.keys()].filter((name) => name.startsWith(start));
    if (names.length === 0) throw new Error(`no job left ${start}`);
    for (const [file, content] of names.flatMap((name) => [...this.byName.get(name)!])) {
      mkdirSync(path.dirname(path.join(home, file)), { recursive: true });
      writeFileSync(path.join(home, file), content);
    }
  }
}

/** Runs a script with `sh -e`, as GitLab and Jenkins do. */
export async function runShell(
  script: string,
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<JobResult & { readonly stdout: string }> {
  const child = spawn('sh', ['-e', '-c', script], { cwd, env });
  let log = '';
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
    log += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    log += chunk;
  });
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve(status ?? 1));
  });
  return { code, log, stdout };
}
