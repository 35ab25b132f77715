import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { ManifestToolError, type ErrorCode } from '../errors.js';
import { isDigest } from '../oci/digest.js';
import { formatName, parseReference, type RegistryReference } from '../oci/reference.js';
import type { RawRepository } from '../registry/raw.js';
import type { PlanEvents } from '../core/events.js';
import type { Client } from '../core/client.js';
import type { CheckName, CheckResult } from './check.js';
import { cleanUp } from './clean-up.js';
import { makeImages } from './images.js';
import type { ManifestLimit } from './limits.js';
import { runChecks } from './run.js';
import { Site } from './site.js';
import { checks } from './table.js';
import { Traces } from './traces.js';

/** How a registry is checked. */
export interface CheckOptions {
  /** Stays inside the repository, with tags of its own, instead of making repositories beside it; the default is false. */
  readonly tagsOnly?: boolean;
  /** Looks for the size limit of a manifest as well; the default is false. */
  readonly limits?: boolean;
  /**
   * Ends the check; what it has made is deleted all the same, as far as `client` still works then: that has to be another signal than that
   * of the client, or none.
   */
  readonly signal?: AbortSignal;
}

/** What a registry supports. */
export interface RegistryReport {
  /** `host/repository` of each repository that was written to, the one for the mount last. */
  readonly repositories: readonly string[];
  /** In the order of docs/check-registry.md. */
  readonly checks: readonly CheckResult[];
  /** Where it was looked for and found. */
  readonly limit: ManifestLimit | undefined;
  /** References of what was pushed and could not be deleted. */
  readonly leftovers: readonly string[];
}

/** How long an interrupted check waits for the answers to what it has sent, in milliseconds. */
const SETTLE_MS = 100;

/**
 * Proves what the registry of `target` supports (OCI distribution-spec), with images that it makes itself, and deletes them afterwards.
 * What the registry refuses is an answer of the report, and no error.
 * @throws {ManifestToolError} where the registry cannot be asked: UNAVAILABLE, DENIED, NOT_FOUND, INTERRUPTED; USAGE where the names of its
 * own repositories would be too long.
 */
export async function checkRegistry(
  client: Client,
  target: RegistryReference,
  options: CheckOptions = {},
  events: PlanEvents = {},
): Promise<RegistryReport> {
  const { tagsOnly = false, limits = false, signal = new AbortController().signal } = options;
  const id = randomBytes(6).toString('hex');
  const names = tagsOnly ? [target.repository] : ownRepositories(target, id);
  const probes = await client.probe(target, names);
  const [probe, other] = probes as [RawRepository, RawRepository | undefined];
  const traces = new Traces();
  const stop = new AbortController();
  const site = new Site({
    id,
    probe,
    ...(other === undefined ? {} : { other }),
    images: makeImages(id),
    traces,
    signal: AbortSignal.any([signal, stop.signal]),
  });
  const name = formatName(target);
  let results: CheckResult[] = [];
  try {
    const run = runChecks(checks(limits), site, (error) => stop.abort(error), events);
    results = await orAborted(run, signal);
  } catch (error) {
    // What is on its way may still arrive after its deletion.
    if (signal.aborted) await Promise.race([traces.settled(), setTimeout(SETTLE_MS)]);
    await leave(traces, results, probe.name, events);
    if (signal.aborted) throw interrupted(name);
    throw tagsOnly ? firstError(stop, error) : withWayOut(firstError(stop, error), name);
  }
  const leftovers = await leave(traces, results, probe.name, events);
  if (signal.aborted) throw interrupted(name);
  return { repositories: [...traces.repositories], checks: results, limit: site.limit, leftovers };
}

/**
 * Two repositories beside the one that is named, so that nothing of it is touched.
 * @throws {ManifestToolError} USAGE where their names would be too long.
 */
function ownRepositories({ host, repository }: RegistryReference, id: string): string[] {
  const names = [`${repository}-check-${id}`, `${repository}-check-${id}-mount`];
  try {
    for (const name of names) parseReference(`${host}/${name}`);
  } catch (error) {
    throw withWayOut(error, `${host}/${repository}`);
  }
  return names;
}

/** Deletes what the check has made, and says in one line what cannot be deleted. */
async function leave(
  traces: Traces,
  results: readonly CheckResult[],
  place: string,
  events: PlanEvents,
): Promise<readonly string[]> {
  events.progress?.(`deleting what was pushed to ${place}`);
  const known = (name: CheckName): CheckResult | undefined =>
    results.find((result) => result.name === name && result.result !== 'not tried');
  const [tags, manifests] = [known('delete-tag'), known('delete-manifest')];
  const { references, reason } = await cleanUp(traces, {
    tags: tags && tags.result === 'yes',
    manifests: manifests && manifests.result === 'yes',
  });
  if (references.length > 0) {
    const why = reason ?? manifests?.detail ?? 'it was not deleted';
    events.warning?.(`left in ${place} (${why}): ${references.join(', ')}`);
  }
  return references.map((each) => `${place}${isDigest(each) ? '@' : ':'}${each}`);
}

/** The same, but for an abort, which is not waited for. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  promise.catch(() => undefined);
  signal.throwIfAborted();
  let abort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', abort);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort!);
  }
}

/** The error that came first; those after it are often only that nothing more was to begin. */
function firstError({ signal }: AbortController, error: unknown): unknown {
  return signal.aborted ? signal.reason : error;
}

function interrupted(name: string): ManifestToolError {
  return new ManifestToolError('INTERRUPTED', `checking ${name}`, 'it was interrupted');
}

/** What may be so of repositories beside the one that is named, and not of that itself: USAGE is a name that is too long. */
const HAS_WAY_OUT: ReadonlySet<ErrorCode> = new Set(['DENIED', 'NOT_FOUND', 'USAGE']);

/** A registry may allow a user one repository and no other. */
function withWayOut(error: unknown, name: string): unknown {
  if (!(error instanceof ManifestToolError)) return error;
  const { code, what, why, cause } = error;
  if (error.reason === 'login-required' || !HAS_WAY_OUT.has(code)) return error;
  const hint = `check-registry makes repositories beside ${name}; with --tags-only it stays inside ${name}`;
  return new ManifestToolError(code, what, why, { cause, hint });
}
