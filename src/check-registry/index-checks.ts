import { ManifestToolError } from '../errors.js';
import type { ManifestContent } from '../oci/content.js';
import { descriptorOf, type Descriptor } from '../oci/descriptor.js';
import { encodeIndex, type IndexType } from '../oci/json/encode-index.js';
import { RegistryError } from '../registry/errors.js';
import type { Check, CheckName, Results } from './check.js';
import { attestationEntry, entry, indexOfSize, type TestImages } from './images.js';
import { findLimit } from './manifest-limit.js';
import { Absent, Refusal } from './refusal.js';
import type { TestRepository } from './test-repository.js';

const NO_ANNOTATIONS = new Map<string, string>();

/** Indexes of every kind. Each check needs only the images that its index names. */
export const INDEX_CHECKS: readonly Check[] = [
  indexCheck('docker-list', 'Docker manifest list', ['docker-image'], 'docker', dockerEntries),
  indexCheck('oci-index', 'OCI index', ['oci-image'], 'oci', ociEntries),
  indexCheck(
    'mixed-list',
    'Docker list with an OCI image',
    ['docker-image', 'oci-image'],
    'docker',
    mixedEntries,
  ),
  indexCheck(
    'mixed-index',
    'OCI index with a Docker image',
    ['docker-image', 'oci-image'],
    'oci',
    mixedEntries,
  ),
  indexCheck(
    'annotations',
    'annotations of an index and its entries',
    ['oci-image'],
    'oci',
    annotatedEntries,
    new Map([['org.example.check', 'of the index']]),
  ),
  {
    name: 'attestations',
    title: 'index with an attestation',
    needs: ['oci-image'],
    async run(repository) {
      const { attestation, oci } = repository.images;
      await repository.publish(attestation, repository.tag('attestation'), 0);
      const entries = [entry(oci.amd64, 'amd64'), attestationEntry(attestation, oci.amd64)];
      const index = encodeIndex('oci', entries, NO_ANNOTATIONS);
      await repository.publish(index, repository.tag('attestations'), 1);
      return '';
    },
  },
  {
    name: 'nested-index',
    title: 'index in an index',
    needs: ['oci-index'],
    async run(repository) {
      const inner = encodeIndex('oci', ociEntries(repository.images), NO_ANNOTATIONS);
      const outer = encodeIndex('oci', [descriptorOf(inner)], NO_ANNOTATIONS);
      await repository.publish(outer, repository.tag('nested-index'), 2);
      return '';
    },
  },
];

/** A check that publishes an index under a tag with the name of the check. */
function indexCheck(
  name: CheckName,
  title: string,
  needs: readonly CheckName[],
  type: IndexType,
  entries: (images: TestImages) => Descriptor[],
  annotations: ReadonlyMap<string, string> = NO_ANNOTATIONS,
): Check {
  return {
    name,
    title,
    needs,
    async run(repository) {
      const index = encodeIndex(type, entries(repository.images), annotations);
      await repository.publish(index, repository.tag(name), 1);
      return '';
    },
  };
}

function dockerEntries({ docker }: TestImages): Descriptor[] {
  return [entry(docker.amd64, 'amd64'), entry(docker.arm64, 'arm64')];
}

function ociEntries({ oci }: TestImages): Descriptor[] {
  return [entry(oci.amd64, 'amd64'), entry(oci.arm64, 'arm64')];
}

function mixedEntries({ docker, oci }: TestImages): Descriptor[] {
  return [entry(docker.amd64, 'amd64'), entry(oci.arm64, 'arm64')];
}

function annotatedEntries(images: TestImages): Descriptor[] {
  const annotations = new Map([['org.example.check', 'of an entry']]);
  return ociEntries(images).map((each) => ({ ...each, annotations }));
}

/**
 * Finds the size limit of a manifest with indexes of different sizes. It uploads a lot, so it runs
 * only on request.
 */
export const SIZE_CHECK: Check = {
  name: 'manifest-size',
  title: 'size of a manifest',
  needs: [],
  needsOneOf: ['docker-list', 'oci-index'],
  after: ['push-by-digest'],
  async run(repository, results) {
    const { images } = repository;
    const isOci = results.get('oci-index')?.result === 'yes';
    const index = (size: number): ManifestContent =>
      isOci
        ? indexOfSize('oci', ociEntries(images), size)
        : indexOfSize('docker', dockerEntries(images), size);
    const limit = await findLimit(index(0).size, (size) =>
      refusalOfManifest(repository, results, index(size)),
    );
    repository.limit = limit;
    const { accepted, refused } = limit;
    if (refused === undefined) return `${accepted} bytes are taken; no more was tried`;
    return `${accepted} bytes are taken; ${refused.size} are not: ${refused.words}`;
  },
};

/**
 * The registry's answer if it refuses a manifest; undefined if it accepts the manifest and holds it
 * afterwards.
 */
async function refusalOfManifest(
  repository: TestRepository,
  results: Results,
  manifest: ManifestContent,
): Promise<string | undefined> {
  const byDigest = results.get('push-by-digest')?.result === 'yes';
  const tag = byDigest ? undefined : repository.tag(`size-${manifest.size}`);
  try {
    const answer = await repository.tryPut(manifest, tag, 1, { retries: 1 });
    if (!answer.isDone) return answer.words;
    await repository.waitFor(answer, async () => {
      if (!(await repository.raw.hasManifest(manifest.digest))) throw new Absent('it is not there');
    });
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    if (!isCutOff(error)) throw error;
    // A server may close the connection while it is still being sent to. Then it answers other
    // requests.
    await repository.raw.version();
    return error.why;
  }
}

/** Whether the server has closed the connection instead of answering. */
function isCutOff(error: unknown): error is ManifestToolError {
  if (!(error instanceof ManifestToolError) || error.code !== 'UNAVAILABLE') return false;
  return !(error.cause instanceof RegistryError);
}
