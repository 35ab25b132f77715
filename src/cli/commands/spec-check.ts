import { ManifestToolError } from '../../errors.js';
import { SpecChecker, unreadable, type CheckedSpec } from '../../spec/check.js';
import { escapeText } from '../../text.js';
import type { Parsed } from '../command.js';
import type { Io } from '../io.js';
import { listType } from '../options/publishing.js';
import type { Reporter } from '../progress/reporter.js';
import { checkDocument, checkLine } from '../output/spec-check.js';
import { readSpecFile } from '../options/spec-file.js';
import { specFiles, specVariables } from '../options/spec-files.js';

/** `spec check FILE…`: all are read, whatever is wrong with one of them. */
export async function run(parsed: Parsed, io: Io, reporter: Reporter): Promise<void> {
  const files = specFiles(parsed);
  const env = specVariables(parsed, io);
  const isStrict = parsed.switches.has('strict');
  const checker = new SpecChecker(listType(parsed, 'docker'), isStrict, reporter.warning);
  const checked: CheckedSpec[] = [];
  for (const file of files) {
    try {
      checked.push(...checker.checkText(await readSpecFile(file, io), file, env));
    } catch (error) {
      checked.push(unreadable(file, error));
    }
  }
  io.stdout.write(parsed.switches.has('json') ? jsonText(checked) : linesOf(checked));
  refuseErrors(checked, reporter);
}

function linesOf(checked: readonly CheckedSpec[]): string {
  const lines = checked.flatMap(({ file, document, outcome }) => {
    if (outcome instanceof ManifestToolError) return [];
    const isOnly = checked.filter((other) => other.file === file).length === 1;
    return [checkLine(isOnly ? file : `${file}#${document}`, outcome)];
  });
  return lines.map((line) => `${escapeText(line)}\n`).join('');
}

function jsonText(checked: readonly CheckedSpec[]): string {
  return `${JSON.stringify(checked.map(checkDocument), undefined, 2)}\n`;
}

/** @throws {ManifestToolError} USAGE, after each error was reported where there are several specs. */
function refuseErrors(checked: readonly CheckedSpec[], reporter: Reporter): void {
  const errors = checked.flatMap(({ outcome }) =>
    outcome instanceof ManifestToolError ? [outcome] : [],
  );
  const [first] = errors;
  if (first === undefined) return;
  if (checked.length === 1) throw first;
  for (const error of errors) reporter.failed(error);
  const why = `${errors.length} of ${checked.length} ${errors.length === 1 ? 'has an error' : 'have errors'}`;
  throw new ManifestToolError('USAGE', `checking ${checked.length} specs`, why, {
    cause: first,
    hint: 'correct what is told above, and check again',
  });
}
