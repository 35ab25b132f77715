import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { hostAliases } from '../../docker-hub.js';
import { ManifestToolError, systemCode, unreadableHint } from '../../errors.js';
import { readFile } from '../../read-file.js';

/** A certificate with its private key, both as PEM. */
export interface ClientPair {
  readonly cert: string;
  readonly key: string;
}

/** The contents of a directory of certificates. */
export interface HostCertificates {
  /** The certificates of authorities (`*.crt`), each as PEM. */
  readonly ca: readonly string[];
  /** Each `*.cert` with the `*.key` of the same name, sorted by name. */
  readonly clients: readonly ClientPair[];
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

/** Largest file of certificates, in bytes. The bundle of a distribution has 0.2 MiB. */
export const MAX_PEM_BYTES = 16 * 1024 * 1024;

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
 * Reads a directory of certificates, as docker and podman do: `*.crt` are authorities, each `*.cert`
 * with the `*.key` of the same name is a client certificate; these are read only `withClients`.
 * @param signal ends the wait for a named pipe
 * @throws {ManifestToolError} CONFIG with the name of the directory or of a file that cannot be read,
 * or whose other half of the pair is missing.
 */
export async function readCertificates(
  directory: string,
  withClients: boolean,
  signal?: AbortSignal,
): Promise<HostCertificates> {
  const names = listing(directory).toSorted();
  const read = (name: string): Promise<string> => readText(path.join(directory, name), { signal });
  const authorities = await Promise.all(names.filter((name) => name.endsWith('.crt')).map(read));
  const ca = authorities.flatMap(pemCertificates);
  if (!withClients) return { ca, clients: [] };
  const pairs = pairsIn(directory, names);
  const clients = pairs.map(async (stem) => {
    const [cert, key] = await Promise.all([read(`${stem}.cert`), read(`${stem}.key`)]);
    return { cert, key };
  });
  return { ca, clients: await Promise.all(clients) };
}

/** The names of the pairs of certificate and key, without their ends. */
function pairsIn(directory: string, names: readonly string[]): string[] {
  const stems = (end: string): string[] =>
    names.filter((name) => name.endsWith(end)).map((name) => name.slice(0, -end.length));
  const [certs, keys] = [stems('.cert'), stems('.key')];
  const lonely = certs.find((stem) => !keys.includes(stem));
  if (lonely !== undefined) {
    throw missing(
      path.join(directory, `${lonely}.cert`),
      `${lonely}.key`,
      'the certificate of an authority is named *.crt',
    );
  }
  const keyAlone = keys.find((stem) => !certs.includes(stem));
  if (keyAlone !== undefined) {
    throw missing(
      path.join(directory, `${keyAlone}.key`),
      `${keyAlone}.cert`,
      'a client certificate needs both: add it, or remove the key',
    );
  }
  return certs;
}

/** The certificates in a PEM file, with the line ends of Node's own. */
export function pemCertificates(text: string): string[] {
  return text.replaceAll('\r\n', '\n').match(CERTIFICATES) ?? [];
}

/** How {@link readText} reads and reports a file. */
export interface ReadTextOptions {
  /** The file in messages; its path by default. */
  readonly what?: string;
  /** Ends the wait for a named pipe. */
  readonly signal?: AbortSignal | undefined;
}

/** @throws {ManifestToolError} CONFIG, with the name of the file; or the reason of the signal. */
export async function readText(
  file: string,
  { what = file, signal }: ReadTextOptions = {},
): Promise<string> {
  let bytes: Buffer | undefined;
  try {
    bytes = await readFile(file, { maxBytes: MAX_PEM_BYTES, signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw unreadable(what, error);
  }
  if (bytes !== undefined) return bytes.toString();
  const why = `it is larger than ${MAX_PEM_BYTES / 1024 / 1024} MiB`;
  throw new ManifestToolError('CONFIG', `reading ${what}`, why, {
    hint: 'use a file with certificates in PEM format',
  });
}

function listing(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    const { code, what, why, hint } = unreadable(directory, error);
    throw new UnreadableDirectory(code, what, why, { cause: error, hint });
  }
}

/** A directory of certificates that cannot be read. */
export class UnreadableDirectory extends ManifestToolError {}

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
  const why = code === 'ENOENT' ? 'no such file or directory' : `it is unreadable (${code})`;
  const hint = unreadableHint(error);
  return new ManifestToolError('CONFIG', `reading ${what}`, why, { cause: error, hint });
}

function missing(file: string, other: string, hint: string): ManifestToolError {
  return new ManifestToolError('CONFIG', `reading ${file}`, `${other} is missing beside it`, {
    hint,
  });
}
