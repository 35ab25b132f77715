/**
 * Generates the types of the library from the exports of src/index.ts: one file for the package,
 * and docs/api/manifest-tool.api.md, so that every change of the API shows up as a diff. A
 * reachable type that is not exported or not documented is an error.
 *
 *     node scripts/build/api.mjs           writes the report
 *     node scripts/build/api.mjs --check   exits 1 if the committed report differs
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';
import { isMain, messageOf, ROOT } from '../project.mjs';

const TYPES = path.join(ROOT, '.cache', 'types');
const REPORT = path.join('docs', 'api', 'manifest-tool.api.md');

/** Messages that are not errors here: missing release tags (everything is public), the syntax `@throws {Type}`, progress. */
const ALLOWED = /^(?:ae-missing-release-tag|tsdoc-|console-)/;

/**
 * Compiles the library, with options that differ from those of tsconfig.lib.json.
 * @param {readonly string[]} options
 */
export function compile(options = []) {
  const tsc = fileURLToPath(new URL('bin/tsc', import.meta.resolve('typescript/package.json')));
  const { status, error } = spawnSync(
    process.execPath,
    [tsc, '-p', 'tsconfig.lib.json', ...options],
    {
      cwd: ROOT,
      stdio: 'inherit',
    },
  );
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`tsc ended with status ${status}`);
}

/**
 * Writes the types of the library to one file.
 * @param {string} output path of the file
 * @param {'write' | 'check'} report whether the report is written as well, or only compared
 * @returns {boolean} whether the committed report is what these types give
 */
export function makeTypes(output, report) {
  rmSync(TYPES, { recursive: true, force: true });
  compile();
  mkdirSync(path.join(ROOT, path.dirname(REPORT)), { recursive: true });
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder: ROOT,
      mainEntryPointFilePath: path.join(TYPES, 'index.d.ts'),
      compiler: { tsconfigFilePath: path.join(ROOT, 'tsconfig.lib.json') },
      apiReport: {
        enabled: true,
        reportFileName: path.basename(REPORT),
        reportFolder: path.join(ROOT, path.dirname(REPORT)),
        reportTempFolder: path.join(ROOT, '.cache', 'api'),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: true, untrimmedFilePath: output },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
      messages: {
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.Error },
          'ae-undocumented': { logLevel: ExtractorLogLevel.Error },
        },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: path.join(ROOT, 'package.json'),
  });
  /** @type {string[]} */
  const faults = [];
  const { apiReportChanged } = Extractor.invoke(config, {
    localBuild: report === 'write',
    messageCallback(message) {
      message.handled = true;
      const { messageId, logLevel, text, sourceFilePath, sourceFileLine } = message;
      const isFault =
        logLevel === ExtractorLogLevel.Error || logLevel === ExtractorLogLevel.Warning;
      if (!isFault || ALLOWED.test(messageId)) return;
      const place = sourceFilePath && `${path.relative(ROOT, sourceFilePath)}:${sourceFileLine}: `;
      faults.push(`${place ?? ''}${text} (${messageId})`);
    },
  });
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return report === 'write' || !apiReportChanged;
}

if (isMain(import.meta.url)) {
  const isCheck = process.argv.includes('--check');
  try {
    const output = path.join(ROOT, '.cache', 'api', 'index.d.ts');
    if (!makeTypes(output, isCheck ? 'check' : 'write')) {
      throw new Error(`${REPORT} is stale: run make api, and commit what it changes`);
    }
    console.log(`api: ${REPORT}, ok`);
  } catch (error) {
    console.error(messageOf(error));
    process.exitCode = 1;
  }
}
