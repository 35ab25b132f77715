import { randomBytes } from 'node:crypto';
import { orAborted, pause } from '../concurrency.js';
import type { Client } from '../core/client.js';
import type { ProgressEvents } from '../core/events.js';
import { ManifestToolError, type ErrorCode, interrupted } from '../errors.js';
import { isDigest } from '../oci/digest.js';
import { formatName, parseReference, type RegistryReference } from '../oci/reference.js';
import type { RawRepository } from '../registry/raw.js';
import { BASIC_CHECKS } from './basic-checks.js';
import { runChecks, type Check, type CheckName, type CheckResult } from './check.js';
import { DELETION_CHECKS } from './deletion-checks.js';
import { makeImages } from './images.js';
import { INDEX_CHECKS, SIZE_CHECK } from './index-checks.js';
import { cleanUp, Leftovers } from './leftovers.js';
import type { ManifestLimit } from './manifest-limit.js';
import { TestRepository } from './test-repository.js';
import { WRITE_CHECKS } from './write-checks.js';

/** How to check a registry. */
export interface CheckOptions {
  /**
   * Writes only to the repository that is named, under tags of its own, instead of creating
   * repositories beside it; the default is false.
   */
  readonly tagsOnly?: boolean;
  /** Also finds the size limit of a manifest; the default is false. */
  readonly limits?: boolean;
  /**
   * Ends the check. What it has written is deleted if `client` still works, so this must not be the
   * signal of the client.
   */
  readonly signal?: AbortSignal;
}

/** What a registry supports. */
export interface RegistryReport {
  /**
   * `host/repository` of each repository that was written to; the one for the mount is the last.
   */
  readonly repositories: readonly string[];
  /** In the order of docs/reference/check-registry.md. */
  readonly checks: readonly CheckResult[];
  /** If it was asked for and found. */
  readonly limit: ManifestLimit | undefined;
  /** References of what was pushed and could not be deleted. */
  readonly leftovers: readonly string[];
}

/** How long an interrupted check waits for the answers to the writes in flight, in milliseconds. */
const SETTLE_MS = 100;

/**
 * Checks what the registry of `target` supports (OCI distribution-spec), with images of its own,
 * and deletes them afterwards. A refusal by the registry is a result, not an error.
 * @throws {ManifestToolError} if the registry cannot be asked: UNAVAILABLE, DENIED, NOT_FOUND,
 * INTERRUPTED; USAGE if the names of the repositories to create would be too long.
 */
export async function checkRegistry(
  client: Client,
  target: RegistryReference,
  options: CheckOptions = {},
  events: ProgressEvents = {},
): Promise<RegistryReport> {
  const { tagsOnly = false, limits = false, signal = new AbortController().signal } = options;
  const id = randomBytes(6).toString('hex');
  const names = tagsOnly ? [target.repository] : testRepositoryNames(target, id);
  const [raw, second] = (await client.probe(target, names)) as [RawRepository, RawRepository?];
  const leftovers = new Leftovers();
  const stop = new AbortController();
  const repository = new TestRepository({
    id,
    raw,
    ...(second === undefined ? {} : { second }),
    images: makeImages(id),
    leftovers,
    signal: AbortSignal.any([signal, stop.signal]),
  });
  const name = formatName(target);
  let results: CheckResult[] = [];
  try {
    const run = runChecks(checks(limits), repository, (error) => stop.abort(error), events);
    results = await orAborted(run, signal);
  } catch (error) {
    // A write in flight could otherwise arrive after its deletion.
    if (signal.aborted)
      await Promise.race([leftovers.settled(), pause(SETTLE_MS, new AbortController().signal)]);
    await removeLeftovers(leftovers, results, repository, tagsOnly, events);
    if (signal.aborted) throw interrupted(`checking ${name}`);
    throw tagsOnly ? firstError(stop, error) : withOtherRepositories(firstError(stop, error), name);
  }
  const remaining = await removeLeftovers(leftovers, results, repository, tagsOnly, events);
  if (signal.aborted) throw interrupted(`checking ${name}`);
  return {
    repositories: [...leftovers.repositories],
    checks: results,
    limit: repository.limit,
    leftovers: remaining,
  };
}

/** All checks, each after those that it needs. */
function checks(limits: boolean): Check[] {
  const first = [
    ...BASIC_CHECKS,
    ...INDEX_CHECKS,
    ...WRITE_CHECKS,
    ...(limits ? [SIZE_CHECK] : []),
  ];
  const names = first.map(({ name }) => name);
  const last = DELETION_CHECKS.map((check) => ({
    ...check,
    after: [...names, ...(check.after ?? [])],
  }));
  return [...first, ...last];
}

/**
 * Names of two repositories beside the one that is named, which is left untouched.
 * @throws {ManifestToolError} USAGE if they would be too long.
 */
function testRepositoryNames({ host, repository }: RegistryReference, id: string): string[] {
  const names = [`${repository}-check-${id}`, `${repository}-check-${id}-mount`];
  try {
    for (const name of names) parseReference(`${host}/${name}`);
  } catch (error) {
    throw withOtherRepositories(error, `${host}/${repository}`);
  }
  return names;
}

/** Deletes what was written, and reports in one line what remains. */
async function removeLeftovers(
  leftovers: Leftovers,
  results: readonly CheckResult[],
  { name: repository, isDeletionSafe }: TestRepository,
  isShared: boolean,
  events: ProgressEvents,
): Promise<readonly string[]> {
  events.progress?.(`deleting what was pushed to ${repository}`);
  const tried = (name: CheckName): CheckResult | undefined =>
    results.find((result) => result.name === name && result.result !== 'not tried');
  const [tags, manifests] = [tried('delete-tag'), tried('delete-manifest')];
  const { references, reason } = await cleanUp(leftovers, {
    tags: isDeletionSafe && tags && tags.result === 'yes',
    manifests: isDeletionSafe && manifests && manifests.result === 'yes',
    isShared,
  });
  if (references.length > 0) {
    const why = reason ?? (manifests?.detail || tags?.detail || 'it was not deleted');
    events.warning?.(`left in ${repository} (${why}): ${references.join(', ')}`);
  }
  return references.map((each) => `${repository}${isDigest(each) ? '@' : ':'}${each}`);
}

/** The first error. Later ones often say only that the checks were stopped. */
function firstError({ signal }: AbortController, error: unknown): unknown {
  return signal.aborted ? signal.reason : error;
}

/**
 * Errors that may be due to the other repositories: a user may have access to one repository only,
 * and their names are longer.
 */
const MAY_BE_OTHERS: ReadonlySet<ErrorCode> = new Set(['DENIED', 'NOT_FOUND', 'USAGE']);

/** Adds to an error that it may be due to the repositories beside the one that is named. */
function withOtherRepositories(error: unknown, repository: string): unknown {
  if (!(error instanceof ManifestToolError) || !MAY_BE_OTHERS.has(error.code)) return error;
  if (error.reason === 'login-required') return error;
  const { code, what, why, cause } = error;
  return new ManifestToolError(code, what, why, {
    cause,
    reason: 'needs-other-repositories',
    data: { repository },
  });
}
