import { summarizeFailures } from '../../core/publish/failures.js';
import type { RequestedType, Spec } from '../../core/publish/request.js';
import { ManifestToolError } from '../../errors.js';
import { formatPlatform, type Platform } from '../../oci/platform.js';
import { formatReference } from '../../oci/reference.js';
import { SpecChecker, unreadable, type CheckedSpec } from '../../spec/check.js';
import { typeOfSpec } from '../../spec/spec.js';
import { countOf, escapeText } from '../../text.js';
import type { Run } from '../command.js';
import { readNamedFile } from '../input.js';
import { specFiles } from '../options/spec-files.js';
import { jsonText } from '../output/json.js';
import { hintFor } from '../progress/hints.js';
import type { Reporter } from '../progress/reporter.js';

/** `spec check FILE…`: all specs are checked, also after an error in one. */
export const run: Run<'spec check'> = async ({ args, io, reporter }) => {
  const { files, variables } = specFiles(args, io);
  const checker = new SpecChecker(args.type, args.strict, reporter.warning);
  const checked: CheckedSpec[] = [];
  for (const file of files) {
    try {
      checked.push(...checker.checkText(await readNamedFile(file, io), file, variables));
    } catch (error) {
      if (io.signal.aborted) throw error;
      checked.push(unreadable(file, error));
    }
  }
  io.stdout.write(
    args.json
      ? jsonText(checked.map((each) => checkDocument(each, args.type)))
      : checkText(checked),
  );
  await refuseErrors(checked, reporter);
};

/** One line for each spec without an error. */
function checkText(checked: readonly CheckedSpec[]): string {
  const lines = checked.flatMap(({ file, document, outcome }) => {
    if (outcome instanceof ManifestToolError) return [];
    const isOnly = checked.filter((other) => other.file === file).length === 1;
    return [checkLine(isOnly ? file : `${file}#${document}`, outcome)];
  });
  return lines.map((line) => `${escapeText(line)}\n`).join('');
}

function checkLine(place: string, { target, tags, sources }: Spec): string {
  const images = countOf(sources.length, 'image');
  const additional = tags.length === 0 ? '' : `, tags ${tags.join(', ')}`;
  return `ok ${place} ${formatReference(target)} ${images}${additional}`;
}

function checkDocument(
  { file, document, outcome, warnings }: CheckedSpec,
  type: RequestedType | undefined,
): object {
  if (outcome instanceof ManifestToolError) {
    const { code, message } = outcome;
    const error = { code, message, hint: hintFor(outcome, { command: 'spec check' }) };
    return { file, document, ok: false, warnings, error };
  }
  const { target, tags, artifactType, annotations, dropAttestations, sources } = outcome;
  return {
    file,
    document,
    ok: true,
    warnings,
    target: formatReference(target),
    tags,
    type: typeOfSpec(outcome, type),
    artifactType: artifactType ?? null,
    annotations: Object.fromEntries(annotations),
    attestations: dropAttestations === true ? 'drop' : 'keep',
    images: sources.map(({ reference, platform, annotations: own }) => ({
      image: formatReference(reference),
      platform: platform !== undefined && isComplete(platform) ? formatPlatform(platform) : null,
      annotations: Object.fromEntries(own ?? []),
    })),
  };
}

function isComplete(platform: Partial<Platform>): platform is Platform {
  return platform.os !== undefined && platform.architecture !== undefined;
}

/**
 * @throws {ManifestToolError} USAGE: the error of a single spec, or a summary after the errors of
 * several.
 */
async function refuseErrors(checked: readonly CheckedSpec[], reporter: Reporter): Promise<void> {
  const errors = checked.flatMap(({ outcome }) =>
    outcome instanceof ManifestToolError ? [outcome] : [],
  );
  if (checked.length === 1 && errors[0] !== undefined) throw errors[0];
  for (const error of errors) await reporter.failed(error);
  const summary = summarizeFailures(errors, checked.length, {
    what: `checking ${checked.length} specs`,
  });
  if (summary !== undefined) throw summary;
}
