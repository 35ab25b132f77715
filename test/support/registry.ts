import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { makeCertificate, type Certificate } from './certificate.js';
import { request } from './http.js';
import { supervise, temporaryFolder, type Supervised } from './supervise.js';
import type { TokenServer } from './token-server.js';

/** The one user of a registry with `htpasswd`. */
export const USER = { username: 'alice', password: 'secret' } as const;

export interface RegistryOptions {
  /** Speaks TLS, with a certificate that nobody trusts. */
  readonly tls?: boolean;
  /** With `tls`: a file of the authorities of clients, which need a certificate of one of them. */
  readonly clientCaFile?: string;
  /** Asks for {@link USER} by Basic authentication. */
  readonly htpasswd?: boolean;
  /** Asks for tokens of this server. */
  readonly token?: TokenServer;
  /** Whether manifests and blobs can be deleted (default true). */
  readonly delete?: boolean;
}

export interface Registry {
  /** `127.0.0.1:PORT`, as references have it. */
  readonly host: string;
  readonly url: string;
  /** The certificate of a registry with `tls`, as a file and as PEM. */
  readonly caFile: string | undefined;
  readonly ca: string | undefined;
  /** Where its data are, as the filesystem driver of distribution lays them out. */
  readonly dataFolder: string;
  stop(): Promise<void>;
}

/** Starts the real registry (distribution 2.8) on a free port of 127.0.0.1, empty, and waits until it answers. */
export async function startRegistry(options: RegistryOptions = {}): Promise<Registry> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(options);
    } catch (error) {
      // Between finding the port and listening on it, something else may have taken it.
      if (attempt === 3 || !String(error).includes('address already in use')) throw error;
    }
  }
}

async function start(options: RegistryOptions): Promise<Registry> {
  const folder = await temporaryFolder();
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const certificate = options.tls === true ? await makeCertificate(folder) : undefined;
  if (options.htpasswd === true) await writeHtpasswd(path.join(folder, 'htpasswd'));
  const configFile = path.join(folder, 'config.yml');
  // JSON is YAML.
  await writeFile(configFile, JSON.stringify(configuration(folder, host, options, certificate)));

  const url = `${certificate === undefined ? 'http' : 'https'}://${host}`;
  const ca = certificate === undefined ? undefined : await readFile(certificate.certFile, 'utf8');
  const server: Supervised = supervise(folder, 'docker-registry', ['serve', configFile]);
  const isReady =
    options.clientCaFile === undefined ? () => answers(`${url}/v2/`, ca) : () => accepts(port);
  await server.ready(isReady, 20_000);
  return {
    host,
    url,
    caFile: certificate?.certFile,
    ca,
    dataFolder: path.join(folder, 'data'),
    stop: server.stop,
  };
}

function configuration(
  folder: string,
  host: string,
  options: RegistryOptions,
  certificate: Certificate | undefined,
): object {
  const { token } = options;
  const auth = {
    ...(options.htpasswd === true
      ? { htpasswd: { realm: 'test', path: path.join(folder, 'htpasswd') } }
      : {}),
    ...(token === undefined
      ? {}
      : {
          token: {
            realm: token.realm,
            service: token.service,
            issuer: token.issuer,
            rootcertbundle: token.certFile,
          },
        }),
  };
  return {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: path.join(folder, 'data') },
      delete: { enabled: options.delete ?? true },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: {
      addr: host,
      secret: 'test',
      ...(certificate === undefined
        ? {}
        : {
            tls: {
              certificate: certificate.certFile,
              key: certificate.keyFile,
              ...(options.clientCaFile === undefined ? {} : { clientcas: [options.clientCaFile] }),
            },
          }),
    },
    ...(Object.keys(auth).length === 0 ? {} : { auth }),
    // Foreign layers name where they are.
    validation: { manifests: { urls: { allow: ['^https?://'] } } },
  };
}

async function writeHtpasswd(file: string): Promise<void> {
  const { stdout } = await promisify(execFile)('htpasswd', [
    '-Bbn',
    '-C',
    '5',
    USER.username,
    USER.password,
  ]);
  await writeFile(file, stdout);
}

async function answers(url: string, ca: string | undefined): Promise<boolean> {
  try {
    const { status } = await request('GET', url, {}, undefined, { ca });
    return status === 200 || status === 401;
  } catch {
    return false;
  }
}

/** Whether something accepts connections to a port of 127.0.0.1. */
function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** A port of 127.0.0.1 on which nothing listens now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  return port;
}
