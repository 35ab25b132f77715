import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import {
  FakeRegistry,
  makeImage,
  OCI_INDEX,
  OCI_MANIFEST,
  stored,
  type Stored,
} from './support/fake-registry.js';
import {
  addReferrer,
  apiAnswer,
  digestsUnder,
  indexOf,
  makeReferrer,
  page,
  tagOf,
} from './support/referrers.js';
import {
  failure,
  json,
  startScripted,
  type Answer,
  type ScriptedServer,
  type Seen,
} from './support/scripted.js';

const SIGNATURE = 'application/example.signature';
const BOM = 'application/example.bom';

let fake: FakeRegistry;
let server: ScriptedServer;
/** What the server answers to the referrers API; its other answers are those of a good registry. */
let referrersApi: (seen: Seen) => Answer;
/** Handles a request before the registry does. */
let before: (seen: Seen) => Answer | undefined;
let image: Stored;

beforeEach(async () => {
  fake = new FakeRegistry();
  image = fake.addImage('x', 'latest', { oci: true });
  referrersApi = () => failure(404, 'UNSUPPORTED', 'there is nothing there');
  before = () => undefined;
  server = await startScripted(
    (seen) =>
      before(seen) ?? (seen.path.includes('/referrers/') ? referrersApi(seen) : fake.answer(seen)),
  );
});

afterEach(() => server.stop());

/** Runs a command with the registry; `REG` stands for its host. */
function run(...args: string[]) {
  const named = args.map((arg) => arg.replaceAll('REG', server.host));
  return runCli([...named, '--retry', '1', '--retry-delay', '5ms']);
}

/** The digests of the referrers that `inspect` shows. */
async function shown(reference: string): Promise<string[]> {
  const result = await run('inspect', '--format', 'json', '--referrers', reference);
  expectCode(result, 0);
  const { referrers } = JSON.parse(result.stdout) as { referrers: { digest: string }[] };
  return referrers.map(({ digest }) => digest);
}

function putsOf(tag: string): Seen[] {
  return server.requests.filter(
    ({ method, path }) => method === 'PUT' && path.endsWith(`/manifests/${tag}`),
  );
}

/** Answers that a registry without the referrers API gives to it. */
const ABSENT: Record<string, () => Answer> = {
  '404': () => failure(404, 'UNSUPPORTED', 'no such API'),
  '404 with text': () => ({ status: 404, headers: { 'content-type': 'text/plain' }, body: '404' }),
  '400': () => failure(400, 'NAME_INVALID', 'invalid repository name'),
  '405': () => ({ status: 405 }),
  '406': () => ({ status: 406 }),
  '501': () => ({ status: 501 }),
  'a web page': () => ({
    status: 200,
    headers: { 'content-type': 'text/html' },
    body: '<!doctype html><p>hello</p>',
  }),
  '200 with {}': () => json(200, {}),
  '200 with errors': () => json(200, { errors: [{ code: 'UNSUPPORTED', message: 'no' }] }),
  '200 with text': () => ({ status: 200, body: 'OK' }),
  '200 with nothing': () => ({ status: 200 }),
  '200 with a manifest': () => ({
    status: 200,
    headers: { 'content-type': OCI_MANIFEST },
    body: makeImage({ oci: true, text: 'other' }).bytes,
  }),
  'an empty index': () => page([]),
};

describe('a registry whose first answer to the referrers API is', () => {
  it.each(Object.keys(ABSENT))('%s does not have it: the tag is read and written', async (name) => {
    referrersApi = ABSENT[name]!;
    const signature = addReferrer(fake, 'x', image, SIGNATURE);
    fake.addManifest('x', tagOf(image), indexOf([signature]));
    expect(await shown('REG/x:latest')).toEqual([signature.digest]);

    const bom = addReferrer(fake, 'y', image, BOM);
    expectCode(await run('copy', `REG/y@${bom.digest}`, `REG/x@${bom.digest}`), 0);
    expect(digestsUnder(fake, 'x', tagOf(image))).toEqual([signature.digest, bom.digest]);
  });

  it('the subject itself does not have it', async () => {
    const { bytes, digest } = fake.manifests.get('x:latest')!;
    referrersApi = () => ({ status: 200, headers: { 'content-type': OCI_MANIFEST }, body: bytes });
    const signature = addReferrer(fake, 'x', { ...image, digest }, SIGNATURE);
    fake.addManifest('x', tagOf(image), indexOf([signature]));
    expect(await shown('REG/x:latest')).toEqual([signature.digest]);
  });

  it.each([
    ['503', { status: 503 }, 5],
    ['403', failure(403, 'DENIED', 'no'), 4],
    ['an index that cannot be read', json(200, { manifests: [{ size: 1 }] }), 1],
  ])('%s fails', async (_, answer, code) => {
    referrersApi = () => answer;
    fake.addManifest('x', tagOf(image), indexOf([addReferrer(fake, 'x', image, SIGNATURE)]));
    expectCode(await run('inspect', '--format', 'json', '--referrers', 'REG/x:latest'), code);
  });
});

describe('a page of the referrers API after the first', () => {
  const next = (path: string) => ({ link: `<${path}>; rel="next"` });

  it.each<[string, Answer, number]>([
    ['is missing', failure(404, 'UNSUPPORTED', 'gone'), 3],
    ['fails', { status: 500 }, 5],
    ['is denied', failure(403, 'DENIED', 'no'), 4],
    ['is {}', json(200, {}), 1],
    ['is a web page', { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' }, 1],
    ['is a manifest', { status: 200, body: makeImage({ oci: true }).bytes }, 1],
    ['is text', { status: 200, body: 'OK' }, 1],
  ])('%s: an error and not a shorter list', async (_, answer, code) => {
    const signature = addReferrer(fake, 'x', image, SIGNATURE);
    referrersApi = ({ path, query }) =>
      query.has('page') ? answer : page([signature], next(`${path}?page=2`));
    const result = await run('inspect', '--format', 'json', '--referrers', 'REG/x:latest');
    expect(result.stdout).toBe('');
    expect(result.code).not.toBe(0);
    expectCode(result, code);
  });

  it('never ends: an error', async () => {
    let count = 0;
    referrersApi = ({ path }) => page([], next(`${path}?page=${(count += 1)}`));
    const result = await run('inspect', '--format', 'json', '--referrers', 'REG/x:latest');
    expectCode(result, 1);
    expect(count).toBeLessThan(2000);
  });
});

describe('a manifest with a subject that is pushed', () => {
  /** An index of an image and of an attestation whose subject is the image. */
  function addAttested(repository: string): { child: Stored; attestation: Stored } {
    const child = fake.addImage(repository, 'child', { oci: true, architecture: 'arm64' });
    const attestation = addReferrer(fake, repository, child, 'application/example.attestation');
    const descriptor = ({ mediaType, digest, bytes }: Stored, extra: object) => ({
      mediaType,
      digest,
      size: bytes.length,
      ...extra,
    });
    fake.addManifest(
      repository,
      'index',
      stored(OCI_INDEX, {
        schemaVersion: 2,
        mediaType: OCI_INDEX,
        manifests: [
          descriptor(child, { platform: { os: 'linux', architecture: 'arm64' } }),
          descriptor(attestation, {
            platform: { os: 'unknown', architecture: 'unknown' },
            annotations: {
              'vnd.docker.reference.type': 'attestation-manifest',
              'vnd.docker.reference.digest': child.digest,
            },
          }),
        ],
      }),
    );
    return { child, attestation };
  }

  it.each([
    ['copy', (digest: string) => ['copy', `REG/s@${digest}`, `REG/x@${digest}`]],
    ['copy to a tag', (digest: string) => ['copy', `REG/s@${digest}`, 'REG/x:signature']],
  ])('by %s is recorded', async (_, args) => {
    const signature = addReferrer(fake, 's', image, SIGNATURE);
    expectCode(await run(...args(signature.digest)), 0);
    expect(digestsUnder(fake, 'x', tagOf(image))).toEqual([signature.digest]);
    expect(await shown('REG/x:latest')).toEqual([signature.digest]);
  });

  it.each([
    ['copy', ['copy', 'REG/s:index', 'REG/t:1']],
    ['create', ['create', '--target', 'REG/t:1', 'REG/s:index']],
    ['add', ['add', 'REG/t:1', 'REG/s:index']],
  ])('as part of an index by %s is recorded', async (_, args) => {
    const { child, attestation } = addAttested('s');
    if (args[0] === 'add') {
      const other = fake.addImage('t', 'other', { oci: true });
      const { mediaType, digest, bytes } = other;
      const platform = { os: 'linux', architecture: 'amd64' };
      const manifests = [{ mediaType, digest, size: bytes.length, platform }];
      fake.addManifest(
        't',
        '1',
        stored(OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests }),
      );
    }
    expectCode(await run(...args), 0);
    expect(digestsUnder(fake, 't', tagOf(child))).toEqual([attestation.digest]);
  });

  it.each([
    ['confirms it', true],
    ['only lists it', false],
  ])('needs no tag in a registry that %s', async (_, confirms) => {
    referrersApi = (seen) => apiAnswer(fake, seen);
    before = (seen) => {
      if (!confirms || seen.method !== 'PUT' || !seen.path.includes('/manifests/'))
        return undefined;
      const { subject } = JSON.parse(seen.body.toString()) as { subject?: { digest: string } };
      const answer = fake.answer(seen);
      if (subject === undefined) return answer;
      return { ...answer, headers: { ...answer.headers, 'oci-subject': subject.digest } };
    };
    const signature = addReferrer(fake, 's', image, SIGNATURE);
    expectCode(await run('copy', `REG/s@${signature.digest}`, 'REG/x:signature'), 0);
    expect(putsOf(tagOf(image))).toEqual([]);
    expect(await shown('REG/x:latest')).toEqual([signature.digest]);
  });

  it('is recorded if the registry denies access to the API', async () => {
    referrersApi = () => failure(403, 'DENIED', 'no');
    const signature = addReferrer(fake, 's', image, SIGNATURE);
    expectCode(await run('copy', `REG/s@${signature.digest}`, 'REG/x:signature'), 0);
    expect(digestsUnder(fake, 'x', tagOf(image))).toEqual([signature.digest]);
  });

  it('is not recorded over an index that cannot be read', async () => {
    before = ({ method, path }) =>
      method === 'GET' && path.endsWith(tagOf(image)) ? failure(403, 'DENIED', 'no') : undefined;
    const signature = addReferrer(fake, 's', image, SIGNATURE);
    expectCode(await run('copy', `REG/s@${signature.digest}`, 'REG/x:signature'), 4);
    expect(putsOf(tagOf(image))).toEqual([]);
  });

  it('is recorded if the registry confirms another subject', async () => {
    before = (seen) => {
      if (seen.method !== 'PUT') return undefined;
      const answer = fake.answer(seen);
      return { ...answer, headers: { ...answer.headers, 'oci-subject': 'sha256:0' } };
    };
    const signature = addReferrer(fake, 's', image, SIGNATURE);
    expectCode(await run('copy', `REG/s@${signature.digest}`, 'REG/x:signature'), 0);
    expect(digestsUnder(fake, 'x', tagOf(image))).toEqual([signature.digest]);
  });

  it('stays recorded when another writer replaces the tag at the same time', async () => {
    const mine = addReferrer(fake, 's', image, SIGNATURE);
    const theirs = addReferrer(fake, 'x', image, BOM);
    before = (seen) => {
      if (seen.method !== 'PUT' || !seen.path.endsWith(tagOf(image))) return undefined;
      const answer = fake.answer(seen);
      if (putsOf(tagOf(image)).length === 1) fake.addManifest('x', tagOf(image), indexOf([theirs]));
      return answer;
    };
    expectCode(await run('copy', `REG/s@${mine.digest}`, `REG/x@${mine.digest}`), 0);
    expect(digestsUnder(fake, 'x', tagOf(image))).toEqual([theirs.digest, mine.digest]);
  });

  it('is recorded with others of its subject in few writes', async () => {
    const referrers = Array.from({ length: 20 }, (_, n) =>
      addReferrer(fake, 'x', image, SIGNATURE, String(n)),
    );
    fake.addManifest('x', tagOf(image), indexOf(referrers));
    expectCode(await run('copy', '--referrers', 'REG/x:latest', 'REG/t:1'), 0);
    expect(digestsUnder(fake, 't', tagOf(image))?.toSorted()).toEqual(
      referrers.map(({ digest }) => digest).toSorted(),
    );
    expect(putsOf(tagOf(image)).length).toBeLessThan(5);
  });
});

describe('a copy of a single image', () => {
  const manifestPuts = (): string[] =>
    server.requests.flatMap(({ method, path }) => {
      const name = /\/manifests\/(.*)$/.exec(path)?.[1];
      return method === 'PUT' && name !== undefined ? [name] : [];
    });

  it('writes its manifest once, by tag, behind its blobs', async () => {
    expectCode(await run('copy', 'REG/x:latest', 'REG/t:1'), 0);
    expect(manifestPuts()).toEqual(['1']);
    const last = server.requests.findLastIndex(({ path }) => path.includes('/blobs/'));
    expect(
      server.requests.findIndex(({ method, path }) => method === 'PUT' && path.endsWith('/1')),
    ).toBeGreaterThan(last);
  });

  it('without a tag writes it once, by digest', async () => {
    expectCode(await run('copy', 'REG/x:latest', `REG/t@${image.digest}`), 0);
    expect(manifestPuts()).toEqual([image.digest]);
  });

  it('writes it by digest as well if something refers to it', async () => {
    const signature = addReferrer(fake, 'x', image, SIGNATURE);
    fake.addManifest('x', tagOf(image), indexOf([signature]));
    expectCode(await run('copy', '--referrers', 'REG/x:latest', 'REG/t:1'), 0);
    expect(manifestPuts()).toEqual([image.digest, signature.digest, tagOf(image), '1']);
  });
});

describe('what cosign keeps under the tags of a digest', () => {
  let child: Stored;
  let index: Stored;

  beforeEach(() => {
    child = fake.addImage('s', 'amd64', { oci: true });
    const platform = { os: 'linux', architecture: 'amd64' };
    const { mediaType, digest, bytes } = child;
    const manifests = [{ mediaType, digest, size: bytes.length, platform }];
    index = stored(OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests });
    fake.addManifest('s', '1', index);
  });

  /** Puts an image under a tag of the digest of a manifest, as cosign does. */
  function addTagged(repository: string, subject: Stored, kind: string, text = ''): Stored {
    const name = `${tagOf(subject)}.${kind}`;
    return fake.addImage(repository, name, { oci: true, text: `${name} ${text}` });
  }

  it.each(['sig', 'att', 'sbom'])(
    'is copied: .%s of the root and of its children',
    async (kind) => {
      const made = [index, child].map(
        (subject) => [subject, addTagged('s', subject, kind)] as const,
      );
      expectCode(await run('copy', '--referrers', 'REG/s:1', 'REG/t:1'), 0);
      for (const [subject, { digest }] of made)
        expect(fake.manifests.get(`t:${tagOf(subject)}.${kind}`)?.digest).toBe(digest);
      expectCode(await run('verify', '--deep', `REG/t:${tagOf(child)}.${kind}`), 0);
    },
  );

  it.each([
    ['copy', ['copy', 'REG/s:1', 'REG/t:1']],
    ['add', ['add', 'REG/t:1', 'REG/s:1']],
  ])('is listed by %s --dry-run if its tag would move, and nothing is written', async (_, args) => {
    if (args[0] === 'add') fake.addManifest('t', '1', indexOf([]));
    const made = addTagged('s', child, 'sig');
    const tag = `${server.host}/t:${tagOf(child)}.sig`;
    const count = fake.manifests.size;
    const planned = await run(...args, '--referrers', '--dry-run');
    expectCode(planned, 0);
    expect(planned.stdout).toContain(`tag ${tag} would move to ${made.digest}\n`);
    expect(fake.manifests.size).toBe(count);
    const held = addTagged('t', child, 'sig', 'another');
    const { stdout, stderr } = await run(...args, '--referrers', '--dry-run', '--json');
    const moves = [{ name: tag, from: held.digest, to: made.digest, status: 'would move' }];
    expect(JSON.parse(stdout)).toMatchObject({ referrerTags: moves });
    expect(stderr).not.toContain('is replaced');
    fake.manifests.set(`t:${tagOf(child)}.sig`, made);
    expect((await run(...args, '--referrers', '--dry-run')).stdout).not.toContain(tag);
  });

  it('is left behind without the option', async () => {
    addTagged('s', index, 'sig');
    expectCode(await run('copy', 'REG/s:1', 'REG/t:1'), 0);
    expect([...fake.manifests.keys()].filter((key) => /^t:.*sig$/.test(key))).toEqual([]);
  });

  it.each([
    ['create', ['create', '--target', 'REG/t:1', 'REG/s:amd64']],
    [
      'push from-args',
      [
        'push',
        'from-args',
        '--platforms',
        'linux/amd64',
        '--template',
        'REG/s:ARCH',
        '--target',
        'REG/t:1',
      ],
    ],
    ['push from-spec', ['push', 'from-spec', '-']],
    ['add', ['add', 'REG/t:1', 'REG/s:amd64']],
  ])('goes along with %s, as referrers do', async (_, args) => {
    const signature = addTagged('s', child, 'sig');
    const bom = addReferrer(fake, 's', child, BOM);
    fake.addManifest('s', tagOf(child), indexOf([bom]));
    if (args[0] === 'add') fake.addManifest('t', '1', indexOf([]));
    const spec = `image: ${server.host}/t:1\nmanifests:\n  - image: ${server.host}/s:amd64\n    platform: { os: linux, architecture: amd64 }\n`;
    const named = args.map((arg) => arg.replaceAll('REG', server.host));
    expectCode(await runCli([...named, '--referrers'], { stdin: spec }), 0);
    expect(fake.manifests.get(`t:${tagOf(child)}.sig`)?.digest).toBe(signature.digest);
    expect(digestsUnder(fake, 't', tagOf(child))).toEqual([bom.digest]);
  });

  it('goes along with create of the same index, as its own referrers do', async () => {
    const { digest } = addTagged('s', index, 'sig');
    const bom = addReferrer(fake, 's', index, BOM);
    fake.addManifest('s', tagOf(index), indexOf([bom]));
    expectCode(await run('create', '--referrers', '--target', 'REG/t:1', 'REG/s:1'), 0);
    expect(fake.manifests.get('t:1')?.digest).toBe(index.digest);
    expect(fake.manifests.get(`t:${tagOf(index)}.sig`)?.digest).toBe(digest);
    expect(digestsUnder(fake, 't', tagOf(index))).toEqual([bom.digest]);
  });

  it.each([
    ['create', ['create', '--target', 'REG/t:1', 'REG/s:1', 'REG/s:arm64']],
    ['add', ['add', 'REG/t:1', 'REG/s:1']],
  ])('of an index is not what refers to the new one of %s: a warning', async (_, args) => {
    fake.addImage('s', 'arm64', { oci: true, architecture: 'arm64' });
    if (args[0] === 'add') fake.addManifest('t', '1', indexOf([]));
    addTagged('s', index, 'sig');
    const result = await run(...args, '--referrers');
    expectCode(result, 0);
    expect(result.stderr).toContain(`a referrer of ${server.host}/s:1 itself cannot be published`);
    expect((await run(...args)).stderr).not.toContain('itself cannot be published');
  });

  it('goes through a layout and an archive', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cosign-'));
    try {
      const signature = addTagged('s', child, 'sig');
      for (const [local, to] of [
        [`oci-layout://${folder}/layout:1`, 'a'],
        [`oci-archive://${folder}/archive.tar:1`, 'b'],
      ] as const) {
        expectCode(await run('copy', '--referrers', 'REG/s:1', local), 0);
        expectCode(await run('copy', '--referrers', local, `REG/${to}:1`), 0);
        expect(fake.manifests.get(`${to}:${tagOf(child)}.sig`)?.digest).toBe(signature.digest);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it.each([
    ['replaces what the target has there, with a warning', [], 0],
    ['does not with --no-clobber, with a warning', ['--no-clobber'], 1],
  ])('%s', async (_, options, kept) => {
    const signature = addTagged('s', child, 'sig');
    const older = addTagged('t', child, 'sig', 'older');
    const result = await run('copy', '--referrers', ...options, 'REG/s:1', 'REG/t:1');
    expectCode(result, 0);
    expect(result.stderr).toContain(older.digest);
    const name = `t:${tagOf(child)}.sig`;
    expect(fake.manifests.get(name)?.digest).toBe([signature, older][kept]!.digest);
    expect(fake.manifests.get('t:1')?.digest).toBe(index.digest);
  });

  it('is shown by inspect', async () => {
    const signature = addTagged('s', index, 'sig');
    const bom = addReferrer(fake, 's', index, BOM);
    fake.addManifest('s', tagOf(index), indexOf([bom]));
    const args = ['inspect', '--referrers', 'REG/s:1'];
    const result = await run(...args, '--format', 'json');
    const { referrers } = JSON.parse(result.stdout) as { referrers: object[] };
    expect(referrers).toMatchObject([
      { digest: bom.digest },
      { digest: signature.digest, tag: `${tagOf(index)}.sig` },
    ]);
    for (const format of [[], ['--format', 'table']]) {
      const { stdout } = await run(...args, ...format);
      expect(stdout).toContain(signature.digest);
      expect(stdout).toContain(bom.digest);
    }
  });
});

describe('a tag that looks like a referrers tag but is not', () => {
  const CASES: [string, () => Stored][] = [
    ['points to the subject', () => image],
    ['points to an image', () => fake.addImage('x', 'other', { oci: true, text: 'other' })],
    [
      'points to an index of images',
      () => {
        const other = fake.addImage('x', 'other', { oci: true, text: 'other' });
        return indexOf([other]);
      },
    ],
    ['points to an index of the subject', () => indexOf([image])],
    [
      'points to an index of the referrers of something else',
      () => {
        const other = fake.addImage('x', 'other', { oci: true, text: 'other' });
        const referrer = makeReferrer(other, SIGNATURE);
        const { artifactType: _, ...bare } = JSON.parse(referrer.bytes.toString()) as {
          artifactType: string;
        };
        const manifest = stored(OCI_MANIFEST, bare);
        fake.manifests.set(`x@${manifest.digest}`, manifest);
        return indexOf([manifest]);
      },
    ],
  ];

  it.each(CASES)('%s: it is not read', async (_, make) => {
    fake.addManifest('x', tagOf(image), make());
    expect(await shown('REG/x:latest')).toEqual([]);
  });

  it.each(CASES)('%s: it is not replaced, with a warning', async (_, make) => {
    const held = make();
    fake.addManifest('x', tagOf(image), held);
    const signature = addReferrer(fake, 's', image, SIGNATURE);
    const result = await run('copy', `REG/s@${signature.digest}`, `REG/x@${signature.digest}`);
    expectCode(result, 0);
    expect(result.stderr).toContain(`${signature.digest} cannot be recorded as a referrer`);
    expect(putsOf(tagOf(image))).toEqual([]);
  });
});
