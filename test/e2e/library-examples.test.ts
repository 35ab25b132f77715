import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compile, pack, projectWith, run, type Packed } from '../support/package.js';
import { startRegistry, USER, type Registry } from '../support/registry.js';

/** Every example of the documentation, compiled against the package and run in order, as a reader would. */

const DOCUMENTS = ['README.md', 'docs/library.md'];

interface Example {
  /** `FILE:LINE`. */
  readonly place: string;
  readonly code: string;
  /** What it prints, where the document says so. */
  readonly output: string | undefined;
}

const EXAMPLES = DOCUMENTS.flatMap((document): Example[] => {
  const text = readFileSync(document, 'utf8');
  const blocks = text.matchAll(/^```ts\n([\s\S]*?)^```\n(?:\n```text\n([\s\S]*?)^```)?/gm);
  return [...blocks].map((block) => ({
    place: `${document}:${text.slice(0, block.index).split('\n').length}`,
    code: block[1]!,
    output: block[2],
  }));
});

let packed: Packed;
let folder: string;
let registry: Registry;
let guarded: Registry;

beforeAll(async () => {
  [registry, guarded] = await Promise.all([startRegistry(), startRegistry({ htpasswd: true })]);
  packed = await pack();
  folder = await projectWith(packed.tarball);
  await cp('fixtures/layout', path.join(folder, 'fixtures/layout'), { recursive: true });
  const files = EXAMPLES.map((_, i) => `example-${i}.ts`);
  await Promise.all(
    EXAMPLES.map(({ code }, i) => writeFile(path.join(folder, files[i]!), here(code))),
  );
  await compile(folder, files);
});

afterAll(async () => {
  await Promise.all([registry.stop(), guarded.stop()]);
  await Promise.all([packed.folder, folder].map((each) => rm(each, { recursive: true })));
});

/** The registries of the documents are those of this test. */
function here(text: string): string {
  return text
    .replaceAll('localhost:5000', registry.host)
    .replaceAll('localhost:5001', guarded.host);
}

describe('examples', () => {
  test.each(EXAMPLES.map(({ place }, i) => [place, i] as const))('%s', async (_, i) => {
    const env = { PATH: process.env['PATH'], HOME: folder, APP_PASSWORD: USER.password };
    const args = [`example-${i}.js`];
    const { stdout, stderr } = await run(process.execPath, args, { cwd: folder, env });
    expect(stderr).toBe('');
    const { output } = EXAMPLES[i]!;
    if (output !== undefined) expect(stdout.trimEnd()).toBe(here(output).trimEnd());
  });

  test('are found in every document, and most say what they print', async () => {
    for (const document of DOCUMENTS) {
      const fences = (await readFile(document, 'utf8')).match(/^```ts$/gm) ?? [];
      const found = EXAMPLES.filter(({ place }) => place.startsWith(`${document}:`));
      expect(found).toHaveLength(fences.length);
      expect(found.length).toBeGreaterThan(0);
    }
    expect(EXAMPLES.filter(({ output }) => output !== undefined).length).toBeGreaterThan(10);
  });
});
