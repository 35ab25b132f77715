/** What the runner reads out of the output of a step. */
export interface ReadLog {
  /** `error: message` and `warning: message`. */
  readonly annotations: readonly string[];
  /** All other commands that it would follow, by name and data. */
  readonly commands: readonly string[];
}

const KNOWN = /^(?:error|warning|notice|debug|group|endgroup|add-mask|set-output|save-state)$/;

/**
 * Reads the log as the runner does: `::command properties::data` at the start of a line, the older `##[command properties]data`
 * anywhere in it, and nothing of this between `::stop-commands::TOKEN` and `::TOKEN::`.
 */
export function readLog(log: string): ReadLog {
  const annotations: string[] = [];
  const commands: string[] = [];
  let token: string | undefined;
  for (const line of log.split('\n')) {
    const [, name = '', data = ''] =
      /^\s*::([\w-]+)(?: [^:]*)?::(.*)$/.exec(line) ??
      /##\[([\w-]+)(?: [^\]]*)?\](.*)$/.exec(line) ??
      [];
    if (token !== undefined) {
      if (name === token) token = undefined;
    } else if (name === 'stop-commands') token = data;
    else if (name === 'error' || name === 'warning') annotations.push(`${name}: ${decode(data)}`);
    else if (KNOWN.test(name)) commands.push(`${name} ${decode(data)}`.trim());
  }
  if (token !== undefined) throw new Error('the log ends while no command is followed');
  return { annotations, commands };
}

function decode(data: string): string {
  return data.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
}
