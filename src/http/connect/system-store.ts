import { readdirSync } from 'node:fs';
import path from 'node:path';
import { pemCertificates, readText } from './certs-d.js';

/** Where distributions keep their bundle; the first that exists counts (Go, crypto/x509). */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];
const DIRECTORIES = ['/etc/ssl/certs', '/etc/pki/tls/certs'];

/** Where to look for the system's authorities. */
export interface SystemStoreOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform?: NodeJS.Platform | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The authorities that the system trusts, each as PEM: those of SSL_CERT_FILE or else of the
 * distribution's bundle, and those in the directories of SSL_CERT_DIR or else of the distribution;
 * on macOS and Windows those that Node finds in the system's store. What cannot be read is left out,
 * as in Go and OpenSSL.
 * @throws the reason of the signal.
 */
export async function systemAuthorities({
  env,
  platform = process.platform,
  signal,
}: SystemStoreOptions): Promise<string[]> {
  const { SSL_CERT_FILE: file = '', SSL_CERT_DIR: directories = '' } = env;
  const isUnix = platform !== 'win32' && platform !== 'darwin';
  const bundles = file !== '' ? [file] : isUnix ? BUNDLES : [];
  const listed = directories !== '' ? directories.split(path.delimiter) : isUnix ? DIRECTORIES : [];
  const found = [
    ...(await firstOf(bundles, signal)),
    ...(await Promise.all(listed.flatMap(filesIn).map((each) => read(each, signal)))).flat(),
    ...(isUnix ? [] : storeOfNode()),
  ];
  return [...new Set(found)];
}

async function firstOf(
  files: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string[]> {
  for (const file of files) {
    const found = await read(file, signal);
    if (found.length > 0) return found;
  }
  return [];
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory).map((name) => path.join(directory, name));
  } catch {
    return [];
  }
}

async function read(file: string, signal: AbortSignal | undefined): Promise<string[]> {
  try {
    return pemCertificates(await readText(file, { signal }));
  } catch {
    signal?.throwIfAborted();
    return [];
  }
}

/** The system's store, from Node 22.15 on. */
function storeOfNode(): readonly string[] {
  const { getCACertificates } = process.getBuiltinModule('node:tls') as {
    getCACertificates?: (type: 'system') => string[];
  };
  return getCACertificates?.('system') ?? [];
}
