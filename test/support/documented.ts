import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseReference } from '../../src/oci/reference.js';
import { expectCode, runCli } from './cli.js';
import { imageFor } from './images.js';
import { startRegistry, type Registry } from './registry.js';

const BIN = fileURLToPath(new URL('../../bin/manifest-tool.cjs', import.meta.url));

export interface ShellResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A real registry and a directory, in which command lines of the documentation run as a shell runs them. */
export class Workplace {
  private constructor(
    readonly registry: Registry,
    /** The working directory of all commands; HOME is inside it, and nothing of it is the user's. */
    readonly folder: string,
  ) {}

  static async make(): Promise<Workplace> {
    const folder = mkdtempSync(path.join(tmpdir(), 'mt-documented-'));
    mkdirSync(path.join(folder, 'home/.config/fish/completions'), { recursive: true });
    mkdirSync(path.join(folder, 'bin'));
    const shim = path.join(folder, 'bin/manifest-tool');
    writeFileSync(shim, `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`);
    chmodSync(shim, 0o755);
    return new Workplace(await startRegistry(), folder);
  }

  /** A text with the registries of the documentation replaced by this one. */
  local(text: string): string {
    const { host } = this.registry;
    return text
      .replaceAll(
        /\b(?:registry\.|other\.)?example\.com(?=\/)|\bghcr\.io(?=\/acme\/)|\blocalhost:5000\b/g,
        host,
      )
      .replaceAll(/(?<=\s)traefik(?=\s|$)/g, `${host}/library/traefik`);
  }

  /** Runs a command line, its references made {@link local}, with the built `manifest-tool` in PATH. */
  run(line: string, { stdin = '', shell = ['bash', '-c'] } = {}): Promise<ShellResult> {
    const [file, ...args] = shell as [string, ...string[]];
    const env = {
      PATH: `${this.folder}/bin:${process.env['PATH']}`,
      HOME: `${this.folder}/home`,
      // Clients of docker before version 20.10 want it.
      DOCKER_CLI_EXPERIMENTAL: 'enabled',
    };
    return new Promise((resolve) => {
      const options = { cwd: this.folder, env, timeout: 60_000 };
      const child = execFile(
        file,
        [...args, this.local(line)],
        options,
        (error, stdout, stderr) => {
          resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
        },
      );
      child.stdin!.on('error', () => {});
      child.stdin!.end(stdin);
    });
  }

  /** Makes an image: in the registry, or in a layout of the folder. */
  async image(name: string, architecture: string, kind: 'docker' | 'oci' = 'oci'): Promise<void> {
    await imageFor(parseReference(this.place(name)), { os: 'linux', architecture }, kind);
  }

  /** Makes a list of images that are there. */
  async list(name: string, sources: readonly string[]): Promise<void> {
    const words = ['--target', this.place(name), ...sources.map((source) => this.place(source))];
    expectCode(await runCli(['create', ...words]), 0);
  }

  /** Writes a file of the folder, its references made {@link local}. */
  write(name: string, text: string): void {
    writeFileSync(path.join(this.folder, name), this.local(text));
  }

  private place(name: string): string {
    return this.local(name).replace('oci-layout://', `oci-layout://${this.folder}/`);
  }

  async stop(): Promise<void> {
    await this.registry.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
