import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { rootCertificates } from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  certsRoots,
  findHostDirectory,
  readCertificates,
  MAX_PEM_BYTES,
  readText,
} from '../../../../src/http/connect/certs-d.js';

let scratch: string;
const [one = '', two = ''] = rootCertificates;

beforeEach(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), 'certs-d-'));
});

afterEach(() => rm(scratch, { recursive: true, force: true }));

async function put(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(scratch, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

/** The directory of a host below two roots, from the temporary directory on. */
function find(host: string, platform: NodeJS.Platform = 'linux'): string | undefined {
  const roots = { certsRoots: [path.join(scratch, 'first'), path.join(scratch, 'second')] };
  const found = findHostDirectory(host, { env: {}, platform, ...roots });
  return found === undefined ? undefined : path.relative(scratch, found);
}

test('the roots are those of podman, then of docker', () => {
  const options = { env: { HOME: '/home/a' }, platform: 'linux' } as const;
  const system = ['/etc/containers/certs.d', '/etc/docker/certs.d'];
  expect(certsRoots(options)).toEqual([
    '/home/a/.config/containers/certs.d',
    ...system,
    '/home/a/.config/docker/certs.d',
  ]);
  expect(certsRoots({ ...options, homeDir: '/root' })[0]).toBe('/root/.config/containers/certs.d');
  expect(certsRoots({ ...options, env: {} })).toEqual(system);
  const windows = { env: { PROGRAMDATA: 'C:\\ProgramData' }, platform: 'win32' } as const;
  expect(certsRoots(windows)).toEqual(['C:\\ProgramData\\docker\\certs.d']);
  expect(certsRoots({ ...windows, env: {} })).toEqual([]);
});

test('the first directory that exists is taken, empty or not, and the port has to be the same', async () => {
  await put({ 'second/a.example:5000/ca.crt': one, 'second/b.example/ca.crt': one });
  await mkdir(path.join(scratch, 'first/b.example'), { recursive: true });
  expect(find('a.example:5000')).toBe('second/a.example:5000');
  expect(find('a.example')).toBeUndefined();
  expect(find('a.example:5001')).toBeUndefined();
  expect(find('b.example')).toBe('first/b.example');
  expect(find('b.example:443')).toBeUndefined();
});

test('a file is no directory of a host, nor is one out of the roots', async () => {
  await put({ 'first/a.example': '', 'second/a.example/ca.crt': one });
  expect(find('a.example')).toBe('second/a.example');
  for (const host of ['..', '.', '', '../first', 'x\\y']) expect(find(host)).toBeUndefined();
});

test('Docker Hub is looked up by both of its names', async () => {
  await put({ 'first/registry-1.docker.io/ca.crt': one, 'second/docker.io/ca.crt': one });
  expect(find('docker.io')).toBe('first/registry-1.docker.io');
  expect(find('registry-1.docker.io')).toBe('first/registry-1.docker.io');
  await mkdir(path.join(scratch, 'first/docker.io'));
  expect(find('docker.io')).toBe('first/docker.io');
});

test('on Windows the name of a directory has no colon', async () => {
  await put({ 'first/a.example5000/ca.crt': one });
  expect(find('a.example:5000', 'win32')).toBe('first/a.example5000');
  expect(find('a.example:5000')).toBeUndefined();
});

test('reads authorities and all pairs, by name', async () => {
  await put({
    'ca.crt': `# a comment\n${one.replaceAll('\n', '\r\n')}\n${two}`,
    'other.crt': 'not one',
    'README.md': one,
    'b.cert': 'B',
    'b.key': 'KB',
    'a.cert': 'A',
    'a.key': 'KA',
  });
  expect(await readCertificates(scratch, true)).toEqual({
    ca: [one.trim(), two.trim()],
    clients: [
      { cert: 'A', key: 'KA' },
      { cert: 'B', key: 'KB' },
    ],
  });
  expect(await readCertificates(scratch, false)).toEqual({
    ca: [one.trim(), two.trim()],
    clients: [],
  });
});

test.each([
  ['x.cert', 'x.key is missing beside it'],
  ['x.key', 'x.cert is missing beside it'],
])('%s alone is an error that names it', async (name, why) => {
  await put({ [name]: '' });
  const what = `reading ${path.join(scratch, name)}`;
  await expect(readCertificates(scratch, true)).rejects.toThrow(
    expect.objectContaining({ code: 'CONFIG', what, why }),
  );
  expect(await readCertificates(scratch, false)).toEqual({ ca: [], clients: [] });
});

test('a directory or file that cannot be read is an error that names it', async () => {
  const gone = path.join(scratch, 'gone');
  await expect(readCertificates(gone, true)).rejects.toThrow(
    expect.objectContaining({
      code: 'CONFIG',
      message: `reading ${gone} failed: no such file or directory`,
    }),
  );
  await mkdir(path.join(scratch, 'ca.crt'));
  await expect(readCertificates(scratch, true)).rejects.toThrow(/ca\.crt failed: .*EISDIR/);
});

test('a file that is too large is an error that names the limit', async () => {
  await put({ 'ca.crt': 'x'.repeat(MAX_PEM_BYTES + 1) });
  const file = path.join(scratch, 'ca.crt');
  await expect(readText(file)).rejects.toMatchObject({
    code: 'CONFIG',
    what: `reading ${file}`,
    why: 'it is larger than 16 MiB',
  });
});
