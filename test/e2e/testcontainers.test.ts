import type { StartedTestContainer } from 'testcontainers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { startEngine, type Engine } from '../support/engine.js';
import { getManifest } from '../support/http.js';
import { readFixture, seedParityImages } from '../support/seed.js';

interface Recorded {
  readonly stdout: string;
  readonly refs: Readonly<Record<string, { readonly digest: string; readonly body: string }>>;
}

const RECORDED = (JSON.parse(readFixture('cases.json')) as Readonly<Record<string, Recorded>>)[
  'args-two'
]!;

let engine: Engine;
let container: StartedTestContainer | undefined;
let host: string;

beforeAll(async () => {
  engine = await startEngine();
  const { GenericContainer, Wait } = await import('testcontainers');
  try {
    container = await new GenericContainer(engine.image)
      .withExposedPorts(5000)
      .withWaitStrategy(Wait.forHttp('/v2/', 5000).forStatusCode(200).withReadTimeout(200))
      .start();
  } catch (cause) {
    const hint = 'the tests need a Docker engine: run scripts/test/setup.sh, or start Docker';
    throw new Error(`no registry in a container (${String(cause)}); ${hint}`, { cause });
  }
  host = `${container.getHost()}:${container.getMappedPort(5000)}`;
  await seedParityImages(host, { repositories: ['docker/app'] });
});

afterAll(async () => {
  await container?.stop();
  await engine?.stop();
});

it('publishes to a registry in a container what manifest-tool publishes, to the byte', async () => {
  const args = 'push from-args --platforms linux/amd64,linux/s390x --template'.split(' ');
  const result = await runCli([
    ...args,
    `${host}/docker/app:OS-ARCH`,
    '--target',
    `${host}/docker/app:out-args-two`,
  ]);
  expectCode(result, 0);
  expect(result.stdout).toBe(RECORDED.stdout);
  const recorded = RECORDED.refs['docker/app:out-args-two']!;
  const published = await getManifest(host, 'docker/app', 'out-args-two');
  expect(published).toMatchObject({ digest: recorded.digest, body: recorded.body });
});

it('shows what it has published', async () => {
  const result = await runCli(['inspect', `${host}/docker/app:out-args-two`]);
  expectCode(result, 0);
  expect(result.stdout).toContain(RECORDED.refs['docker/app:out-args-two']!.digest);
  expect(result.stdout).toContain('Contains 2 manifest references (2 images, 0 attestation)');
});
