import type { TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { ManifestToolError } from '../../../../src/errors.js';
import { HostTls, SecureContexts, type TlsSettings } from '../../../../src/http/connect/tls.js';
import { trustingConnector } from '../../../../src/http/connect/trust.js';

const UNTRUSTED = Object.assign(new Error('unable to get issuer certificate'), {
  code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
});

/** A certificate and those that the server sends with it. */
interface Chain {
  readonly fingerprint256: string;
  readonly issuer: string;
  readonly issuerCertificate?: Chain;
}

interface Setup extends Partial<TlsSettings> {
  readonly system?: () => Promise<readonly string[]>;
  readonly chain?: Chain;
}

/** The failure to connect to a host whose chain does not verify. */
function failureOf({ system = () => Promise.resolve([]), chain, ...settings }: Setup) {
  const shared = { contexts: new SecureContexts(), systemAuthorities: system };
  const all = { authorities: [], clients: [], rejectUnauthorized: true, ...settings };
  const connect = trustingConnector(
    new HostTls('a.example', all, shared),
    ({ rejectUnauthorized }) =>
      (_target, callback) => {
        const socket = { getPeerX509Certificate: () => chain, destroy: () => undefined };
        if (rejectUnauthorized) callback(UNTRUSTED, null);
        else callback(null, socket as unknown as TLSSocket);
      },
  );
  return new Promise<Error | null>((resolve) => {
    const target = { hostname: 'a.example', protocol: 'https:', port: '443' };
    connect(target, (...result) => resolve(result[0]));
  });
}

describe('a chain that does not verify', () => {
  test('fails with the reason why the authorities of the system are not known', async () => {
    const failure = new Error('the wait for a pipe was aborted');
    expect(await failureOf({ system: () => Promise.reject(failure) })).toBe(failure);
  });

  test('fails with the directory of certificates that could not be read', async () => {
    const unreadable = new ManifestToolError('CONFIG', 'reading certs.d', 'it is unreadable');
    expect(await failureOf({ unreadable })).toBe(unreadable);
  });

  const top = { fingerprint256: 'B', issuer: 'C=EX\nCN=root' };

  test.each<[string, Chain]>([
    [
      'that the server does not send',
      { fingerprint256: 'A', issuer: 'CN=x', issuerCertificate: top },
    ],
    [
      'that signs itself',
      {
        fingerprint256: 'A',
        issuer: 'CN=x',
        issuerCertificate: { ...top, issuerCertificate: top },
      },
    ],
  ])('fails with the name of the authority %s', async (_, chain) => {
    expect(await failureOf({ chain })).toMatchObject({
      issuer: 'CN=root, C=EX',
      code: UNTRUSTED.code,
    });
  });

  test('fails as it is if the server sends no certificate', async () => {
    expect(await failureOf({})).toBe(UNTRUSTED);
  });
});
