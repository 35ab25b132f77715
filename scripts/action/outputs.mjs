/** @typedef {import('./summary.mjs').Published} Published */

/**
 * The outputs of the Action for the documents of `--json`.
 * @param {readonly Published[]} documents
 * @returns {{ digest: string, image: string, digests: string }}
 */
export function outputsOf(documents) {
  const published = documents.filter(({ digest, entries }) => digest && entries);
  const byTarget = published.map((each) => /** @type {const} */ ([each.target, digestsOf(each)]));
  const digests = documents.length === 1 ? byTarget[0]?.[1] : Object.fromEntries(byTarget);
  return {
    digest: documents.flatMap(({ digest }) => digest ?? []).join('\n'),
    image: documents.flatMap((each) => imageOf(each) ?? []).join('\n'),
    digests: published.length === 0 ? '' : JSON.stringify(digests),
  };
}

/** What exists now: nothing after a dry run. @param {Published} document */
function imageOf({ dryRun, targets, image }) {
  return dryRun === true ? undefined : (targets?.[0]?.image ?? image);
}

/** The first image for a platform is the one that clients pull. @param {Published} document */
function digestsOf({ entries = [] }) {
  /** @type {Map<string, string>} */
  const digests = new Map();
  for (const { platform, digest, isAttestation } of entries) {
    if (typeof platform !== 'string' || isAttestation || digests.has(platform)) continue;
    digests.set(platform, digest);
  }
  return Object.fromEntries(digests);
}
