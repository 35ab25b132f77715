import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../support/github/action.js';
import { basic, getManifest } from '../support/http.js';
import { githubJobs } from '../support/pipelines/github.js';
import { gitlabJobs } from '../support/pipelines/gitlab.js';
import { jenkinsJobs } from '../support/pipelines/jenkins.js';
import { runJobs, type Job, type JobResult, type Site } from '../support/pipelines/jobs.js';
import { startRegistry, USER, type Registry } from '../support/registry.js';
import { Folder } from '../adversarial/support/files.js';

/** The examples of pipelines: all of their jobs are run, in their order and beside each other, with a real registry that asks for a user. */

const folder = new Folder();
const AUTHORIZATION = basic(USER.username, USER.password);
let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry({ htpasswd: true });
});

afterAll(() => registry.stop());

interface System {
  readonly file: string;
  readonly jobs: (text: string, site: Site, run: string) => Job[];
  /** The repository of the example. */
  readonly repository: string;
}

const SYSTEMS: Readonly<Record<string, System>> = {
  github: { file: '{}.yml', jobs: githubJobs, repository: 'example/app' },
  gitlab: { file: '{}.gitlab-ci.yml', jobs: gitlabJobs, repository: 'example/app' },
  jenkins: { file: '{}.Jenkinsfile', jobs: jenkinsJobs, repository: 'team/app' },
};
let runs = 100;

describe.each(Object.entries(SYSTEMS))('%s', (name, system) => {
  const run = async (example: string, env: Record<string, string> = {}) => {
    runs += 1;
    const file = path.join(ROOT, 'examples', name, system.file.replace('{}', example));
    const site = { folder: folder.path, registry: registry.host, user: USER, env };
    const results = await runJobs(system.jobs(readFileSync(file, 'utf8'), site, String(runs)));
    return { results, run: String(runs) };
  };

  async function published(tag: string): Promise<{ digest: string; platforms: string[] }> {
    const options = { authorization: AUTHORIZATION };
    const found = await getManifest(registry.host, system.repository, tag, options);
    expect(found.status).toBe(200);
    const { manifests } = JSON.parse(found.body) as {
      manifests: { platform: { os: string; architecture: string } }[];
    };
    const platforms = manifests.map(({ platform }) => `${platform.os}/${platform.architecture}`);
    return { digest: found.digest!, platforms: platforms.toSorted() };
  }

  it('has these examples, and all of them are run here', () => {
    const files = ['add', 'digests', 'expect', 'wait'].map((each) =>
      system.file.replace('{}', each),
    );
    expect(readdirSync(path.join(ROOT, 'examples', name)).toSorted()).toEqual(files);
  });

  it('digests: the images that were pushed by digest, verified as they were published', async () => {
    const { results } = await run('digests');
    expectAllDone(results, 4);
    const { digest, platforms } = await published('v1.0');
    expect(platforms).toEqual(['linux/amd64', 'linux/arm64']);
    expect((await published('latest')).digest).toBe(digest);
    expect(results.get('verify')!.log).toContain(digest);
  });

  it('digests: moves no tag if a build left another platform', async () => {
    const before = await published('v1.0');
    const { results } = await run('digests', { AMD64: 'linux-ppc64le' });
    expect(results.get('publish')).toMatchObject({
      code: 6,
      log: expect.stringContaining('missing: linux/amd64') as string,
    });
    expect(results.has('verify')).toBe(false);
    expect(await published('v1.0')).toEqual(before);
  });

  it('wait: the job that publishes begins with the builds, and waits for them', async () => {
    const { results } = await run('wait', { SLOW: '2' });
    expectAllDone(results, 3);
    expect(results.get('publish')!.log).toContain('waiting: ');
    expect(results.get('publish')!.log).toContain('verified ');
    expect((await published('v1.0')).platforms).toEqual(['linux/amd64', 'linux/arm64']);
  });

  it('expect: publishes the first time, moves the tag the next time, and refuses where somebody else has moved it', async () => {
    expectAllDone((await run('expect')).results, 4);
    const first = await published('latest');
    expect(first.platforms).toEqual(['linux/amd64', 'linux/arm64']);

    expectAllDone((await run('expect', { AMD64: 'linux-ppc64le' })).results, 4);
    const second = await published('latest');
    expect(second.digest).not.toBe(first.digest);

    const rival = `${registry.host}/${system.repository}:latest`;
    const { results } = await run('expect', { RIVAL: rival });
    const publish = results.get('publish');
    if (publish === undefined) throw new Error(`a build failed: ${JSON.stringify([...results])}`);
    const { code, log } = publish;
    expect(code).toBe(6);
    expect(log).toContain(`is expected to point to ${second.digest}`);
  });

  it('add: each build brings in its own image', async () => {
    const { results, run: id } = await run('add', { SLOW: '1' });
    expectAllDone(results, name === 'gitlab' ? 4 : 2);
    const { platforms } = await published(`nightly-${id}`);
    expect(platforms).toEqual(['linux/amd64', 'linux/arm64']);
  });
});

function expectAllDone(results: ReadonlyMap<string, JobResult>, count: number): void {
  for (const [job, { code, log }] of results)
    if (code !== 0) throw new Error(`${job} ended with exit code ${code}: ${log}`);
  expect(results.size).toBe(count);
}
