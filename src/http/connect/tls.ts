import path from 'node:path';
import type { SecureContext } from 'node:tls';
import { ManifestToolError, reasonOf } from '../../errors.js';
import {
  findHostDirectory,
  pemCertificates,
  readCertificates,
  readText,
  UnreadableDirectory,
  type CertsRootOptions,
  type ClientPair,
  type HostCertificates,
} from './certs-d.js';

/**
 * Largest SSL_CERT_FILE, in characters, that is read before a chain needs it: about thirty
 * certificates, each of which takes 0.3 ms to add.
 */
const SMALL_PEM_LENGTH = 64 * 1024;

/** Loaded when it is needed: plain HTTP can do without. */
function tls(): typeof import('node:tls') {
  return process.getBuiltinModule('node:tls');
}

/** Settings of TLS with one host. */
export interface TlsSettings {
  /** Authorities to trust in addition to Node's own, as PEM. */
  readonly authorities: readonly string[];
  /** The client certificates, each with its key, as PEM; the next is used if one is refused. */
  readonly clients: readonly ClientPair[];
  readonly rejectUnauthorized: boolean;
  /** Why a directory of certificates could not be read; the error if an authority turns out to lack. */
  readonly unreadable?: ManifestToolError | undefined;
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
  /** Receives a warning about a directory of certificates that cannot be read. */
  readonly onWarning?: ((text: string) => void) | undefined;
  /** Whether TLS is spoken to the host: if not, the authorities of the environment are not read. */
  readonly isTls: boolean;
  /** Whether the certificate of this host is accepted unchecked. */
  readonly insecure: boolean;
  /**
   * Whether the host is a registry of the command. No other host, such as a token server or a
   * storage host, gets a client certificate that is not in a directory of its own.
   */
  readonly isRegistry: boolean;
  /** For a token server: its registry, whose directory serves if it has none of its own. */
  readonly tokenServerOf?: string | undefined;
  /** Ends the wait for a named pipe. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The settings for a host (`host[:port]`, as the user writes it). NODE_EXTRA_CA_CERTS, a small
 * SSL_CERT_FILE, `*.crt` of the host's directory in certs.d, and `caFile` add to the authorities of
 * Node, as those of docker and podman add to the system's.
 * @throws {ManifestToolError} USAGE if only one of `certFile` and `keyFile` is given; CONFIG with the
 * name of a file that cannot be read or used; or the reason of the signal.
 */
export async function tlsSettings(host: string, options: TlsOptions): Promise<TlsSettings> {
  const { caFile, env, insecure, isRegistry, isTls, signal } = options;
  const readGivenPair = givenPair(options);
  const { directory, hasClients } = directoryFor(host, options);
  const found = await readDirectory(
    directory,
    hasClients && !(isRegistry && readGivenPair !== undefined),
    options,
  );
  const given = [
    ...found.ca,
    ...(caFile === undefined ? [] : await fileAuthorities(caFile, signal)),
  ];
  const own = isRegistry ? await readGivenPair?.() : undefined;
  return {
    authorities: isTls ? await withEnvironment(given, env, signal) : [],
    clients: own === undefined ? found.clients : [own],
    rejectUnauthorized: !insecure,
    unreadable: found.unreadable,
  };
}

/**
 * The directory of certificates for a host, and whether its client certificates are for that host:
 * those in a directory that the user made for the host are, whatever it is used for. Those of a
 * registry are not for a token server of another name.
 */
function directoryFor(
  host: string,
  options: TlsOptions,
): { readonly directory: string | undefined; readonly hasClients: boolean } {
  const { certDir, isRegistry, tokenServerOf } = options;
  if (certDir !== undefined) return { directory: certDir, hasClients: isRegistry };
  const own = findHostDirectory(host, options);
  if (own !== undefined || tokenServerOf === undefined) return { directory: own, hasClients: true };
  const name = (of: string): string => of.replace(/:\d+$/, '');
  return {
    directory: findHostDirectory(tokenServerOf, options),
    hasClients: name(host) === name(tokenServerOf),
  };
}

interface FoundCertificates extends HostCertificates {
  readonly unreadable?: ManifestToolError;
}

/**
 * The certificates in a directory. One of the user's own choice must be readable; another one may
 * be there for root alone, and is reported.
 */
async function readDirectory(
  directory: string | undefined,
  withClients: boolean,
  { certDir, onWarning, signal }: TlsOptions,
): Promise<FoundCertificates> {
  if (directory === undefined) return { ca: [], clients: [] };
  try {
    return await readCertificates(directory, withClients, signal);
  } catch (error) {
    const isLost = certDir === undefined && error instanceof UnreadableDirectory;
    if (!isLost) throw error;
    onWarning?.(`${error.message}; its certificates are not used`);
    return { ca: [], clients: [], unreadable: error };
  }
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

/** What a secure context is made of. */
interface ContextSettings {
  readonly authorities: readonly string[];
  readonly client?: ClientPair | undefined;
}

/** The secure contexts of a client: one for each distinct setting, shared by hosts and connections. */
export class SecureContexts {
  private readonly bySetting = new Map<string, SecureContext>();

  /**
   * The context for settings; `host` is for messages.
   * @throws {ManifestToolError} CONFIG if the client certificate and its key cannot be used.
   */
  get(host: string, { authorities, client }: ContextSettings): SecureContext {
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

/** What the {@link HostTls} of a client share. */
export interface SharedTls {
  readonly contexts: SecureContexts;
  /** The authorities that the system trusts, see `systemAuthorities`. */
  readonly systemAuthorities: () => Promise<readonly string[]>;
}

/** TLS with one host: its secure context, which can change while connections are opened. */
export class HostTls {
  readonly rejectUnauthorized: boolean;
  /** Why a directory of certificates could not be read. */
  readonly unreadable: ManifestToolError | undefined;
  /** Whether the host has answered a request, and so needs no other client certificate. */
  isAccepted = false;
  private current: SecureContext;
  private authorities: readonly string[];
  private readonly clients: readonly ClientPair[];
  private client = 0;
  private extended: Promise<Error | undefined> | undefined;

  /** @throws {ManifestToolError} CONFIG if a client certificate and its key cannot be used. */
  constructor(
    private readonly host: string,
    { authorities, clients, rejectUnauthorized, unreadable }: TlsSettings,
    private readonly shared: SharedTls,
  ) {
    this.authorities = authorities;
    this.clients = clients;
    this.rejectUnauthorized = rejectUnauthorized;
    this.unreadable = unreadable;
    this.current = this.context();
  }

  get secureContext(): SecureContext {
    return this.current;
  }

  /** Whether the host gets a client certificate if it asks for one. */
  get hasClient(): boolean {
    return this.clients.length > 0;
  }

  /**
   * Trusts what the system trusts as well, if that is more. Only a chain that Node's own authorities
   * do not verify needs it: the bundle of a distribution takes 30 ms to read and to add.
   * @returns why that was not possible; undefined if it was
   */
  trustSystem(): Promise<Error | undefined> {
    return (this.extended ??= this.extend().then(
      () => undefined,
      (error: Error) => error,
    ));
  }

  /**
   * Goes on to the next client certificate after one that the server has refused; false if there is
   * none.
   * @param used the context of the connection that was refused: another one may be in use by now
   */
  useNextClient(used: SecureContext): boolean {
    if (used !== this.current) return true;
    if (this.client + 1 >= this.clients.length) return false;
    this.client += 1;
    this.current = this.context();
    return true;
  }

  private async extend(): Promise<void> {
    const known = new Set([...tls().rootCertificates, ...this.authorities].map(encodedPart));
    const system = await this.shared.systemAuthorities();
    const added = system.filter((authority) => !known.has(encodedPart(authority)));
    if (added.length === 0) return;
    this.authorities = [...this.authorities, ...added];
    this.current = this.context();
  }

  private context(): SecureContext {
    const { authorities, client, clients, host } = this;
    return this.shared.contexts.get(host, { authorities, client: clients[client] });
  }
}

/** Adds to the authorities of a context; those of other contexts stay as they are. */
function addAuthority({ context }: SecureContext, pem: string): void {
  (context as { addCACert(pem: string): void }).addCACert(pem);
}

/**
 * The given authorities with those of a small SSL_CERT_FILE and, if there are any, of
 * NODE_EXTRA_CA_CERTS: a context to which authorities are added loses these in Node 20.
 */
async function withEnvironment(
  given: readonly string[],
  env: TlsOptions['env'],
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const extraFile = env['NODE_EXTRA_CA_CERTS'] ?? '';
  const sslFile = env['SSL_CERT_FILE'] ?? '';
  const isSame = extraFile !== '' && path.resolve(extraFile) === path.resolve(sslFile || '.');
  const own = isSame ? '' : await readOptional(sslFile, signal);
  // A larger one is a system's bundle, see HostTls.trustSystem.
  const added = own.length > SMALL_PEM_LENGTH ? given : [...given, ...pemCertificates(own)];
  if (added.length === 0) return [];
  const bundled = new Set(tls().rootCertificates.map(encodedPart));
  const extra = pemCertificates(await readOptional(extraFile, signal));
  return [
    ...new Set([...added, ...extra.filter((authority) => !bundled.has(encodedPart(authority)))]),
  ];
}

/** The text of a file that a variable names; Node and Go ignore one that is not readable. */
async function readOptional(file: string, signal: AbortSignal | undefined): Promise<string> {
  if (file === '') return '';
  try {
    return await readText(file, { signal });
  } catch {
    signal?.throwIfAborted();
    return '';
  }
}

/** The Base64 of a PEM certificate, which is the same whatever the length of its lines. */
function encodedPart(pem: string): string {
  const lines = pem.trim().split('\n');
  return lines.slice(1, -1).join('');
}

async function fileAuthorities(caFile: string, signal: AbortSignal | undefined): Promise<string[]> {
  const certificates = pemCertificates(
    await readText(caFile, { what: `CA file ${caFile}`, signal }),
  );
  if (certificates.some(isCertificate)) return certificates;
  const why = 'it contains no certificate in PEM format';
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
function givenPair({
  certFile,
  keyFile,
  signal,
}: TlsOptions): (() => Promise<ClientPair>) | undefined {
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
  return async () => {
    const [cert, key] = await Promise.all([
      readText(certFile, { what: `client certificate ${certFile}`, signal }),
      readText(keyFile, { what: `client key ${keyFile}`, signal }),
    ]);
    return { cert, key };
  };
}
