import { ManifestToolError } from '../errors.js';
import type { ManifestContent } from '../oci/content.js';
import { RegistryError } from '../registry/errors.js';
import type { Check, Results } from './check.js';
import { listOfSize } from './images.js';
import { findLimit } from './limits.js';
import { dockerEntries, ociEntries } from './list-checks.js';
import { Absent, Refusal } from './refusal.js';
import type { Site } from './site.js';

/** The size limit of a manifest, with lists that grow; only where it is asked for, because much is sent. */
export const SIZE_CHECK: Check = {
  name: 'manifest-size',
  title: 'size of a manifest',
  needs: [],
  needsOneOf: ['docker-list', 'oci-index'],
  after: ['push-by-digest'],
  async prove(site, results) {
    const isOci = results.get('oci-index')?.result === 'yes';
    const list = (size: number): ManifestContent =>
      isOci
        ? listOfSize('oci', ociEntries(site.images), size)
        : listOfSize('docker', dockerEntries(site.images), size);
    const limit = await findLimit(list(0).size, (size) => sizeRefusal(site, results, list(size)));
    site.limit = limit;
    const { accepted, refused } = limit;
    if (refused === undefined) return `${accepted} bytes are taken; no more was tried`;
    return `${accepted} bytes are taken; ${refused.size} are not: ${refused.words}`;
  },
};

/** In which words a manifest is refused; undefined where it is taken, and there afterwards. */
async function sizeRefusal(
  site: Site,
  results: Results,
  manifest: ManifestContent,
): Promise<string | undefined> {
  const byDigest = results.get('push-by-digest')?.result === 'yes';
  const tag = byDigest ? undefined : site.tag(`size-${manifest.size}`);
  try {
    const answer = await site.offer(manifest, tag, 1, { retries: 1 });
    if (!answer.isDone) return answer.words;
    await site.appears(answer, async () => {
      if (!(await site.probe.hasManifest(manifest.digest))) throw new Absent('it is not there');
    });
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    if (!isCut(error)) throw error;
    // A server may close the connection while the rest is still being sent: then it answers to something else.
    await site.probe.version();
    return error.why;
  }
}

/** Statuses by which a registry asks to come back later. */
const LATER = new Set([408, 429, 503]);

function isCut(error: unknown): error is ManifestToolError {
  if (!(error instanceof ManifestToolError) || error.code !== 'UNAVAILABLE') return false;
  return !(error.cause instanceof RegistryError && LATER.has(error.cause.status));
}
