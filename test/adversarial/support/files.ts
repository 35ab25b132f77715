import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A folder of a test file, removed when its process ends. */
export class Folder {
  readonly path = mkdtempSync(path.join(tmpdir(), 'mt-trust-'));
  private count = 0;

  constructor() {
    process.once('exit', () => this.remove());
  }

  /** A new directory in it. */
  directory(): string {
    this.count += 1;
    const made = path.join(this.path, `d${this.count}`);
    mkdirSync(made);
    return made;
  }

  /** Writes a file, with the directories to it. */
  write(name: string, content: string): string {
    const file = path.isAbsolute(name) ? name : path.join(this.path, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
    return file;
  }

  /** A directory with this config.json, for DOCKER_CONFIG. */
  dockerConfig(config: object): string {
    const directory = this.directory();
    this.write(path.join(directory, 'config.json'), JSON.stringify(config));
    return directory;
  }

  /** A credential helper: a shell script that is run after it has written down what it is asked. */
  helper(directory: string, suffix: string, script: string): { readonly asked: () => string[] } {
    const file = this.write(
      path.join(directory, `docker-credential-${suffix}`),
      `#!/bin/sh\nread -r host\necho "$1 $host" >> "$0.log"\n${script}\n`,
    );
    chmodSync(file, 0o755);
    return {
      asked: () => {
        try {
          return readFileSync(`${file}.log`, 'utf8').trim().split('\n');
        } catch {
          return [];
        }
      },
    };
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** An `auths` entry as docker login writes it. */
export function auths(key: string, username: string, password: string): object {
  return { auths: { [key]: { auth: base64(`${username}:${password}`) } } };
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** A PATH with this directory before all else. */
export function pathWith(directory: string): string {
  return `${directory}:${process.env['PATH'] ?? ''}`;
}
