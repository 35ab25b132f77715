import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** What docker's client did. */
export interface DockerResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `docker manifest inspect` of the client in PATH, which needs no engine for it, with a home of its own. */
export async function dockerManifestInspect(
  reference: string,
  isVerbose: boolean,
): Promise<DockerResult> {
  const home = await mkdtemp(path.join(tmpdir(), 'docker-home-'));
  const args = ['manifest', 'inspect', '--insecure', ...(isVerbose ? ['-v'] : []), reference];
  // Clients before version 20.10 want it.
  const env = { HOME: home, PATH: process.env['PATH'], DOCKER_CLI_EXPERIMENTAL: 'enabled' };
  try {
    return await new Promise((resolve) => {
      execFile('docker', args, { env }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      });
    });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** The major version of docker's client in PATH. */
export function dockerMajor(): number {
  const text = execFileSync('docker', ['--version'], { encoding: 'utf8' });
  return Number(/version (\d+)/.exec(text)![1]);
}
