import { sha256 } from '../../support/http.js';
import {
  OCI_INDEX,
  OCI_MANIFEST,
  stored,
  type FakeRegistry,
  type Stored,
} from './fake-registry.js';
import { json, type Reply, type Seen } from './scripted.js';

const EMPTY = Buffer.from('{}');

/** An artifact that refers to a manifest. */
export function makeReferrer(subject: Stored, artifactType: string, text = ''): Stored {
  const layer = layerOf(artifactType, text);
  return stored(OCI_MANIFEST, {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType,
    config: {
      mediaType: 'application/vnd.oci.empty.v1+json',
      digest: sha256(EMPTY),
      size: EMPTY.length,
    },
    layers: [{ mediaType: artifactType, digest: sha256(layer), size: layer.length }],
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.bytes.length },
  });
}

function layerOf(artifactType: string, text: string): Buffer {
  return Buffer.from(`${artifactType} ${text}`);
}

/** Puts an artifact that refers to a manifest into a repository, by its digest. */
export function addReferrer(
  fake: FakeRegistry,
  repository: string,
  subject: Stored,
  artifactType: string,
  text = '',
): Stored {
  const referrer = makeReferrer(subject, artifactType, text);
  for (const blob of [EMPTY, layerOf(artifactType, text)])
    fake.blobs.set(`${repository}@${sha256(blob)}`, blob);
  fake.manifests.set(`${repository}@${referrer.digest}`, referrer);
  return referrer;
}

/** The referrers tag of a manifest. */
export function tagOf({ digest }: Pick<Stored, 'digest'>): string {
  return digest.replace(':', '-');
}

/** An index of referrers. */
export function indexOf(referrers: readonly Stored[]): Stored {
  const manifests = referrers.map(({ mediaType, digest, bytes }) => {
    const { artifactType } = JSON.parse(bytes.toString()) as { artifactType?: string };
    return { mediaType, digest, size: bytes.length, artifactType };
  });
  return stored(OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests });
}

/** The digests in the index that a tag points to; undefined if there is no such tag. */
export function digestsUnder(fake: FakeRegistry, repository: string, tag: string) {
  const index = fake.manifests.get(`${repository}:${tag}`);
  if (index === undefined) return undefined;
  const { manifests } = JSON.parse(index.bytes.toString()) as { manifests: { digest: string }[] };
  return manifests.map(({ digest }) => digest);
}

/** The answer of the referrers API with what a repository holds. */
export function apiAnswer(fake: FakeRegistry, { path }: Pick<Seen, 'path'>): Reply {
  const [, repository = '', subject = ''] = /^\/v2\/(.+)\/referrers\/(.+)$/.exec(path) ?? [];
  const found = [...fake.manifests].flatMap(([name, manifest]) => {
    if (!name.startsWith(`${repository}@`)) return [];
    const document = JSON.parse(manifest.bytes.toString()) as { subject?: { digest: string } };
    return document.subject?.digest === subject ? [manifest] : [];
  });
  return page(found);
}

/** One page of the referrers API. */
export function page(referrers: readonly Stored[], headers: Record<string, string> = {}): Reply {
  const { bytes } = indexOf(referrers);
  return json(200, JSON.parse(bytes.toString()), { 'content-type': OCI_INDEX, ...headers });
}
