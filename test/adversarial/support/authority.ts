import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

/** A certificate with its key, as files and as PEM. */
export interface Pair {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

/** An authority of the tests, and certificates of it. */
export interface Authority {
  readonly caFile: string;
  readonly ca: string;
  /** For {@link HOSTS}, localhost and 127.0.0.1. */
  readonly server: Pair;
  readonly client: Pair;
}

/** Names that no resolver knows: only a proxy of the tests leads to them. */
const HOSTS = [
  'registry.test',
  'auth.test',
  'cdn.test',
  'evil.test',
  'registry-1.docker.io',
  'auth.docker.io',
];

const KEY = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650'.split(' ');

/** Makes an authority that nobody trusts, in `folder`. */
export async function makeAuthority(folder: string): Promise<Authority> {
  mkdirSync(folder, { recursive: true });
  const at = (name: string): string => path.join(folder, name);
  const openssl = (...args: string[]): Promise<unknown> => promisify(execFile)('openssl', args);
  const authority = ['-subj', '/CN=test authority', '-keyout', at('ca.key'), '-out', at('ca.crt')];
  await openssl('req', '-x509', ...KEY, ...authority);
  const issue = async (name: string, extensions: string): Promise<Pair> => {
    const [certFile, keyFile] = [at(`${name}.crt`), at(`${name}.key`)];
    writeFileSync(at(`${name}.ext`), extensions);
    const request = ['-subj', `/CN=${name}`, '-keyout', keyFile, '-out', at(`${name}.csr`)];
    await openssl('req', ...KEY.slice(0, -2), ...request);
    const signed = ['x509', '-req', '-in', at(`${name}.csr`), '-days', '3650', '-out', certFile];
    const by = ['-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-set_serial', String(name.length)];
    await openssl(...signed, ...by, '-extfile', at(`${name}.ext`));
    return {
      certFile,
      keyFile,
      cert: readFileSync(certFile, 'utf8'),
      key: readFileSync(keyFile, 'utf8'),
    };
  };
  const names = [...HOSTS, 'localhost'].map((host) => `DNS:${host}`).join(',');
  const [server, client] = await Promise.all([
    issue('server', `subjectAltName=${names},IP:127.0.0.1\nextendedKeyUsage=serverAuth\n`),
    issue('the-client', 'extendedKeyUsage=clientAuth\n'),
  ]);
  return { caFile: at('ca.crt'), ca: readFileSync(at('ca.crt'), 'utf8'), server, client };
}
