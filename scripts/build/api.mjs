/**
 * The types of the library, from what src/index.ts exports: one file for the package, and docs/api/manifest-tool.api.md, which shows every
 * change of the API as a diff. A type that is reachable and not exported, or not documented, is an error.
 *
 *     node scripts/build/api.mjs           writes the report
 *     node scripts/build/api.mjs --check   exits 1 where the committed report is not what would be written
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, realpathSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';
import { ROOT } from '../project.mjs';

const TYPES = path.join(ROOT, '.cache', 'types');
const REPORT = path.join('docs', 'api', 'manifest-tool.api.md');

/** Not errors: release tags, which are all `public` here, what TSDoc says of `@throws {Type}`, and talk. */
const ALLOWED = /^(?:ae-missing-release-tag|tsdoc-|console-)/;

function emitTypes() {
  rmSync(TYPES, { recursive: true, force: true });
  const tsc = fileURLToPath(new URL('bin/tsc', import.meta.resolve('typescript/package.json')));
  const { status, error } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.lib.json'], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`tsc ended with status ${status}`);
}

/**
 * Writes the types of the library to one file.
 * @param output path of the file.
 * @param report `write` or `check` the report as well; `leave` it.
 * @returns whether the committed report is what these types give.
 */
export function makeTypes(output, report) {
  emitTypes();
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

const started = process.argv[1];
if (started !== undefined && realpathSync(started) === fileURLToPath(import.meta.url)) {
  const isCheck = process.argv.includes('--check');
  try {
    const output = path.join(ROOT, '.cache', 'api', 'index.d.ts');
    if (!makeTypes(output, isCheck ? 'check' : 'write')) {
      throw new Error(`${REPORT} is stale: run make api, and commit what it changes`);
    }
    console.log(`api: ${REPORT}, ok`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
