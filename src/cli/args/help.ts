import yargs, { type Options } from 'yargs';
import type { CommandSpec } from '../command.js';
import { COMMANDS } from './commands.js';
import { exampleLines } from './example.js';
import { EXIT_MEANINGS } from './exit-codes.js';
import { OPTIONS, OPTIONS_EVERYWHERE, type OptionName } from './options.js';
import { synopsis, valueTerm } from './synopsis.js';

/** The widest text; a terminal may have fewer columns, and where there is none it is written for those that most have. */
const MAX_WIDTH = 100;
const USUAL_WIDTH = 80;

const REFERENCE =
  'REF is [host[:port]/]path[:tag][@digest], or oci-layout://PATH[:tag][@digest] for a directory.';

/** The help of a command, or of the commands that begin with these words. */
export async function helpText(path: readonly string[], columns: number): Promise<string> {
  const width = Math.min(columns || USUAL_WIDTH, MAX_WIDTH);
  const commands = COMMANDS.filter((command) => path.every((word, i) => command.path[i] === word));
  const only = commands.length === 1 ? commands[0] : undefined;
  const help = yargs().scriptName('manifest-tool').wrap(width).help(false).version(false);
  if (only === undefined) {
    help.usage(['$0', ...path, 'COMMAND [options]'].join(' '));
    for (const { path: words, positionals, describe } of commands) {
      help.command([...words, ...positionals].join(' '), describe);
    }
  } else {
    help.usage(`$0 ${synopsis(only)}`);
    addOptions(help, only.options, only.required);
  }
  addOptions(help, OPTIONS_EVERYWHERE, []);
  const codes = EXIT_MEANINGS.map(({ code, word }) => `${code}${FIXED_BLANK}${word}`).join(', ');
  const more = only === undefined ? 'manifest-tool COMMAND --help shows examples.\n' : '';
  help.epilogue(`${more}${REFERENCE}\nExit codes: ${codes}.`);
  const text = (await help.getHelp()).replaceAll(FIXED_BLANK, ' ');
  if (only === undefined) return `${text}\n`;
  // Examples go before the options: an option of all commands is not what is looked for first.
  const [usage = '', ...rest] = text.split(/\n(?=\n)/);
  return `${[usage, `\n${only.describe}`, examples(only, width), ...rest].join('\n')}\n`;
}

function examples(command: CommandSpec, width: number): string {
  const lines = command.examples.flatMap(([example, describe]) => [
    `# ${describe}`,
    ...exampleLines(example, width - 2),
  ]);
  return ['\nExamples:', ...lines.map((line) => `  ${line}`)].join('\n');
}

/** A blank at which the layout breaks no line: a printable character of ASCII that no help has, so that its width is known without tables. */
const FIXED_BLANK = '`';

function addOptions(
  help: ReturnType<typeof yargs>,
  names: readonly OptionName[],
  required: readonly OptionName[],
): void {
  for (const name of names) {
    const { describe, alias, group } = OPTIONS[name]!;
    const text = required.includes(name) ? `${describe} (required)` : describe;
    const option: Options = {
      describe: text.replaceAll(/\[default: [^\]]{1,30}\]/g, (note) =>
        note.replaceAll(' ', FIXED_BLANK),
      ),
      group: group ?? 'Options:',
      ...(alias === undefined ? {} : { alias }),
    };
    help.option(`${name}${valueTerm(name)}`, option);
  }
}
