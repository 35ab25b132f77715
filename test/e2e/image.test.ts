import { chmodSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spawnCli } from '../support/cli.js';
import { docker, dockerOutput } from '../support/docker-run.js';
import { startEngine, type Engine } from '../support/engine.js';
import { basic, getManifest } from '../support/http.js';
import { startRegistry, USER, type Registry } from '../support/registry.js';
import { seedParityImages } from '../support/seed.js';
import { auths, Folder } from '../adversarial/support/files.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const IMAGE = 'local/manifest-tool:test';
const AUTHORIZATION = basic(USER.username, USER.password);

const folder = new Folder();
let engine: Engine;
let base: string;
let open: Registry;
let closed: Registry;
/** What the program says that the image is made of. */
let version: string;

/** A base with Node and what a shell script needs; the engine of a user pulls the public one of the Dockerfile. */
async function makeBase(): Promise<string> {
  if (engine.isOfUser) return 'node:24-slim';
  const tools = ['sh', 'chmod', 'cp', 'env', 'id', 'ln', 'mkdir', 'cat', 'sleep'];
  return engine.make({
    repository: 'local/node',
    tag: '20',
    programs: {
      '/usr/local/bin/node': process.execPath,
      ...Object.fromEntries(tools.map((name) => [`/bin/${name}`, name])),
      '/usr/bin/env': 'env',
    },
    folders: ['/tmp', '/proc'],
  });
}

beforeAll(async () => {
  [engine, open, closed] = await Promise.all([
    startEngine(),
    startRegistry(),
    startRegistry({ htpasswd: true }),
  ]);
  base = await makeBase();
  version = (await spawnCli(['--version']).done).stdout;
  await Promise.all([
    seedParityImages(open.host, { repositories: ['docker/app'] }),
    seedParityImages(closed.host, { repositories: ['docker/app'], authorization: AUTHORIZATION }),
  ]);
  const bases = engine.isOfUser
    ? []
    : ['--build-arg', `BASE=${base}`, '--build-arg', `BUILDER=${base}`];
  const offline = ['--network', 'none', '--build-arg', 'DIST=context', '--tag', IMAGE, ROOT];
  await dockerOutput('build', ...bases, ...offline);
}, 180_000);

afterAll(async () => {
  await Promise.all([open?.stop(), closed?.stop(), engine?.stop()]);
});

/** `docker run` in the network of this machine, where the registries are, with more options of it. */
function run(options: readonly string[], ...args: readonly string[]) {
  return docker('run', '--rm', '--network', 'host', ...options, IMAGE, ...args);
}

function pushArguments(host: string, tag: string): string[] {
  const app = `${host}/docker/app`;
  const args = ['--platforms', 'linux/amd64,linux/s390x', '--template', `${app}:OS-ARCH`];
  return ['push', 'from-args', ...args, '--target', `${app}:${tag}`];
}

/** A config.json that everybody may read, to be mounted. */
function configFor(config: object): string {
  return path.join(folder.dockerConfig(config), 'config.json');
}

describe('the image', () => {
  it('is small beyond its base', async () => {
    const size = async (name: string): Promise<number> =>
      Number(await dockerOutput('image', 'inspect', '--format', '{{.Size}}', name));
    const added = (await size(IMAGE)) - (await size(base));
    expect(added).toBeGreaterThan(500_000);
    expect(added).toBeLessThan(2_000_000);
  });

  it('holds the program, its licences and certificates, and nothing else of the sources', async () => {
    const script = 'cd /opt/manifest-tool && echo * dist/* /home/nonroot/*';
    const { stdout } = await run(['--entrypoint', 'sh'], '-c', script);
    expect(stdout.trim()).toBe('LICENSE THIRD-PARTY-LICENSES bin dist dist/cli /home/nonroot/*');
    const bundle = ['/etc/ssl/certs/ca-certificates.crt'];
    const certificates = await run(['--entrypoint', 'cat'], ...bundle);
    expect(certificates.stdout.match(/-----BEGIN CERTIFICATE-----/g)!.length).toBeGreaterThan(100);
  });

  it('runs as a user who is not root, and who may be any', async () => {
    const id = ['--entrypoint', 'id'];
    expect((await run(id, '-u')).stdout).toBe('65532\n');
    expect(await dockerOutput('image', 'inspect', '--format', '{{.Config.User}}', IMAGE)).toBe(
      '65532:65532',
    );
    const other = await run(['--user', '1234:1234'], '--version');
    expect(other).toMatchObject({ code: 0, stdout: version });
  });

  it('shows the help where nothing is asked for', async () => {
    const { code, stdout } = await run([]);
    expect(code).toBe(0);
    expect(stdout).toContain('push from-spec');
  });

  it('is manifest-tool for scripts inside of it as well', async () => {
    const { stdout } = await run(['--entrypoint', 'sh'], '-c', 'manifest-tool --version');
    expect(stdout).toBe(version);
  });
});

/** As a cluster that trusts nothing runs it. */
const LOCKED = ['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'];

describe('a container', () => {
  it('inspects an image, on a root file system that cannot be written', async () => {
    const result = await run(LOCKED, 'inspect', `${open.host}/docker/app:linux-amd64`);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toContain('Arch: amd64');
  });

  it('publishes with a config.json that is mounted, on such a file system', async () => {
    const config = configFor(auths(closed.host, USER.username, USER.password));
    const mount = ['--volume', `${config}:/home/nonroot/.docker/config.json:ro`];
    const result = await run([...LOCKED, ...mount], ...pushArguments(closed.host, 'mounted'));
    expect(result).toMatchObject({ code: 0 });
    const options = { authorization: AUTHORIZATION };
    const { digest } = await getManifest(closed.host, 'docker/app', 'mounted', options);
    expect(result.stdout).toContain(`Digest: ${digest}`);
  });

  it('publishes a spec of a directory that is mounted at /work', async () => {
    const app = `${open.host}/docker/app`;
    const file = folder.write(
      'work/app.yaml',
      `image: ${app}:spec\nmanifests:\n  - image: ${app}:linux-amd64\n`,
    );
    const mount = ['--volume', `${path.dirname(file)}:/work:ro`];
    expect(await run([...LOCKED, ...mount], 'push', 'from-spec', 'app.yaml')).toMatchObject({
      code: 0,
    });
    expect((await getManifest(open.host, 'docker/app', 'spec')).status).toBe(200);
  });

  it.each([
    ['2, wrong use', ['inspect'], 2],
    ['3, not found', ['inspect', '{open}/docker/app:none'], 3],
    ['4, not authenticated', ['inspect', '{closed}/docker/app:linux-amd64'], 4],
  ])('passes the exit code on: %s', async (_what, args, code) => {
    const filled = args.map((arg) =>
      arg.replace('{open}', open.host).replace('{closed}', closed.host),
    );
    const result = await run([], ...filled);
    expect(result).toMatchObject({ code, stdout: '' });
    expect(result.stderr).toMatch(/^manifest-tool: .+ failed: /);
  });
});

describe('a container that is stopped', () => {
  let silent: Server;
  let asked: Promise<void>;

  beforeAll(async () => {
    let tell = (): void => {};
    asked = new Promise((resolve) => {
      tell = resolve;
    });
    silent = createServer(() => tell());
    await new Promise<void>((resolve) => {
      silent.listen(0, '127.0.0.1', resolve);
    });
  });

  afterAll(() => {
    silent.closeAllConnections();
    silent.close();
  });

  it('ends with 130 at once, as the first process that it is', async () => {
    const { port } = silent.address() as AddressInfo;
    const args = ['inspect', `127.0.0.1:${port}/app:1`];
    const id = await dockerOutput('run', '--detach', '--network', 'host', IMAGE, ...args);
    await asked;
    // Docker would kill it after that time, with 137.
    await dockerOutput('stop', '--time', '60', id);
    expect(await dockerOutput('wait', id)).toBe('130');
    expect((await docker('logs', id)).stderr).toContain('interrupted');
    await dockerOutput('rm', id);
  });
});

describe('a credential helper on top', () => {
  it('is what docs/guides/container.md says', async () => {
    const page = readFileSync(path.join(ROOT, 'docs/guides/container.md'), 'utf8');
    const [, lines] = /```dockerfile\n([^`]+)```/.exec(page)!;
    const text = lines!
      .replace(/^FROM .*$/m, `FROM ${IMAGE}`)
      .replaceAll('docker-credential-ecr-login', 'docker-credential-fake');
    expect(text.trim().split('\n')).toEqual([
      `FROM ${IMAGE}`,
      'COPY docker-credential-fake /usr/local/bin/',
    ]);
    const context = folder.directory();
    folder.write(path.join(context, 'Dockerfile'), text);
    const answer = JSON.stringify({ Username: USER.username, Secret: USER.password });
    const script = `#!/bin/sh\necho '${answer}'\n`;
    chmodSync(folder.write(path.join(context, 'docker-credential-fake'), script), 0o755);
    await dockerOutput('build', '--network', 'none', '--tag', 'local/with-helper', context);

    const config = configFor({ credHelpers: { [closed.host]: 'fake' } });
    const mount = ['--volume', `${config}:/home/nonroot/.docker/config.json:ro`];
    const options = ['run', '--rm', '--network', 'host', ...LOCKED, ...mount];
    const push = pushArguments(closed.host, 'helped');
    expect(await docker(...options, 'local/with-helper', ...push)).toMatchObject({ code: 0 });
    const read = { authorization: AUTHORIZATION };
    expect((await getManifest(closed.host, 'docker/app', 'helped', read)).status).toBe(200);
  });
});
