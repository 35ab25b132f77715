import { readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { hostAliases } from '../../docker-hub.js';
import { ManifestToolError, systemCode, unreadableHint } from '../../errors.js';

/** A certificate with its private key, both as PEM. */
export interface ClientPair {
  readonly cert: string;
  readonly key: string;
}

/** The contents of a directory of certificates. */
export interface HostCertificates {
  /** The certificates of authorities (`*.crt`), each as PEM. */
  readonly ca: readonly string[];
  /** The first `*.cert` by name, with the `*.key` of the same name. */
  readonly client?: ClientPair;
}

/** Where the directories of hosts are. */
export interface CertsRootOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform?: NodeJS.Platform | undefined;
  /** Default: HOME of the environment. */
  readonly homeDir?: string | undefined;
  /** Replaces the directories that contain those of the hosts, for tests. */
  readonly certsRoots?: readonly string[] | undefined;
}

const CERTIFICATES =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/**
 * The directories that may contain one for a host: those of containers-certs.d(5), then that of
 * rootless docker. On Windows only docker has one.
 */
export function certsRoots(options: CertsRootOptions): readonly string[] {
  const { env, homeDir = env['HOME'], platform = process.platform } = options;
  if (options.certsRoots !== undefined) return options.certsRoots;
  if (platform === 'win32') {
    const programs = env['PROGRAMDATA'];
    return programs === undefined ? [] : [path.win32.join(programs, 'docker', 'certs.d')];
  }
  const home = (name: string): string[] =>
    homeDir === undefined || homeDir === ''
      ? []
      : [path.posix.join(homeDir, '.config', name, 'certs.d')];
  return [
    ...home('containers'),
    '/etc/containers/certs.d',
    '/etc/docker/certs.d',
    ...home('docker'),
  ];
}

/**
 * The first directory that exists for a host (`host[:port]`, as the user writes it: the port must be
 * the same). Further ones are ignored, as in containers-certs.d(5).
 */
export function findHostDirectory(host: string, options: CertsRootOptions): string | undefined {
  // `https://../` is a valid URL, whose host must not lead to another directory.
  if (host === '' || host === '.' || host === '..' || /[/\\]/.test(host)) return undefined;
  const names = hostAliases(host);
  const isWindows = (options.platform ?? process.platform) === 'win32';
  return certsRoots(options)
    .flatMap((root) =>
      names.map((name) => path.join(root, isWindows ? name.replaceAll(':', '') : name)),
    )
    .find(isDirectory);
}

/**
 * Reads a directory of certificates, as docker and podman do: `*.crt` are authorities, `*.cert` with
 * the `*.key` of the same name is a client certificate, which is read only `withClient`.
 * @throws {ManifestToolError} CONFIG with the name of a file that cannot be read, or whose other half
 * of the pair is missing.
 */
export function readCertificates(directory: string, withClient: boolean): HostCertificates {
  const names = listing(directory).toSorted();
  const at = (name: string): string => path.join(directory, name);
  const ca = names
    .filter((name) => name.endsWith('.crt'))
    .flatMap((name) => pemCertificates(readText(at(name))));
  if (!withClient) return { ca };

  const stems = (end: string): string[] =>
    names.filter((name) => name.endsWith(end)).map((name) => name.slice(0, -end.length));
  const [certs, keys] = [stems('.cert'), stems('.key')];
  const lonely = certs.find((stem) => !keys.includes(stem));
  if (lonely !== undefined) {
    throw missing(
      at(`${lonely}.cert`),
      `${lonely}.key`,
      'the certificate of an authority is named *.crt',
    );
  }
  const keyAlone = keys.find((stem) => !certs.includes(stem));
  if (keyAlone !== undefined) {
    throw missing(
      at(`${keyAlone}.key`),
      `${keyAlone}.cert`,
      'a client certificate needs both: put it there, or take the key away',
    );
  }
  // Node takes one client certificate; Go would send the first of several that the server accepts.
  const [first] = certs;
  if (first === undefined) return { ca };
  return {
    ca,
    client: { cert: readText(at(`${first}.cert`)), key: readText(at(`${first}.key`)) },
  };
}

/** The certificates in a PEM file, with the line ends of Node's own. */
export function pemCertificates(text: string): string[] {
  return text.replaceAll('\r\n', '\n').match(CERTIFICATES) ?? [];
}

/** @throws {ManifestToolError} CONFIG, with the name of the file. */
export function readText(file: string, what = file): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw unreadable(what, error);
  }
}

function listing(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    throw unreadable(directory, error);
  }
}

/** Whether a directory exists that this user can see. */
function isDirectory(candidate: string): boolean {
  try {
    return statSync(candidate).isDirectory();
  } catch {
    return false;
  }
}

function unreadable(what: string, error: unknown): ManifestToolError {
  const code = systemCode(error) ?? 'unknown error';
  const why =
    code === 'ENOENT' ? 'there is no such file or directory' : `it is unreadable (${code})`;
  const hint = unreadableHint(error);
  return new ManifestToolError('CONFIG', `reading ${what}`, why, { cause: error, hint });
}

function missing(file: string, other: string, hint: string): ManifestToolError {
  return new ManifestToolError('CONFIG', `reading ${file}`, `there is no ${other} beside it`, {
    hint,
  });
}
