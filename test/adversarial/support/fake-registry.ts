import { sha256 } from '../../support/http.js';
import { failure, type Reply, type Seen } from './scripted.js';

export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';

export interface Stored {
  readonly mediaType: string;
  readonly bytes: Buffer;
  readonly digest: string;
}

export interface ImageOptions {
  readonly os?: string;
  readonly architecture?: string;
  /** Makes its blobs others than those of images with another text. */
  readonly text?: string;
  /** The indentation of its JSON (default: none). */
  readonly indent?: number;
  readonly oci?: boolean;
  /** The least size of its layer, in bytes. */
  readonly layerSize?: number;
}

/** The parts of an image. */
export interface MadeImage extends Stored {
  readonly config: Buffer;
  readonly layer: Buffer;
}

export function makeImage(options: ImageOptions = {}): MadeImage {
  const { os = 'linux', architecture = 'amd64', text = '', indent, oci = false } = options;
  const { layerSize = 0 } = options;
  const config = Buffer.from(JSON.stringify({ os, architecture, author: text }));
  const layer = Buffer.from(`layer of ${os}/${architecture} ${text}`.padEnd(layerSize));
  const mediaType = oci ? OCI_MANIFEST : DOCKER_MANIFEST;
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: descriptor(
      oci
        ? 'application/vnd.oci.image.config.v1+json'
        : 'application/vnd.docker.container.image.v1+json',
      config,
    ),
    layers: [
      descriptor(
        oci
          ? 'application/vnd.oci.image.layer.v1.tar+gzip'
          : 'application/vnd.docker.image.rootfs.diff.tar.gzip',
        layer,
      ),
    ],
  };
  const bytes = Buffer.from(JSON.stringify(manifest, undefined, indent));
  return { mediaType, bytes, digest: sha256(bytes), config, layer };
}

function descriptor(
  mediaType: string,
  bytes: Uint8Array,
): { mediaType: string; size: number; digest: string } {
  return { mediaType, size: bytes.length, digest: sha256(bytes) };
}

/** A list of images as bytes. */
export function makeList(images: readonly (Stored & { platform?: object })[]): Stored {
  const manifests = images.map(({ mediaType, bytes, platform }) => ({
    ...descriptor(mediaType, bytes),
    ...(platform === undefined ? {} : { platform }),
  }));
  return stored(DOCKER_LIST, { schemaVersion: 2, mediaType: DOCKER_LIST, manifests });
}

export function stored(mediaType: string, document: unknown): Stored {
  const bytes = Buffer.from(JSON.stringify(document));
  return { mediaType, bytes, digest: sha256(bytes) };
}

/** A registry in memory: it answers rightly, and takes everything, an index without its children as well. */
export class FakeRegistry {
  /** By `repository:tag` and `repository@digest`. */
  readonly manifests = new Map<string, Stored>();
  /** By `repository@digest`. */
  readonly blobs = new Map<string, Buffer>();
  private sessions = 0;

  addImage(repository: string, tag: string, options: ImageOptions = {}): MadeImage {
    const image = makeImage(options);
    this.addManifest(repository, tag, image);
    for (const blob of [image.config, image.layer])
      this.blobs.set(`${repository}@${sha256(blob)}`, blob);
    return image;
  }

  addManifest(repository: string, tag: string, manifest: Stored): void {
    this.manifests.set(`${repository}:${tag}`, manifest);
    this.manifests.set(`${repository}@${manifest.digest}`, manifest);
  }

  /** Images of the platforms that {@link pushArguments} asks for. */
  addPlatforms(repository: string, count = 2): MadeImage[] {
    return Array.from({ length: count }, (_, index) => {
      const [os, architecture] = PLATFORMS[index]!.split('/') as [string, string];
      return this.addImage(repository, `${os}-${architecture}`, { os, architecture });
    });
  }

  answer(request: Seen): Reply {
    const { method, path } = request;
    if (path === '/v2/') return { status: 200 };
    const [, repository = '', kind = '', rest = ''] =
      /^\/v2\/(.+?)\/(manifests|blobs)\/(.*)$/.exec(path) ?? [];
    if (kind === 'manifests') {
      return method === 'PUT'
        ? this.put(repository, rest, request)
        : this.readManifest(repository, rest);
    }
    if (kind !== 'blobs') return failure(404, 'UNSUPPORTED', 'there is nothing there');
    if (rest === 'uploads/' && method === 'POST') return this.mount(repository, request);
    if (method === 'DELETE') return { status: 204 };
    if (rest.startsWith('uploads/') && method === 'PUT') return this.commit(repository, request);
    const blob = this.blobs.get(`${repository}@${rest}`);
    if (blob === undefined) return failure(404, 'BLOB_UNKNOWN', 'blob unknown to registry');
    return { status: 200, headers: { 'content-type': 'application/octet-stream' }, body: blob };
  }

  private readManifest(repository: string, reference: string): Reply {
    const separator = reference.includes(':') ? '@' : ':';
    const found = this.manifests.get(`${repository}${separator}${reference}`);
    if (found === undefined) return failure(404, 'MANIFEST_UNKNOWN', 'manifest unknown');
    const headers = { 'content-type': found.mediaType, 'docker-content-digest': found.digest };
    return { status: 200, headers, body: found.bytes };
  }

  private put(repository: string, reference: string, { headers, body }: Seen): Reply {
    const manifest = {
      mediaType: headers['content-type'] ?? '',
      bytes: body,
      digest: sha256(body),
    };
    this.manifests.set(`${repository}@${manifest.digest}`, manifest);
    if (!reference.includes(':')) this.manifests.set(`${repository}:${reference}`, manifest);
    return { status: 201, headers: { 'docker-content-digest': manifest.digest } };
  }

  private commit(repository: string, { query, body }: Seen): Reply {
    const digest = query.get('digest') ?? '';
    if (sha256(body) !== digest) return failure(400, 'DIGEST_INVALID', 'that is not its digest');
    this.blobs.set(`${repository}@${digest}`, body);
    return { status: 201, headers: { 'docker-content-digest': digest } };
  }

  private mount(repository: string, { query }: Seen): Reply {
    const digest = query.get('mount') ?? '';
    const blob = this.blobs.get(`${query.get('from') ?? ''}@${digest}`);
    if (blob === undefined) {
      this.sessions += 1;
      const location = `/v2/${repository}/blobs/uploads/session-${this.sessions}?_state=s`;
      return { status: 202, headers: { location } };
    }
    this.blobs.set(`${repository}@${digest}`, blob);
    const location = `/v2/${repository}/blobs/${digest}`;
    return { status: 201, headers: { location, 'docker-content-digest': digest } };
  }
}

const PLATFORMS = [
  'linux/amd64',
  'linux/arm64',
  'linux/s390x',
  'linux/ppc64le',
  'linux/riscv64',
  'linux/386',
  'linux/loong64',
  'linux/mips64le',
  'freebsd/amd64',
  'freebsd/arm64',
];

/** The command line of a push of `count` platforms from `source` to `target`, both `host/repository`. */
export function pushArguments(
  source: string,
  target: string,
  options: { count?: number; tag?: string } = {},
): string[] {
  const platforms = PLATFORMS.slice(0, options.count ?? 2).join(',');
  const names = [
    '--template',
    `${source}:OS-ARCH`,
    '--target',
    `${target}:${options.tag ?? 'out'}`,
  ];
  return ['push', 'from-args', '--platforms', platforms, ...names, '--retry-delay', '5ms'];
}
