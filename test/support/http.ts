import { createHash } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';

/** How a registry of the tests is spoken to: plain HTTP without a user, unless something else is said. */
export interface HttpOptions {
  /** The Authorization header. */
  readonly authorization?: string | undefined;
  /** The certificate authority of a registry that speaks TLS, as PEM. */
  readonly ca?: string | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface ManifestAnswer {
  readonly status: number;
  readonly mediaType: string | undefined;
  /** What Docker-Content-Digest says. */
  readonly digest: string | undefined;
  readonly size: number;
  readonly body: string;
}

const MANIFEST_TYPES = [
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
].join(', ');

const plainAgent = new http.Agent({ keepAlive: true });
const tlsAgent = new https.Agent({ keepAlive: true });

export function sha256(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** The Authorization header of a user and a password. */
export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** One request, its answer whatever the status; nothing is followed, retried or checked. */
export function request(
  method: string,
  url: URL | string,
  headers: http.OutgoingHttpHeaders = {},
  body: Uint8Array = new Uint8Array(),
  options: HttpOptions = {},
): Promise<HttpAnswer> {
  const { authorization, ca } = options;
  const target = new URL(url);
  const isTls = target.protocol === 'https:';
  const all = {
    ...headers,
    ...(authorization === undefined ? {} : { authorization }),
    ...(method === 'GET' || method === 'HEAD' ? {} : { 'content-length': body.length }),
  };
  return new Promise((resolve, reject) => {
    const onResponse = (response: http.IncomingMessage): void => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode = 0, headers: answered } = response;
        resolve({ status: statusCode, headers: answered, body: Buffer.concat(chunks) });
      });
    };
    const sent = isTls
      ? https.request(target, { method, headers: all, agent: tlsAgent, ca }, onResponse)
      : http.request(target, { method, headers: all, agent: plainAgent }, onResponse);
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Pushes a blob and returns its digest. */
export async function putBlob(
  host: string,
  repository: string,
  bytes: Uint8Array,
  options: HttpOptions = {},
): Promise<string> {
  const digest = sha256(bytes);
  const uploads = new URL(`/v2/${repository}/blobs/uploads/`, origin(host, options));
  const started = await request('POST', uploads, {}, undefined, options);
  expectStatus(started, 202, `POST ${uploads.href}`);
  const location = new URL(started.headers.location ?? '', uploads);
  location.searchParams.set('digest', digest);
  const type = { 'content-type': 'application/octet-stream' };
  const stored = await request('PUT', location, type, bytes, options);
  expectStatus(stored, 201, `PUT ${location.href}`);
  return digest;
}

/** Pushes a manifest under a tag or its digest, and returns its digest. */
export async function putManifest(
  host: string,
  repository: string,
  reference: string,
  mediaType: string,
  bytes: Uint8Array,
  options: HttpOptions = {},
): Promise<string> {
  const url = new URL(`/v2/${repository}/manifests/${reference}`, origin(host, options));
  const stored = await request('PUT', url, { 'content-type': mediaType }, bytes, options);
  expectStatus(stored, 201, `PUT ${url.href}`);
  return sha256(bytes);
}

/** What a tag or a digest holds, as the registry has it; a status that is not 200 is not an error. */
export async function getManifest(
  host: string,
  repository: string,
  reference: string,
  options: HttpOptions = {},
): Promise<ManifestAnswer> {
  const url = new URL(`/v2/${repository}/manifests/${reference}`, origin(host, options));
  const { status, headers, body } = await request(
    'GET',
    url,
    { accept: MANIFEST_TYPES },
    undefined,
    options,
  );
  const digest = headers['docker-content-digest'];
  return {
    status,
    mediaType: headers['content-type'],
    digest: typeof digest === 'string' ? digest : undefined,
    size: body.length,
    body: body.toString(),
  };
}

function origin(host: string, options: HttpOptions): string {
  return `${options.ca === undefined ? 'http' : 'https'}://${host}`;
}

function expectStatus(answer: HttpAnswer, status: number, what: string): void {
  if (answer.status !== status)
    throw new Error(`${what}: ${answer.status} ${answer.body.toString().slice(0, 500)}`);
}
