import path from 'node:path';
import type { SecureContext } from 'node:tls';
import { ManifestToolError, reasonOf } from '../../errors.js';
import {
  findHostDirectory,
  pemCertificates,
  readCertificates,
  readText,
  type CertsRootOptions,
  type ClientPair,
} from './certs-d.js';

type Tls = typeof import('node:tls');

/** Loaded when it is needed: plain HTTP takes none of it. */
function tls(): Tls {
  return process.getBuiltinModule('node:tls');
}

/** How to speak TLS to one host. */
export interface TlsSettings {
  /** All authorities to trust, Node's own among them; absent where Node's own are enough (a list costs 40 ms to load). */
  readonly ca?: readonly string[];
  readonly cert?: string;
  readonly key?: string;
  readonly rejectUnauthorized: boolean;
}

/** What the user says about TLS. */
export interface TlsOptions extends CertsRootOptions {
  /** `--ca-file`: authorities to trust as well, at every host. */
  readonly caFile?: string | undefined;
  /** `--cert-file` and `--key-file`: the client's certificate for registries. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** `--cert-dir`: a directory that stands for that of every host. */
  readonly certDir?: string | undefined;
  /** Whether TLS is spoken to the host: where it is not, no roots are read. */
  readonly isTls: boolean;
  /** Whether the certificate of this host goes unchecked. */
  readonly insecure: boolean;
  /** Whether the host is a registry of the command. No other one (a token realm, a CDN) is shown a client certificate. */
  readonly isRegistry: boolean;
}

/**
 * The settings for a host (`host[:port]`, as the user writes it). Authorities add to Node's own, as docker's and podman's add to the
 * system's: NODE_EXTRA_CA_CERTS, SSL_CERT_FILE, `*.crt` of the host's certs.d (or of `--cert-dir`), and `--ca-file`.
 *
 * @throws {ManifestToolError} USAGE: `--cert-file` without `--key-file` or the other way round; CONFIG, with the name of the file: one that
 * was asked for cannot be read or is of no use.
 */
export function tlsSettings(host: string, options: TlsOptions): TlsSettings {
  const { caFile, certDir, env, isRegistry, isTls } = options;
  const given = givenPair(options);
  const directory = certDir ?? findHostDirectory(host, options);
  const found =
    directory === undefined
      ? { ca: [] }
      : readCertificates(directory, isRegistry && given === undefined);
  const additions = [...found.ca, ...(caFile === undefined ? [] : authoritiesOf(caFile))];
  const ca = isTls ? withDefaultRoots(env, additions) : undefined;
  const client = isRegistry ? (given?.() ?? found.client) : undefined;
  return { ...(ca && { ca }), ...client, rejectUnauthorized: !options.insecure };
}

/** Settings by which TLS is meant for some host or other. */
export type TlsSettingsGiven = Pick<TlsOptions, 'caFile' | 'certFile' | 'keyFile' | 'certDir'>;

/**
 * How much says that TLS is meant for a host of this machine, which is spoken to in plain HTTP where nothing does: a directory of
 * certificates for that very host is certain, options for all hosts may be meant for another one.
 */
export function tlsIsMeant(
  host: string,
  options: CertsRootOptions & TlsSettingsGiven & { readonly insecure: boolean },
): 'certainly' | 'perhaps' | 'no' {
  if (findHostDirectory(host, options) !== undefined) return 'certainly';
  const { caFile, certFile, keyFile, certDir, insecure } = options;
  const given = [caFile, certFile, keyFile, certDir].some((option) => option !== undefined);
  return given || insecure ? 'perhaps' : 'no';
}

/**
 * The settings made ready once for all connections to a host; undefined where Node's own will do.
 *
 * @throws {ManifestToolError} CONFIG: the client's certificate and its key are not usable.
 */
export function secureContextOf(host: string, settings: TlsSettings): SecureContext | undefined {
  const { ca, cert, key } = settings;
  if (ca === undefined && cert === undefined) return undefined;
  try {
    return tls().createSecureContext({ ...(ca && { ca: [...ca] }), cert, key });
  } catch (error) {
    throw new ManifestToolError('CONFIG', `loading the certificates for ${host}`, reasonOf(error), {
      cause: error,
      hint: 'check that certificate and key are in PEM form, belong together, and need no passphrase',
    });
  }
}

/** Node takes a list of authorities instead of its own and NODE_EXTRA_CA_CERTS, so a list has to hold these as well. */
function withDefaultRoots(
  env: TlsOptions['env'],
  additions: readonly string[],
): string[] | undefined {
  const extraFile = env['NODE_EXTRA_CA_CERTS'] ?? '';
  const sslFile = env['SSL_CERT_FILE'] ?? '';
  const isSame = extraFile !== '' && path.resolve(extraFile) === path.resolve(sslFile || '.');
  const wanted = [...(isSame ? [] : optionalAuthorities(sslFile)), ...additions];
  // Without this the common case would load all roots only to find that nothing is to be added.
  if (wanted.length === 0) return undefined;
  const known = new Set([...defaultRoots(), ...optionalAuthorities(extraFile)]);
  if (wanted.every((certificate) => known.has(certificate))) return undefined;
  return [...new Set([...known, ...wanted])];
}

/** What Node trusts by itself; newer ones know of the system's roots too (`--use-system-ca`). */
function defaultRoots(): readonly string[] {
  const { getCACertificates, rootCertificates } = tls() as Tls & {
    getCACertificates?: (type: 'default') => string[];
  };
  const roots = getCACertificates?.('default') ?? rootCertificates;
  return roots.map((certificate) => certificate.trim());
}

/** A variable that names no readable file is passed over, as Node and Go do. */
function optionalAuthorities(file: string): string[] {
  if (file === '') return [];
  try {
    return pemCertificates(readText(file));
  } catch {
    return [];
  }
}

function authoritiesOf(caFile: string): string[] {
  const certificates = pemCertificates(readText(caFile, `--ca-file ${caFile}`));
  if (certificates.some(isCertificate)) return certificates;
  throw new ManifestToolError(
    'CONFIG',
    `reading --ca-file ${caFile}`,
    'it holds no certificate in PEM form',
    { hint: `\`openssl x509 -inform der -in ${caFile}\` prints one that is in DER form as PEM` },
  );
}

function isCertificate(pem: string): boolean {
  try {
    const { X509Certificate } = process.getBuiltinModule('node:crypto');
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

/** The pair that the options name, read when it is called for. */
function givenPair({ certFile, keyFile }: TlsOptions): (() => ClientPair) | undefined {
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined) {
    const [given, missing] =
      certFile === undefined ? ['--key-file', '--cert-file'] : ['--cert-file', '--key-file'];
    throw new ManifestToolError('USAGE', `reading ${given}`, `${missing} is missing`, {
      hint: 'a client certificate needs both',
    });
  }
  return () => ({
    cert: readText(certFile, `--cert-file ${certFile}`),
    key: readText(keyFile, `--key-file ${keyFile}`),
  });
}
