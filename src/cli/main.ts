import type { Arguments, CommandName } from './args/commands.js';
import { parseCommandLine, readArguments, type CommandLine } from './args/parse.js';
import { readOptions } from './args/values.js';
import type { Run, Surroundings } from './command.js';
import { COMMIT, versionLine } from './commit.js';
import type { Io } from './io.js';
import { Reporter } from './progress/reporter.js';

/** The implementations; each is loaded when its command runs. */
const IMPLEMENTATIONS: { readonly [N in CommandName]: () => Promise<{ readonly run: Run<N> }> } = {
  inspect: () => import('./commands/inspect.js'),
  query: () => import('./commands/query.js'),
  digest: () => import('./commands/digest.js'),
  diff: () => import('./commands/diff.js'),
  verify: () => import('./commands/verify.js'),
  'push from-args': () => import('./commands/push-from-args.js'),
  'push from-spec': () => import('./commands/push-from-spec.js'),
  create: () => import('./commands/create.js'),
  add: () => import('./commands/add.js'),
  remove: () => import('./commands/remove.js'),
  annotate: () => import('./commands/annotate.js'),
  copy: () => import('./commands/copy.js'),
  tags: () => import('./commands/tags.js'),
  untag: () => import('./commands/untag.js'),
  'spec check': () => import('./commands/spec-check.js'),
  'spec from': () => import('./commands/spec-from.js'),
  'check-registry': () => import('./commands/check-registry.js'),
  completion: () => import('./commands/completion.js'),
  help: () => import('./commands/help.js'),
  version: () => import('./commands/version.js'),
};

/**
 * Runs one command line and returns its exit code. It throws nothing, and uses nothing of the
 * process but `io`.
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const reporter = new Reporter(io);
  try {
    const commandLine = parseCommandLine(argv);
    if (commandLine.kind === 'version') io.stdout.write(versionLine(COMMIT));
    else if (commandLine.kind === 'help') {
      const { helpText } = await import('./args/help.js');
      io.stdout.write(helpText(commandLine.path, io.stdout.columns, commandLine.isAll));
    } else {
      await runCommand(commandLine, { io, reporter });
    }
    return 0;
  } catch (error) {
    return reporter.failed(error);
  }
}

async function runCommand<N extends CommandName>(
  { command, words, options }: CommandLine<N> & { readonly kind: 'run' },
  { io, reporter }: Surroundings,
): Promise<void> {
  reporter.begin(command);
  // First of all, so that errors in other values are reported in this style.
  reporter.setStyle(readOptions(['quiet', 'progress', 'debug', 'color', 'no-color'], options));
  const args: Arguments<N> = readArguments(command, words, options);
  const { run } = await IMPLEMENTATIONS[command]();
  await run({ args, io, reporter });
}
