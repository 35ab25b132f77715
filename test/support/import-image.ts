import { execFile, spawn } from 'node:child_process';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';

/** An image that is made of what is installed on this machine. */
export interface LocalImage {
  readonly repository: string;
  readonly tag: string;
  /** Where in the image programs are put that are here found in PATH, or at an absolute path. */
  readonly programs: Readonly<Record<string, string>>;
  readonly folders?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  /** Instructions of a Dockerfile. */
  readonly changes?: readonly string[];
}

const run = promisify(execFile);

/** Makes an image of programs and the libraries that they are linked with, in the engine at this socket; `rootfs` is filled for it. */
export async function importImage(
  socket: string,
  rootfs: string,
  image: LocalImage,
): Promise<void> {
  for (const folder of image.folders ?? []) {
    await mkdir(path.join(rootfs, folder), { recursive: true });
  }
  for (const [target, name] of Object.entries(image.programs)) {
    const program = (await run('sh', ['-c', 'command -v "$0"', name])).stdout.trim();
    const linked = await run('ldd', [program]).catch(() => ({ stdout: '' }));
    const libraries = [...linked.stdout.matchAll(/(\/\S+) \(0x/g)].map(([, file]) => file!);
    await copyTo(rootfs, program, target);
    for (const library of libraries) await copyTo(rootfs, library, library);
  }
  for (const [name, content] of Object.entries(image.files ?? {})) {
    await writeFile(path.join(rootfs, name), content);
  }
  const { repository: repo, tag, changes = [] } = image;
  const query = new URLSearchParams({ fromSrc: '-', repo, tag });
  for (const change of changes) query.append('changes', change);
  const tar = spawn('tar', ['-C', rootfs, '-c', '.'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const url = `/images/create?${query.toString()}`;
  const { status, body } = await engineRequest(socket, 'POST', url, tar.stdout);
  if (status !== 200 || body.includes('"error"'))
    throw new Error(`the engine took no image ${repo}:${tag}: ${status} ${body}`);
}

async function copyTo(rootfs: string, from: string, name: string): Promise<void> {
  const target = path.join(rootfs, name);
  await mkdir(path.dirname(target), { recursive: true });
  await copyFile(from, target);
}

/** One request to the engine's API (https://docs.docker.com/reference/api/engine/). */
export function engineRequest(
  socketPath: string,
  method: string,
  url: string,
  body?: NodeJS.ReadableStream,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/x-tar' };
    const request = http.request(
      { socketPath, method, path: url, headers, agent: false },
      (response) => {
        text(response).then(
          (answer) => resolve({ status: response.statusCode ?? 0, body: answer }),
          reject,
        );
      },
    );
    request.on('error', reject);
    if (body === undefined) request.end();
    else body.pipe(request);
  });
}
