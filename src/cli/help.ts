import yargs, { type Options } from 'yargs';
import { COMMANDS } from './commands.js';
import { OPTIONS, OPTIONS_EVERYWHERE, placeholder, type OptionName } from './options.js';

const WIDTH = 100;

/** The help of a command, or of the commands that begin with these words. */
export async function helpText(path: readonly string[], columns: number): Promise<string> {
  const commands = COMMANDS.filter((command) => path.every((word, i) => command.path[i] === word));
  const only = commands.length === 1 ? commands[0] : undefined;
  const help = yargs()
    .scriptName('manifest-tool')
    .wrap(Math.min(columns || WIDTH, WIDTH))
    .help(false)
    .version(false);
  if (only === undefined) {
    help.usage(['$0', ...path, 'COMMAND [options]'].join(' '));
    for (const { path: words, positionals, describe } of commands) {
      help.command([...words, ...positionals].join(' '), describe);
    }
  } else {
    help.usage(
      `${['$0', ...only.path, ...only.positionals, '[options]'].join(' ')}\n\n${only.describe}`,
    );
    addOptions(help, only.options, only.required);
    for (const [command, describe] of only.examples) help.example(command, describe);
  }
  addOptions(help, OPTIONS_EVERYWHERE, []);
  help.epilogue(
    'REF is [host[:port]/]path[:tag][@digest], or oci-layout://PATH[:tag][@digest] for a directory.\n' +
      'Exit codes: 0 done, 1 failed, 2 wrong use, 3 not found, 4 not allowed, 5 registry unavailable, 6 refused, 130 interrupted.',
  );
  return `${await help.getHelp()}\n`;
}

function addOptions(
  help: ReturnType<typeof yargs>,
  names: readonly OptionName[],
  required: readonly OptionName[],
): void {
  for (const name of names) {
    const { kind, describe, alias, group } = OPTIONS[name]!;
    const value = placeholder(OPTIONS[name]!);
    const option: Options = {
      describe: required.includes(name) ? `${describe} (required)` : describe,
      group: group ?? 'Options:',
      ...(kind === 'switch' || kind === 'host' ? { type: 'boolean' } : {}),
      ...(alias === undefined ? {} : { alias }),
    };
    help.option(value === undefined ? name : `${name} ${value}`, option);
  }
}
