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

/** Loaded when it is needed: plain HTTP can do without. */
function tls(): typeof import('node:tls') {
  return process.getBuiltinModule('node:tls');
}

/** Settings of TLS with one host. */
export interface TlsSettings {
  /** Authorities to trust in addition to Node's own, as PEM. */
  readonly authorities: readonly string[];
  /** The client's certificate with its key, as PEM. */
  readonly client?: ClientPair | undefined;
  readonly rejectUnauthorized: boolean;
}

/** What the user says about TLS. */
export interface TlsOptions extends CertsRootOptions {
  /** File of authorities to trust in addition, at every host. */
  readonly caFile?: string | undefined;
  /** Files of the client certificate for registries, and of its key. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** Directory of certificates that replaces those of the hosts. */
  readonly certDir?: string | undefined;
  /** Whether TLS is spoken to the host: if not, the authorities of the environment are not read. */
  readonly isTls: boolean;
  /** Whether the certificate of this host is accepted unchecked. */
  readonly insecure: boolean;
  /**
   * Whether the host is a registry of the command. No other host, such as a token server or a
   * storage host, gets a client certificate.
   */
  readonly isRegistry: boolean;
}

/**
 * The settings for a host (`host[:port]`, as the user writes it). NODE_EXTRA_CA_CERTS, SSL_CERT_FILE,
 * `*.crt` of the host's directory in certs.d, and `caFile` add to the authorities of Node, as those
 * of docker and podman add to the system's.
 * @throws {ManifestToolError} USAGE if only one of `certFile` and `keyFile` is given; CONFIG with the
 * name of a file that cannot be read or used.
 */
export function tlsSettings(host: string, options: TlsOptions): TlsSettings {
  const { caFile, certDir, env, insecure, isRegistry, isTls } = options;
  const readGivenPair = givenPair(options);
  const directory = certDir ?? findHostDirectory(host, options);
  const found =
    directory === undefined
      ? { ca: [] }
      : readCertificates(directory, isRegistry && readGivenPair === undefined);
  const given = [...found.ca, ...(caFile === undefined ? [] : fileAuthorities(caFile))];
  const client = isRegistry ? (readGivenPair?.() ?? found.client) : undefined;
  return {
    authorities: isTls ? withEnvironment(given, env) : [],
    client,
    rejectUnauthorized: !insecure,
  };
}

/** Settings that suggest TLS for some host or other. */
export type TlsSettingsGiven = Pick<TlsOptions, 'caFile' | 'certFile' | 'keyFile' | 'certDir'>;

/**
 * Whether TLS is intended for a loopback host, which gets plain HTTP by default. A directory of
 * certificates for this very host makes it certain; options for all hosts may concern another one.
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

/** The secure contexts of a client: one for each distinct setting, shared by hosts and connections. */
export class SecureContexts {
  private readonly bySetting = new Map<string, SecureContext>();

  /**
   * The context for settings; `host` is for messages.
   * @throws {ManifestToolError} CONFIG if the client certificate and its key cannot be used.
   */
  get(
    host: string,
    { authorities, client }: Omit<TlsSettings, 'rejectUnauthorized'>,
  ): SecureContext {
    const key = JSON.stringify([authorities, client]);
    const known = this.bySetting.get(key);
    if (known !== undefined) return known;
    try {
      const context = tls().createSecureContext({ ...client });
      // In place of the option `ca`, for which Node would parse its own authorities again: 20 ms.
      for (const authority of authorities) addAuthority(context, authority);
      this.bySetting.set(key, context);
      return context;
    } catch (error) {
      const what = `loading the certificates for ${host}`;
      throw new ManifestToolError('CONFIG', what, reasonOf(error), {
        cause: error,
        hint: 'check that certificate and key are in PEM form, belong together, and need no passphrase',
      });
    }
  }
}

/** Adds to the authorities of a context; those of other contexts stay as they are. */
function addAuthority({ context }: SecureContext, pem: string): void {
  (context as { addCACert(pem: string): void }).addCACert(pem);
}

/**
 * The given authorities with those of SSL_CERT_FILE and, if there are any, of NODE_EXTRA_CA_CERTS: a
 * context to which authorities are added loses these in Node 20.
 */
function withEnvironment(given: readonly string[], env: TlsOptions['env']): string[] {
  const extraFile = env['NODE_EXTRA_CA_CERTS'] ?? '';
  const sslFile = env['SSL_CERT_FILE'] ?? '';
  const isSame = extraFile !== '' && path.resolve(extraFile) === path.resolve(sslFile || '.');
  const added = [...given, ...(isSame ? [] : unbundledAuthorities(sslFile))];
  return added.length === 0 ? [] : [...new Set([...added, ...unbundledAuthorities(extraFile)])];
}

/**
 * The authorities in a file that are not bundled with Node; a system's file has mostly these, and
 * each takes 0.3 ms to add. Node and Go ignore a variable that names no readable file.
 */
function unbundledAuthorities(file: string): string[] {
  if (file === '') return [];
  let authorities: string[];
  try {
    authorities = pemCertificates(readText(file));
  } catch {
    return [];
  }
  if (authorities.length === 0) return [];
  const bundled = new Set(tls().rootCertificates.map(encodedPart));
  return authorities.filter((authority) => !bundled.has(encodedPart(authority)));
}

/** The Base64 of a PEM certificate, which is the same whatever the length of its lines. */
function encodedPart(pem: string): string {
  const lines = pem.trim().split('\n');
  return lines.slice(1, -1).join('');
}

function fileAuthorities(caFile: string): string[] {
  const certificates = pemCertificates(readText(caFile, `CA file ${caFile}`));
  if (certificates.some(isCertificate)) return certificates;
  const why = 'it holds no certificate in PEM form';
  throw new ManifestToolError('CONFIG', `reading CA file ${caFile}`, why, {
    hint: `\`openssl x509 -inform der -in ${caFile}\` converts a certificate in DER form to PEM`,
  });
}

function isCertificate(pem: string): boolean {
  try {
    const { X509Certificate } = process.getBuiltinModule('node:crypto');
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

/** Reads the pair that the options name; undefined if they name none. */
function givenPair({ certFile, keyFile }: TlsOptions): (() => ClientPair) | undefined {
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (keyFile === undefined) {
    const what = `using client certificate ${certFile}`;
    throw new ManifestToolError('USAGE', what, 'its key is missing', {
      reason: 'client-key-missing',
    });
  }
  if (certFile === undefined) {
    throw new ManifestToolError(
      'USAGE',
      `using client key ${keyFile}`,
      'its certificate is missing',
      {
        reason: 'client-certificate-missing',
      },
    );
  }
  return () => ({
    cert: readText(certFile, `client certificate ${certFile}`),
    key: readText(keyFile, `client key ${keyFile}`),
  });
}
