import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { getManifest, sha256 } from '../support/http.js';
import { startRegistry, type Registry } from '../support/registry.js';
import { readFixture, seedParityImages } from '../support/seed.js';

/** What a reference holds afterwards: a manifest, or (with `status`) nothing. */
interface Held {
  readonly status?: number;
  readonly digest?: string;
  readonly mediaType?: string;
  readonly size?: number;
  readonly body?: string;
}

interface Case {
  readonly args: readonly string[];
  readonly spec?: string;
  readonly exit: number;
  readonly stdout?: string;
  readonly refs: Readonly<Record<string, Held>>;
}

const CASES = JSON.parse(readFixture('cases.json')) as Readonly<Record<string, Case>>;

let registry: Registry;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'parity-'));
  registry = await startRegistry();
  await seedParityImages(registry.host);
});

afterAll(async () => {
  await registry.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('manifest-tool v2.2.1 and this program do the same', () => {
  it.each(Object.entries(CASES))('%s', async (_, each) => {
    const fill = (text: string): string =>
      text.replaceAll('{R}', registry.host).replaceAll('{F}', folder);
    if (each.spec !== undefined) writeFileSync(path.join(folder, 'spec.yaml'), fill(each.spec));

    const result = await runCli(each.args.map(fill));

    if (each.exit === 0) expectCode(result, 0);
    else expect(result.code).not.toBe(0);
    if (each.stdout !== undefined) expect(result.stdout).toBe(fill(each.stdout));
    const references = Object.entries(each.refs);
    const held = await Promise.all(
      references.map(async ([name, { status }]) => hold(name, status)),
    );
    expect(Object.fromEntries(held)).toEqual(each.refs);
  });
});

/** What a reference holds now, in the form of the record. */
async function hold(name: string, recorded: number | undefined): Promise<[string, Held]> {
  const colon = name.lastIndexOf(':');
  const repository = name.slice(0, colon);
  const { status, ...rest } = await getManifest(registry.host, repository, name.slice(colon + 1));
  if (recorded !== undefined || status !== 200) return [name, { status }];
  // The digest that the registry tells is not taken on trust.
  const { mediaType = '', body, size } = rest;
  return [name, { mediaType, digest: sha256(body), size, body }];
}
