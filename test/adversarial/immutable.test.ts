import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { FakeRegistry, pushArguments } from './support/fake-registry.js';
import {
  failure,
  json,
  startScripted,
  type Answer,
  type ScriptedServer,
  type Seen,
} from './support/scripted.js';

let server: ScriptedServer;
let registry: FakeRegistry;
let refuse: (request: Seen) => Answer | undefined;

beforeAll(async () => {
  server = await startScripted((request) => {
    const refused = request.method === 'PUT' ? refuse(request) : undefined;
    return refused ?? registry.answer(request);
  });
});

beforeEach(() => {
  server.requests.length = 0;
  registry = new FakeRegistry();
  registry.addPlatforms('x');
  refuse = () => undefined;
});

afterAll(() => server.stop());

const push = (...options: string[]): Promise<CliResult> =>
  runCli([...pushArguments(`${server.host}/x`, `${server.host}/x`), ...options]);

const tagPuts = (tag: string): Seen[] =>
  server.requests.filter(({ method, path }) => method === 'PUT' && path.endsWith(`/${tag}`));

const REGISTRIES: [string, () => Answer][] = [
  [
    'ECR',
    () =>
      failure(
        400,
        'TAG_INVALID',
        "The image tag 'out' already exists in the 'x' repository and cannot be overwritten because the tag is immutable.",
      ),
  ],
  [
    'Harbor',
    () =>
      failure(
        412,
        'PRECONDITION',
        "Failed to process request due to 'x:out' configured as immutable.",
      ),
  ],
  ['Docker Hub', () => failure(403, 'DENIED', 'This tag is immutable')],
  ['Quay', () => failure(409, 'TAG_ERROR', 'tag is immutable and cannot be overwritten')],
  [
    'Artifact Registry',
    () => failure(400, 'FAILED_PRECONDITION', 'the repository has enabled tag immutability'),
  ],
  ['Azure', () => failure(405, 'UNSUPPORTED', 'the tag is locked and immutable')],
  [
    'the detail',
    () =>
      json(400, {
        errors: [
          {
            code: 'MANIFEST_INVALID',
            message: 'manifest invalid',
            detail: { reason: 'the tag is immutable' },
          },
        ],
      }),
  ],
  ['a text', () => ({ status: 403, body: 'the tag is immutable' })],
];

describe('test 19: tags that do not move', () => {
  it.each(REGISTRIES)('%s, and the tag holds this very list: done', async (_, refusal) => {
    expectCode(await push(), 0);
    refuse = ({ path }) => (path.endsWith('/out') ? refusal() : undefined);
    server.requests.length = 0;
    const again = await push();
    expectCode(again, 0);
    expect(again.stdout).toMatch(/^Digest: sha256:/);
  });

  it('a tag that holds this very list is not written again, and called unchanged', async () => {
    expectCode(await push(), 0);
    server.requests.length = 0;
    const again = await push();
    expectCode(again, 0);
    expect(tagPuts('out')).toEqual([]);
    expect(again.stderr).toContain('unchanged');
  });

  it.each(REGISTRIES)('%s, and the tag holds another one: told, tried once', async (_, refusal) => {
    registry.addImage('x', 'out', { text: 'another one' });
    refuse = ({ path }) => (path.endsWith('/out') ? refusal() : undefined);
    const result = await push('--tags', 'other-1,other-2');
    expect(result.code).not.toBe(0);
    expect(result.stdout).toBe('');
    expect(tagPuts('out')).toHaveLength(1);
    expect(result.stderr).toMatch(/immutab|the registry does not allow overwriting it/);
    expect(result.stderr).toMatch(/not published: out/);
    for (const tag of ['other-1', 'other-2']) {
      expect(registry.manifests.has(`x:${tag}`)).toBe(true);
      expect(result.stderr).toMatch(new RegExp(`published ${server.host}/x:${tag}`));
    }
  });

  it.each(REGISTRIES)('%s: exit code 6, refused to overwrite', async (_, refusal) => {
    registry.addImage('x', 'out', { text: 'another one' });
    refuse = ({ path }) => (path.endsWith('/out') ? refusal() : undefined);
    expectCode(await push(), 6);
  });
});

describe('test 20: many tags', () => {
  it('each is written and told of, in a registry that knows nothing of ?tag=', async () => {
    const result = await push('--tags', 'a,b,c,d');
    expectCode(result, 0);
    for (const tag of ['out', 'a', 'b', 'c', 'd']) {
      expect(registry.manifests.get(`x:${tag}`)?.digest).toBe(
        registry.manifests.get('x:out')!.digest,
      );
      expect(result.stderr).toContain(`published ${server.host}/x:${tag}\n`);
      expect(tagPuts(tag)).toHaveLength(1);
    }
  });

  it('one that fails does not keep the others from moving', async () => {
    refuse = ({ path }) => (path.endsWith('/b') ? failure(400, 'TAG_INVALID', 'no') : undefined);
    const result = await push('--tags', 'a,b,c,d');
    expectCode(result, 1);
    expect(result.stderr).toMatch(/not published: b$/m);
    for (const tag of ['out', 'a', 'c', 'd']) expect(registry.manifests.has(`x:${tag}`)).toBe(true);
  });
});
