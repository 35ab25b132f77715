/**
 * A private certificate authority and a token server behind a delay, for a registry with TLS and
 * tokens.
 */
import { execFileSync } from 'node:child_process';
import { sign, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import { createServer } from 'node:https';
import os, { tmpdir } from 'node:os';
import path from 'node:path';
import { startDelayProxy } from './proxy.mjs';

/** A name of this machine for which no tool uses plain HTTP. */
export const SECURE_NAME = os.hostname().toLowerCase();

const USER = { username: 'alice', password: 'secret' };
const SERVICE = 'registry.bench';
const ISSUER = 'bench-issuer';

/**
 * @typedef {object} Secure
 * @property {string} certFile the certificate of registry and token server, which is its own authority
 * @property {string} keyFile
 * @property {boolean} isHttp2 whether HTTP/2 is offered beside HTTP/1.1
 * @property {object} auth the section `auth` of the registry's configuration
 * @property {() => number} connections how many connections to the token server were opened
 * @property {() => Promise<void>} stop
 */

/**
 * Starts a token server that is `rttMs` away.
 * @param {{ rttMs: number, isHttp2: boolean }} options
 * @returns {Promise<Secure>}
 */
export async function startSecure({ rttMs, isHttp2 }) {
  const folder = mkdtempSync(path.join(tmpdir(), 'mt-bench-tls-'));
  const [keyFile, certFile] = ['tls.key', 'tls.crt'].map((name) => path.join(folder, name));
  if (keyFile === undefined || certFile === undefined) throw new Error('no names of files');
  makeCertificate(folder, keyFile, certFile);
  const [key, cert] = [readFileSync(keyFile), readFileSync(certFile)];
  const signer = { key, x5c: new X509Certificate(cert).raw.toString('base64') };
  /** @param {AsyncIterable<Buffer> & { url?: string | undefined }} request @param {{ end(text: string): unknown }} response */
  const answer = async (request, response) => {
    // By GET, or by POST with a form (OAuth2).
    const form = new URLSearchParams(Buffer.concat(await chunksOf(request)).toString());
    const query = new URL(request.url ?? '', 'https://none').searchParams;
    const scopes = [...query.getAll('scope'), ...form.getAll('scope')];
    const token = tokenFor(scopes, signer);
    response.end(JSON.stringify({ token, access_token: token, expires_in: 300 }));
  };
  const server = isHttp2
    ? createSecureServer({ key, cert, allowHTTP1: true }, (q, r) => void answer(q, r))
    : createServer({ key, cert }, (q, r) => void answer(q, r));
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(undefined));
  });
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const proxy = await startDelayProxy(`127.0.0.1:${port}`, rttMs, SECURE_NAME);
  return {
    certFile,
    keyFile,
    isHttp2,
    auth: {
      token: {
        realm: `https://${proxy.host}/token`,
        service: SERVICE,
        issuer: ISSUER,
        rootcertbundle: certFile,
      },
    },
    connections: () => proxy.connections,
    async stop() {
      await proxy.stop();
      await new Promise((resolve) => {
        server.close(resolve);
      });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** @param {AsyncIterable<Buffer>} stream */
async function chunksOf(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

/** @param {string} folder @param {string} keyFile @param {string} certFile */
function makeCertificate(folder, keyFile, certFile) {
  const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30';
  const names = `subjectAltName=DNS:${SECURE_NAME},DNS:localhost,IP:127.0.0.1`;
  const files = ['-keyout', keyFile, '-out', certFile];
  const subject = ['-subj', '/CN=bench', '-addext', names];
  execFileSync('openssl', [...request.split(' '), ...files, ...subject], {
    cwd: folder,
    stdio: 'ignore',
  });
}

/** A token that grants everything requested, in the form that distribution accepts (ES256, with the certificate). @param {readonly string[]} scopes @param {{ key: Buffer, x5c: string }} signer */
function tokenFor(scopes, { key, x5c }) {
  const now = Math.floor(Date.now() / 1000);
  const access = scopes
    .flatMap((scope) => scope.split(' '))
    .map((scope) => {
      const [type = '', ...rest] = scope.split(':');
      const actions = rest.pop() ?? '';
      return { type, name: rest.join(':'), actions: actions.split(',') };
    });
  const claims = {
    iss: ISSUER,
    sub: 'alice',
    aud: SERVICE,
    exp: now + 300,
    nbf: now - 10,
    iat: now,
  };
  /** @param {object} value */
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ typ: 'JWT', alg: 'ES256', x5c: [x5c] })}.${part({ ...claims, access })}`;
  const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

/** Configures a HOME so that tools trust the certificate and log in. @param {string} home @param {Secure} secure @param {readonly string[]} hosts @returns {Record<string, string>} variables */
export function configureSecure(home, { certFile }, hosts) {
  const auth = Buffer.from(`${USER.username}:${USER.password}`).toString('base64');
  const auths = Object.fromEntries(hosts.map((host) => [host, { auth }]));
  const folder = path.join(home, '.docker');
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify({ auths }));
  return { SSL_CERT_FILE: certFile };
}
