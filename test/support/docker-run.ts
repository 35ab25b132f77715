import { execFile } from 'node:child_process';
import type { DockerResult } from './docker.js';

/** Runs docker's client against the engine that DOCKER_HOST names. */
export function docker(...args: readonly string[]): Promise<DockerResult> {
  return new Promise((resolve) => {
    const options = { env: process.env, maxBuffer: 16 * 1024 * 1024, timeout: 120_000 };
    execFile('docker', args, options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}

/** The same where it has to succeed; returns what it printed, without the end of the line. */
export async function dockerOutput(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await docker(...args);
  if (code !== 0)
    throw new Error(`docker ${args.join(' ')} ended with ${code}: ${stderr}${stdout}`);
  return stdout.trim();
}
