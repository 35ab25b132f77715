import { VERSION } from '../version.js';
import { COMMIT } from './commit.js';
import type { Io } from './io.js';
import { parseCommandLine } from './args/parse.js';
import { reportStyle } from './options/report-style.js';
import { Reporter } from './progress/reporter.js';

/** Runs one command line and returns its exit code; nothing is thrown, and nothing of the process is touched but `io`. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const reporter = new Reporter(
    io,
    argv.some((word) => /^(-D|--?debug)$/.test(word)),
  );
  try {
    const invocation = parseCommandLine(argv);
    if (invocation.kind === 'version') io.stdout.write(versionLine(COMMIT));
    else if (invocation.kind === 'help') {
      const { helpText } = await import('./args/help.js');
      io.stdout.write(await helpText(invocation.path, io.stdout.columns));
    } else {
      const { command, parsed } = invocation;
      reporter.begin(command.path.join(' '));
      reporter.use(reportStyle(parsed));
      const implementation = await command.load();
      await implementation.run(parsed, io, reporter);
    }
    return 0;
  } catch (error) {
    return reporter.failed(error);
  }
}

/** What `--version` prints: the version is the third word, as manifest-tool has it. */
export function versionLine(commit: string): string {
  return `manifest-tool version ${VERSION}${commit === '' ? '' : ` (commit ${commit})`}\n`;
}
