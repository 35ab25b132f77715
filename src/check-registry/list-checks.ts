import { encodeIndex, type IndexType } from '../oci/json/encode-index.js';
import type { Descriptor } from '../oci/documents.js';
import type { ManifestContent } from '../oci/content.js';
import type { Check, CheckName } from './check.js';
import { attestationEntry, descriptorOf, entry, type SmallImages } from './images.js';

const NO_ANNOTATIONS = new Map<string, string>();

/** A check that publishes one list under a tag of its own name. */
function listCheck(
  name: CheckName,
  title: string,
  needs: readonly CheckName[],
  type: IndexType,
  entries: (images: SmallImages) => Descriptor[],
  annotations: ReadonlyMap<string, string> = NO_ANNOTATIONS,
): Check {
  return {
    name,
    title,
    needs,
    async prove(site) {
      const list = encodeIndex(type, entries(site.images), annotations);
      await site.publish(list, site.tag(name), 1);
      return '';
    },
  };
}

/** The two lists that are published where all children are of its own kind. */
export function dockerEntries({ docker }: SmallImages): Descriptor[] {
  return [entry(docker.amd64, 'amd64'), entry(docker.arm64, 'arm64')];
}

export function ociEntries({ oci }: SmallImages): Descriptor[] {
  return [entry(oci.amd64, 'amd64'), entry(oci.arm64, 'arm64')];
}

function mixedEntries({ docker, oci }: SmallImages): Descriptor[] {
  return [entry(docker.amd64, 'amd64'), entry(oci.arm64, 'arm64')];
}

function annotatedEntries(images: SmallImages): Descriptor[] {
  const annotations = new Map([['org.example.check', 'of an entry']]);
  return ociEntries(images).map((each) => ({ ...each, annotations }));
}

function nestedIndex(images: SmallImages): ManifestContent {
  return encodeIndex('oci', ociEntries(images), NO_ANNOTATIONS);
}

/** Lists of every kind; each needs no more than what it names. */
export const LIST_CHECKS: readonly Check[] = [
  listCheck('docker-list', 'Docker manifest list', ['docker-image'], 'docker', dockerEntries),
  listCheck('oci-index', 'OCI index', ['oci-image'], 'oci', ociEntries),
  listCheck(
    'mixed-list',
    'Docker list with an OCI image',
    ['docker-image', 'oci-image'],
    'docker',
    mixedEntries,
  ),
  listCheck(
    'mixed-index',
    'OCI index with a Docker image',
    ['docker-image', 'oci-image'],
    'oci',
    mixedEntries,
  ),
  listCheck(
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
    async prove(site) {
      const { attestation, oci } = site.images;
      await site.publish(attestation, site.tag('attestation'), 0);
      const entries = [entry(oci.amd64, 'amd64'), attestationEntry(attestation, oci.amd64)];
      await site.publish(encodeIndex('oci', entries, NO_ANNOTATIONS), site.tag('attestations'), 1);
      return '';
    },
  },
  {
    name: 'nested-index',
    title: 'index in an index',
    needs: ['oci-index'],
    async prove(site) {
      const outer = encodeIndex('oci', [descriptorOf(nestedIndex(site.images))], NO_ANNOTATIONS);
      await site.publish(outer, site.tag('nested-index'), 2);
      return '';
    },
  },
];
