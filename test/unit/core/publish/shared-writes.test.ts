import { describe, expect, test } from 'vitest';
import { WriteSession } from '../../../../src/core/publish/shared-writes.js';
import { WaitPolicy } from '../../../../src/core/wait.js';
import type { BlobProgress, ProgressEvents } from '../../../../src/core/events.js';
import { ManifestToolError, type ErrorCode } from '../../../../src/errors.js';
import type {
  BlobOutcome,
  FetchedManifest,
  ImageReader,
  ImageWriter,
} from '../../../../src/oci/content.js';
import { digestOf } from '../../../../src/oci/digest.js';
import type { Descriptor } from '../../../../src/oci/descriptor.js';

const BLOB: Descriptor = { mediaType: 'l', digest: digestOf(Buffer.from('layer')), size: 5 };
const MANIFEST = { digest: digestOf(Buffer.from('manifest')) } as FetchedManifest;

const reader = (name: string): ImageReader => ({ name }) as ImageReader;
const A = reader('a.example/app');
const B = reader('b.example/app');
const A_OTHER = reader('a.example/other');

const failure = (code: ErrorCode): ManifestToolError => new ManifestToolError(code, 'x', code);

interface Started {
  readonly source: ImageReader;
  readonly onBytes: (bytes: number) => void;
  readonly succeed: (outcome: BlobOutcome) => void;
  readonly fail: (error: Error) => void;
}

/** A target whose copies of blobs end when the test says so. */
class Target {
  readonly name = 'target.example/app';
  readonly copies: Started[] = [];
  readonly children: string[] = [];
  childFailure: Error | undefined;

  ensureBlob(_: Descriptor, source: ImageReader, onBytes: (bytes: number) => void) {
    return new Promise<BlobOutcome>((succeed, fail) => {
      this.copies.push({ source, onBytes, succeed, fail });
    });
  }

  putChild({ digest }: FetchedManifest, tag?: string): Promise<void> {
    this.children.push(tag === undefined ? digest : `${tag}: ${digest}`);
    return this.childFailure === undefined ? Promise.resolve() : Promise.reject(this.childFailure);
  }

  putReferrer({ digest }: FetchedManifest, subject: string): Promise<void> {
    this.children.push(`${digest} of ${subject}`);
    return Promise.resolve();
  }

  session(
    events: ProgressEvents = {},
    waitMs?: number,
    signal = new AbortController().signal,
  ): WriteSession {
    const wait = new WaitPolicy(waitMs, signal, events);
    const client = { shared: this, signal };
    return new WriteSession(client, this as unknown as ImageWriter, wait, events);
  }
}

/** Keeps the states of blobs that it is told of. */
function recorder(): { events: ProgressEvents; states: BlobProgress['state'][]; bytes: number[] } {
  const states: BlobProgress['state'][] = [];
  const bytes: number[] = [];
  const blob = (progress: BlobProgress): void => {
    states.push(progress.state);
    bytes.push(progress.bytes);
  };
  return { events: { blob }, states, bytes };
}

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('a blob that two calls need at the same time', () => {
  test('is copied once, and each is told of its progress', async () => {
    const target = new Target();
    const [one, two] = [recorder(), recorder()];
    const first = target.session(one.events).copyBlob(BLOB, A);
    target.copies[0]!.onBytes(2);
    const second = target.session(two.events).copyBlob(BLOB, B);
    target.copies[0]!.onBytes(5);
    target.copies[0]!.succeed('copied');
    await Promise.all([first, second]);
    expect(target.copies).toHaveLength(1);
    expect(one.states).toEqual(['started', 'copying', 'copying', 'copied']);
    expect(two.states).toEqual(['started', 'copying', 'copied']);
    expect(two.bytes).toEqual([0, 5, 5]);
  });

  test('is told once of to what they both report to', async () => {
    const target = new Target();
    const { events, states } = recorder();
    const copied = [target.session(events), target.session(events)].map((session) =>
      session.copyBlob(BLOB, A),
    );
    target.copies[0]!.succeed('mounted');
    await Promise.all(copied);
    expect(states).toEqual(['started', 'mounted']);
  });

  test('fails for both, and is tried again by a later call', async () => {
    const target = new Target();
    const [one, two] = [recorder(), recorder()];
    const both = Promise.allSettled([
      target.session(one.events).copyBlob(BLOB, A),
      target.session(two.events).copyBlob(BLOB, A),
    ]);
    target.copies[0]!.fail(failure('FAILED'));
    expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect([one.states, two.states]).toEqual([
      ['started', 'failed'],
      ['started', 'failed'],
    ]);
    expect(target.copies).toHaveLength(1);
    const later = target.session().copyBlob(BLOB, A);
    target.copies[1]!.succeed('copied');
    await later;
  });

  test('is copied again for one when the call that began it is aborted', async () => {
    const target = new Target();
    const abort = new AbortController();
    const first = target.session({}, undefined, abort.signal).copyBlob(BLOB, A);
    const second = target.session().copyBlob(BLOB, B);
    abort.abort();
    target.copies[0]!.fail(failure('INTERRUPTED'));
    await expect(first).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await settled();
    expect(target.copies.map(({ source }) => source)).toEqual([A, B]);
    target.copies[1]!.succeed('copied');
    await second;
  });

  test('is copied on when a call that waits for it is aborted', async () => {
    const target = new Target();
    const abort = new AbortController();
    const first = target.session().copyBlob(BLOB, A);
    const second = target.session({}, undefined, abort.signal).copyBlob(BLOB, B);
    abort.abort();
    await expect(second).rejects.toMatchObject({ code: 'INTERRUPTED' });
    const third = target.session().copyBlob(BLOB, B);
    target.copies[0]!.succeed('copied');
    await Promise.all([first, third]);
    expect(target.copies).toHaveLength(1);
  });

  test('goes on for one when the other has ended', async () => {
    const target = new Target();
    const [one, two] = [target.session(), target.session()];
    one.startBlob(BLOB, A);
    const needed = two.copyBlob(BLOB, A);
    const ended = one.end();
    await settled();
    target.copies[0]!.succeed('copied');
    await Promise.all([needed, ended]);
    expect(target.copies).toHaveLength(1);
  });
});

describe('a copy that fails from the source of another call', () => {
  const reading = `reading ${A.name}@${BLOB.digest}`;
  const run = async (code: ErrorCode, own: ImageReader, what = reading): Promise<ImageReader[]> => {
    const target = new Target();
    const first = target.session().copyBlob(BLOB, A);
    const second = target.session().copyBlob(BLOB, own);
    const outcome = Promise.allSettled([first, second]);
    target.copies[0]!.fail(new ManifestToolError(code, what, code));
    await settled();
    for (const { succeed } of target.copies.slice(1)) succeed('copied');
    const [one, two] = await outcome;
    expect(one.status).toBe('rejected');
    expect(two.status).toBe(target.copies.length > 1 ? 'fulfilled' : 'rejected');
    return target.copies.map(({ source }) => source);
  };

  test.each<[string, ErrorCode, ImageReader, ImageReader[]]>([
    ['is missing there', 'NOT_FOUND', A_OTHER, [A, A_OTHER]],
    ['is not readable there', 'DENIED', B, [A, B]],
    ['cannot be reached there', 'UNAVAILABLE', B, [A, B]],
    ['cannot be reached, in the registry of both', 'UNAVAILABLE', A_OTHER, [A]],
    ['was interrupted', 'INTERRUPTED', B, [A]],
    ['failed from the same source', 'NOT_FOUND', A, [A]],
  ])('%s', async (_, code, own, sources) => {
    expect(await run(code, own)).toEqual(sources);
  });

  test('cannot be reached at its target: another source is no further attempt', async () => {
    expect(await run('UNAVAILABLE', B, 'uploading target.example/app@sha256:x')).toEqual([A]);
  });

  test('is not tried by a call that has ended', async () => {
    const target = new Target();
    const first = target.session().copyBlob(BLOB, A);
    const session = target.session();
    session.startBlob(BLOB, B);
    const ended = session.end();
    target.copies[0]!.fail(failure('NOT_FOUND'));
    await expect(first).rejects.toThrow('NOT_FOUND');
    await ended;
    expect(target.copies).toHaveLength(1);
  });
});

test('a blob that is missing is waited for by the call that waits, and by no other', async () => {
  const target = new Target();
  const hasty = target.session().copyBlob(BLOB, A);
  const patient = target.session({}, 60_000).copyBlob(BLOB, A);
  target.copies[0]!.fail(failure('NOT_FOUND'));
  await expect(hasty).rejects.toThrow('NOT_FOUND');
  await expect.poll(() => target.copies.length, { timeout: 60_000 }).toBe(2);
  target.copies[1]!.succeed('copied');
  await patient;
});

test('content that was damaged is not copied again here: the target has made all attempts', async () => {
  const target = new Target();
  const copied = target.session().copyBlob(BLOB, A);
  target.copies[0]!.fail(failure('CORRUPT'));
  await expect(copied).rejects.toThrow('CORRUPT');
  expect(target.copies).toHaveLength(1);
});

describe('what has been written', () => {
  test('is remembered while another call runs', async () => {
    const target = new Target();
    const [one, two, three] = [target.session(), target.session(), target.session()];
    const copied = one.copyBlob(BLOB, A);
    target.copies[0]!.succeed('copied');
    await copied;
    await one.writeManifest(MANIFEST);
    await one.end();
    await two.copyBlob(BLOB, B);
    await two.writeManifest(MANIFEST);
    expect([target.copies.length, target.children.length]).toEqual([1, 1]);
    await Promise.all([two.end(), three.end()]);
  });

  test('is looked for anew when all calls have ended', async () => {
    const target = new Target();
    const one = target.session();
    const copied = one.copyBlob(BLOB, A);
    target.copies[0]!.succeed('copied');
    await copied;
    await one.writeManifest(MANIFEST);
    await one.end();
    const later = target.session();
    const again = later.copyBlob(BLOB, A);
    target.copies[1]!.succeed('present');
    await again;
    await later.writeManifest(MANIFEST);
    expect([target.copies.length, target.children.length]).toEqual([2, 2]);
  });

  test('is reported as present to a call that comes late', async () => {
    const target = new Target();
    const copied = target.session().copyBlob(BLOB, A);
    target.copies[0]!.succeed('copied');
    await copied;
    const { events, states } = recorder();
    await target.session(events).copyBlob(BLOB, A);
    expect(states).toEqual(['started', 'present']);
  });
});

describe('a manifest that two calls need', () => {
  test('is written once, and each is told of it', async () => {
    const target = new Target();
    const told: string[] = [];
    const sessions = ['one', 'two'].map((name) =>
      target.session({ written: () => void told.push(name) }),
    );
    await Promise.all(sessions.map((session) => session.writeManifest(MANIFEST)));
    await sessions[0]!.writeManifest(MANIFEST);
    expect(target.children).toEqual([MANIFEST.digest]);
    expect(told).toEqual(['one', 'two']);
  });

  test('fails for both, and is written again by a later call', async () => {
    const target = new Target();
    target.childFailure = failure('INCOMPLETE');
    const sessions = [target.session(), target.session()];
    const outcomes = await Promise.allSettled(sessions.map((each) => each.writeManifest(MANIFEST)));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(target.children).toHaveLength(1);
    target.childFailure = undefined;
    await sessions[0]!.writeManifest(MANIFEST);
    expect(target.children).toHaveLength(2);
  });

  test('is written once more when the target has lost it', async () => {
    const target = new Target();
    const session = target.session();
    await session.writeManifest(MANIFEST);
    await Promise.all([session.rewriteManifest(MANIFEST), session.rewriteManifest(MANIFEST)]);
    expect(target.children).toHaveLength(2);
  });

  test('is another write for a manifest that it refers to', async () => {
    const target = new Target();
    const session = target.session();
    await session.writeManifest(MANIFEST);
    await session.writeManifest(MANIFEST, { subject: BLOB.digest });
    expect(target.children).toEqual([MANIFEST.digest, `${MANIFEST.digest} of ${BLOB.digest}`]);
  });

  test('is written as a referrer and under its tag if it has both', async () => {
    const target = new Target();
    await target.session().writeManifest(MANIFEST, { subject: BLOB.digest, tag: 'sha256-a.sig' });
    expect(target.children).toEqual([
      `${MANIFEST.digest} of ${BLOB.digest}`,
      `sha256-a.sig: ${MANIFEST.digest}`,
    ]);
  });
});
