import { ManifestToolError } from '../../errors.js';
import { formatName, parseReference, type RegistryReference } from '../../oci/reference.js';
import type { CheckResult } from '../../check-registry/check.js';
import { checkRegistry, type RegistryReport } from '../../check-registry/check-registry.js';
import { escapeText } from '../../text.js';
import { isColoured, palette, type Palette } from '../output/colours.js';
import { wrap } from '../output/columns.js';
import { usageError } from '../args/values.js';
import type { Run } from '../command.js';
import type { Output } from '../io.js';
import { withClient } from '../options/connection.js';
import { jsonText } from '../output/json.js';
import type { Reporter } from '../progress/reporter.js';

/**
 * How long deleting may take after an interrupt, in milliseconds: less than the process has to end.
 */
const GRACE_MS = 400;
/** Longest detail from the registry in the table, in characters. */
const MAX_DETAIL = 300;

/** `check-registry HOST/REPOSITORY`. */
export const run: Run<'check-registry'> = async ({ args, io, reporter }) => {
  const target = parseTarget(args.repository);
  const { tagsOnly, limits } = args;
  const options = { tagsOnly, limits, signal: io.signal };
  const late = delayed(io.signal);
  try {
    const surroundings = { io: { ...io, signal: late.signal }, reporter };
    await withClient(args, surroundings, [target], async (client) => {
      const report = await reporter.during(() => checkRegistry(client, target, options, reporter));
      const clean = redacted(report, reporter);
      io.stdout.write(
        args.json
          ? jsonText(document(target, clean))
          : table(clean.checks, io.stdout, palette(isColoured(io.stdout, io.env, args))),
      );
      if (!tagsOnly && report.leftovers.length === 0) noteRepositories(report, reporter);
      refuseUnlessPublishing(target, report);
    });
  } finally {
    late.end();
  }
};

/** @throws {ManifestToolError} USAGE for anything but a repository of a registry. */
function parseTarget(name: string): RegistryReference {
  const reference = parseReference(name);
  const quoted = JSON.stringify(name);
  if (reference.kind !== 'registry') {
    const noun = reference.kind === 'layout' ? 'a layout' : 'an archive';
    throw usageError(`${quoted} is ${noun}, not a registry`, 'give HOST/REPOSITORY');
  }
  const { tag, digest } = reference;
  if (tag === undefined && digest === undefined) return reference;
  const isPort = !name.includes('/') && /^[0-9]{2,5}$/.test(tag ?? '');
  throw usageError(
    `${quoted} has a ${digest === undefined ? 'tag' : 'digest'}, but check-registry creates its own tags`,
    isPort ? `add a repository: ${name}/REPOSITORY` : 'omit it',
  );
}

/** Aborted after `signal` and {@link GRACE_MS}, so that what was pushed can be deleted. */
function delayed(signal: AbortSignal): { readonly signal: AbortSignal; readonly end: () => void } {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const abort = (): void => {
    timer = setTimeout(() => controller.abort(), GRACE_MS);
  };
  if (signal.aborted) controller.abort();
  signal.addEventListener('abort', abort);
  const end = (): void => {
    signal.removeEventListener('abort', abort);
    clearTimeout(timer);
  };
  return { signal: controller.signal, end };
}

/** The details without secrets: a registry may repeat what it was sent. */
function redacted(report: RegistryReport, { secrets }: Reporter): RegistryReport {
  const checks = report.checks.map((check) => ({
    ...check,
    detail: secrets.redactAndCut(check.detail, MAX_DETAIL),
  }));
  return { ...report, checks };
}

function document(
  { host, repository }: RegistryReference,
  { repositories, checks, limit, leftovers }: RegistryReport,
): object {
  return {
    registry: host,
    repository,
    repositories,
    checks: checks.map(({ name, result, detail }) => ({ name, result, detail })),
    limits: limit === undefined ? null : { manifest: limitDocument(limit) },
    leftovers,
  };
}

function limitDocument({ accepted, refused }: NonNullable<RegistryReport['limit']>): object {
  return { accepted, refused: refused?.size ?? null };
}

const RESULT_WIDTH = 'not tried'.length + 2;
/** Fewest columns for the detail beside a check; with fewer it goes below. */
const MIN_DETAIL_WIDTH = 20;

/**
 * One line for each check: its result, title and detail. On a terminal long details are wrapped.
 */
function table(
  checks: readonly CheckResult[],
  { isTTY, columns }: Output,
  { good, bad, faint }: Palette,
): string {
  const paints = { yes: good, no: bad, 'not tried': faint };
  const titleWidth = Math.max(...checks.map(({ title }) => title.length)) + 2;
  const left = (isTTY && columns > 0 ? columns : Infinity) - RESULT_WIDTH;
  const isBeside = left - titleWidth >= MIN_DETAIL_WIDTH;
  const lines = checks.flatMap(({ result, title, detail }) => {
    const text = escapeText(detail);
    const rest = isBeside
      ? wrap(text, left - titleWidth).map(
          (line, i) => (i === 0 ? title : '').padEnd(titleWidth) + line,
        )
      : [title, ...(text === '' ? [] : [text])].flatMap((each) => wrap(each, Math.max(left, 1)));
    return rest.map((line, i) => {
      const blanks = ' '.repeat(RESULT_WIDTH - (i === 0 ? result.length : 0));
      return (i === 0 ? paints[result](result) : '') + (blanks + line).trimEnd();
    });
  });
  return lines.map((line) => `${line}\n`).join('');
}

/** No request of the specification deletes a repository (OCI distribution-spec, Endpoints). */
function noteRepositories({ repositories }: RegistryReport, reporter: Reporter): void {
  if (repositories.length === 0) return;
  reporter.note(
    `everything pushed was deleted; empty repositories may remain, because no request deletes them: ${repositories.join(', ')}`,
  );
}

/** @throws {ManifestToolError} REFUSED if the registry takes neither type of index. */
function refuseUnlessPublishing(target: RegistryReference, { checks }: RegistryReport): void {
  const isYes = (name: string): boolean =>
    checks.some((check) => check.name === name && check.result === 'yes');
  if (isYes('docker-list') || isYes('oci-index')) return;
  const why = 'it accepts neither Docker manifest lists nor OCI indexes';
  throw new ManifestToolError('REFUSED', `checking ${formatName(target)}`, why, {
    hint: 'the report shows its responses; a newer version of the registry may accept them',
  });
}
