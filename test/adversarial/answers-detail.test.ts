import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { auths, Folder } from './support/files.js';
import { isWrite, OddRegistry } from './support/odd-registry.js';
import { json, type Reply, type Seen } from './support/scripted.js';

const folder = new Folder();
let odds: OddRegistry;

beforeAll(async () => {
  odds = await OddRegistry.start();
});

beforeEach(() => odds.reset());

afterAll(() => odds.server.stop());

const refusal = (status: number, detail: unknown): Reply =>
  json(status, { errors: [{ code: 'DENIED', message: 'no', detail }] });

const isUpload = ({ method, path }: Seen): boolean =>
  method === 'PUT' && path.includes('/blobs/uploads/');

/** Copies to a registry that refuses to mount, so that blobs are uploaded. */
const copying = (odd: (request: Seen) => Reply | undefined): Promise<CliResult> => {
  odds.odd = (request) => {
    if (request.query.has('mount'))
      return { status: 202, headers: { location: `${request.path}session` } };
    return odd(request);
  };
  return runCli(odds.copying());
};

describe('the detail of an error', () => {
  it('says which quota', async () => {
    const quota = { quota: '5 GiB', used: '5 GiB', requested: 1234567 };
    const result = await copying((request) =>
      isUpload(request) ? refusal(413, quota) : undefined,
    );
    expectCode(result, 1);
    expect(result.stderr).toContain('DENIED: no (quota: 5 GiB, used: 5 GiB, requested: 1234567)');
  });

  it('says which blob', async () => {
    const errors = [1, 2].map((n) => ({
      code: 'MANIFEST_BLOB_UNKNOWN',
      message: 'blob unknown to registry',
      detail: `sha256:${String(n).repeat(64)}`,
    }));
    const result = await copying((request) =>
      isWrite(request) ? json(400, { errors }) : undefined,
    );
    expectCode(result, 3);
    for (const { detail } of errors) expect(result.stderr).toContain(detail);
  });

  it('is escaped, and cut', async () => {
    const detail = `\u001b[2J\u202e\u0085 rule 7 ${'x'.repeat(100_000)}`;
    odds.odd = () => refusal(403, { rule: detail });
    const result = await runCli(odds.reading());
    expectCode(result, 4);
    expect(result.stderr).toContain('rule 7');
    // oxlint-disable-next-line no-control-regex -- these are what must not be there
    expect(result.stderr).not.toMatch(/[\u001b\u0085\u202e]/);
    expect(result.stderr.length).toBeLessThan(4096);
  });

  it('that echoes a credential does not show it', async () => {
    const env = {
      DOCKER_CONFIG: folder.dockerConfig(auths(odds.server.host, 'alice', 'canary-word')),
    };
    odds.odd = ({ headers }) =>
      headers.authorization === undefined
        ? { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } }
        : refusal(403, { header: headers.authorization, password: 'canary-word' });
    const result = await runCli(odds.reading(), { env });
    expectCode(result, 4);
    expect(result.stderr).not.toContain('canary-word');
    expect(result.stderr).not.toContain(Buffer.from('alice:canary-word').toString('base64'));
    expect(result.stderr).toContain('REDACTED');
  });
});
