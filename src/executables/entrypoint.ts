import type { ImageConfig } from '../oci/image-config.js';
import { Fields } from '../oci/json/fields.js';
import type { FileTree, FoundFile, FoundProgram } from './file-tree.js';
import { ARGUMENTS, commandsIn, type Command, type Word } from './shell.js';

/** What a container of an image runs at its start. */
export interface Started {
  /** Each once, in the order in which they are found. */
  readonly programs: readonly FoundProgram[];
  /**
   * For each script that asks for the architecture of its machine: the programs that only it
   * starts. One of them is run, so it is enough if one fits.
   */
  readonly choices: readonly (readonly FoundProgram[])[];
  /** What could not be followed, as predicates of the image. */
  readonly notes: readonly string[];
}

/**
 * Finds what a container runs, as the runtime does (OCI image-spec, config.md, Entrypoint and Cmd):
 * the program, through PATH and links; the interpreter of a script; what a script or the command of
 * a shell executes, as far as its text tells; the command that an entrypoint such as a script or
 * tini is given.
 * @throws {FieldError} if the config has something else in the place of strings.
 */
export function startedBy(config: ImageConfig, tree: FileTree, isWindows: boolean): Started {
  const fields = Fields.of(config.json, '').fields('config');
  const argv = [...(fields?.strings('Entrypoint') ?? []), ...(fields?.strings('Cmd') ?? [])];
  if (argv.length === 0)
    return { programs: [], choices: [], notes: ['has no entrypoint and no command'] };
  const env = environmentOf(fields?.strings('Env') ?? [], isWindows);
  const tracer = new Tracer(tree, env, isWindows);
  const cwd = fields?.string('WorkingDir') || '/';
  tracer.run(isWindows ? commandLine(argv, tree) : argv, cwd, true);
  return {
    programs: [...tracer.programs.values()],
    choices: tracer.choices(),
    notes: tracer.notes,
  };
}

/** Windows takes one string that has the arguments as well (config.md, ArgsEscaped). */
function commandLine(argv: readonly string[], tree: FileTree): readonly string[] {
  const [line = '', ...rest] = argv;
  if (!/\s/.test(line) || tree.find(line) !== undefined) return argv;
  const words = line.match(/"[^"]*"|[^\s"]+/g) ?? [];
  return [...words.map((word) => word.replaceAll('"', '')), ...rest];
}

function environmentOf(env: readonly string[], isWindows: boolean): Map<string, string> {
  return new Map(
    env.map((item) => {
      const [name = ''] = item.split('=', 1);
      return [isWindows ? name.toUpperCase() : name, item.slice(name.length + 1)] as const;
    }),
  );
}

/** How many commands are followed, and how many directories of PATH are searched, at most. */
const MAX_COMMANDS = 1000;
const MAX_PLACES = 256;

/** How deep scripts and wrappers are followed. */
const MAX_DEPTH = 16;

/** The PATH of containerd, Docker and podman for an image without one. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Where Windows looks before PATH (CreateProcess). */
const WINDOWS_PATH = ['\\Windows\\System32', '\\Windows'];
/** What the command processor of Windows tries behind a name. */
const PATHEXT = ['', '.com', '.exe', '.bat', '.cmd'];

const SHELLS = /^(?:a|ba|da|k|mk|z|rba)?sh$/;

/**
 * Programs that run another one: the options that have a value of their own, and how many arguments
 * come before the program.
 */
const WRAPPERS: Readonly<Record<string, { readonly valued?: string; readonly before?: number }>> = {
  catatonit: {},
  command: {},
  'docker-init': {},
  'dumb-init': { valued: 'r' },
  env: { valued: 'uC' },
  exec: { valued: 'a' },
  gosu: { before: 1 },
  nice: { valued: 'n' },
  nohup: {},
  setsid: {},
  stdbuf: { valued: 'ioe' },
  'su-exec': { before: 1 },
  timeout: { valued: 'ks', before: 1 },
  tini: { valued: 'pe' },
  'tini-static': { valued: 'pe' },
};

/** What asks for the architecture of the machine. */
const ASKS_ARCHITECTURE = /\b(?:uname|arch)\b|--print-architecture|\bapk --print-arch\b/;

class Tracer {
  readonly programs = new Map<string, FoundProgram>();
  /** Paths of programs that are started outside of any choice. */
  private readonly unchosen = new Set<string>();
  /** The choices of scripts: the paths of their programs. */
  private readonly chosen: Set<string>[] = [];
  /** The choice of the script whose commands are being followed. */
  private choice: Set<string> | undefined;
  readonly notes: string[] = [];
  private readonly seen = new Set<string>();

  constructor(
    private readonly tree: FileTree,
    private readonly env: ReadonlyMap<string, string>,
    private readonly isWindows: boolean,
  ) {}

  /**
   * Follows a command.
   * @param isSure whether it is run in any case, so that it must exist
   */
  run(argv: Command, cwd: string, isSure: boolean, depth = 0): void {
    const [word, ...rest] = argv;
    if (typeof word !== 'string' || word === '' || depth > MAX_DEPTH) return;
    const key = JSON.stringify([cwd, argv.map(String)]);
    if (this.seen.has(key)) return;
    this.seen.add(key);
    if (this.seen.size > MAX_COMMANDS) {
      if (this.seen.size === MAX_COMMANDS + 1)
        this.notes.push(
          `runs more than ${MAX_COMMANDS} commands, of which the first were followed`,
        );
      return;
    }
    const found = this.lookUp(word, cwd);
    if (found === undefined) {
      if (isSure) this.notes.push(`starts ${JSON.stringify(word)}, which is not in its layers`);
    } else this.follow(found, word, rest, cwd, depth);
    // Also if it is not there: a shell has some of them built in.
    if (found?.file.kind !== 'script') this.arguments(baseName(word), rest, cwd, isSure, depth);
  }

  /** The programs of each choice that are not started otherwise. */
  choices(): FoundProgram[][] {
    return this.chosen
      .map((paths) => [...paths].filter((path) => !this.unchosen.has(path)))
      .filter((paths) => paths.length > 0)
      .map((paths) => paths.map((path) => this.programs.get(path)!));
  }

  private follow(
    { path, file }: FoundFile,
    word: string,
    rest: Command,
    cwd: string,
    depth: number,
  ): void {
    if (file.kind === 'program') {
      this.programs.set(path, { path, program: file.program });
      (isRunner(baseName(word)) ? this.unchosen : (this.choice ?? this.unchosen)).add(path);
    } else if (file.kind === 'script') this.script({ path, file }, rest, cwd, depth);
    else
      this.notes.push(
        `starts ${JSON.stringify(word)}, which is neither a native program nor a script`,
      );
  }

  /** What the program of this name runs by its arguments. */
  private arguments(
    name: string,
    rest: Command,
    cwd: string,
    isSure: boolean,
    depth: number,
  ): void {
    if (this.isWindows && /^(?:cmd|powershell|pwsh)(?:\.exe)?$/.test(name)) {
      const command = windowsCommand(rest);
      if (command !== undefined) this.run(command, cwd, false, depth + 1);
      return;
    }
    if (name === 'busybox')
      this.arguments(String(rest[0] ?? ''), rest.slice(1), cwd, isSure, depth);
    else if (SHELLS.test(name)) this.shell(rest, cwd, depth);
    else if (Object.hasOwn(WRAPPERS, name)) {
      this.run(wrapped(name, rest), cwd, isSure, depth + 1);
    }
  }

  /** `sh -c TEXT`, or `sh SCRIPT`. */
  private shell(rest: Command, cwd: string, depth: number): void {
    let isCommand = false;
    let i = 0;
    for (; i < rest.length; i += 1) {
      const word = rest[i];
      if (typeof word !== 'string' || !/^[-+]./.test(word)) break;
      if (word === '--') {
        i += 1;
        break;
      }
      if (word.startsWith('--')) continue;
      if (word.startsWith('-') && word.includes('c')) isCommand = true;
      if (word.endsWith('o')) i += 1;
    }
    const operand = rest[i];
    if (typeof operand !== 'string') return;
    const args = rest.slice(i + 1);
    if (isCommand) {
      // The first argument behind the text is `$0`.
      this.choosing(operand, () => {
        this.commands(commandsIn(operand, this.env), args.slice(1), cwd, depth);
      });
      return;
    }
    const found = this.tree.find(operand, cwd);
    if (found?.file.kind === 'script') this.text(found.file.text, args, cwd, depth);
  }

  private script(
    { path, file }: { readonly path: string; readonly file: { readonly text: string } },
    args: Command,
    cwd: string,
    depth: number,
  ): void {
    const interpreter = interpreterOf(file.text);
    if (interpreter === undefined) {
      this.notes.push(`starts ${path}, a script without an interpreter`);
      return;
    }
    this.run(interpreter, cwd, true, depth + 1);
    // What the script does with its arguments is not known; often it executes them.
    this.run(args, cwd, false, depth + 1);
    const separator = args.indexOf('--');
    if (separator >= 0) this.run(args.slice(separator + 1), cwd, false, depth + 1);
    if (SHELLS.test(baseName(String(programOf(interpreter)))))
      this.text(file.text, args, cwd, depth);
  }

  /**
   * What a script of a shell executes: commands behind `exec`, those that are given its arguments,
   * what `set --` makes its arguments, and the last command; all of them if it waits for some.
   */
  private text(text: string, args: Command, cwd: string, depth: number): void {
    const all = commandsIn(text, this.env);
    const waits = all.some(([name]) => name === 'wait');
    const executed = all.filter(
      (command, i) =>
        waits ||
        command[0] === 'set' ||
        command[0] === 'exec' ||
        command.includes(ARGUMENTS) ||
        i === all.length - 1 ||
        command[0] === 'cd',
    );
    this.choosing(text, () => this.commands(executed, args, cwd, depth));
  }

  /** Follows the commands of a text, as a choice if it asks for the architecture. */
  private choosing(text: string, follow: () => void): void {
    const outer = this.choice;
    if (outer === undefined && ASKS_ARCHITECTURE.test(text)) {
      this.choice = new Set();
      this.chosen.push(this.choice);
    }
    follow();
    this.choice = outer;
  }

  private commands(
    commands: readonly Command[],
    args: Command,
    start: string,
    depth: number,
  ): void {
    let cwd: string | undefined = start;
    for (const command of commands) {
      const [name, target] = command;
      if (name === 'cd') {
        cwd =
          typeof target === 'string' && cwd !== undefined
            ? joined(cwd, target, this.tree)
            : undefined;
      } else if (cwd !== undefined || isAnywhere(name)) {
        const words = command.flatMap((word): Word[] => (word === ARGUMENTS ? [...args] : [word]));
        this.run(name === 'set' ? setArguments(words) : words, cwd ?? '/', false, depth + 1);
      }
    }
  }

  /** Finds a program as the runtime does (POSIX, execvp; in Windows CreateProcess). */
  private lookUp(word: string, cwd: string): FoundFile | undefined {
    if (this.isWindows) return this.lookUpInWindows(word, cwd);
    if (word.includes('/')) return this.tree.find(word, cwd);
    const places = (this.env.get('PATH') || DEFAULT_PATH).split(':', MAX_PLACES);
    for (const place of places) {
      const found = this.tree.find(`${place === '' ? '.' : place}/${word}`, cwd);
      if (found?.file.isExecutable === true) return found;
    }
    return undefined;
  }

  private lookUpInWindows(word: string, cwd: string): FoundFile | undefined {
    const places = /[/\\]/.test(word)
      ? ['.']
      : ['.', ...WINDOWS_PATH, ...(this.env.get('PATH') ?? '').split(';', MAX_PLACES)];
    for (const place of places) {
      for (const extension of PATHEXT) {
        const path = `${word}${extension}`;
        const isWhole = this.tree.isAbsolute(path);
        const found = this.tree.find(isWhole ? path : `${place}\\${path}`, cwd);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }
}

/** The arguments that `set` gives to a script; none if it sets options. */
function setArguments(words: Command): Command {
  const separator = words.indexOf('--');
  return separator < 0 ? [] : words.slice(separator + 1);
}

/** Whether what a program does is to run others. */
function isRunner(name: string): boolean {
  return name === 'busybox' || SHELLS.test(name) || Object.hasOwn(WRAPPERS, name);
}

function baseName(path: string): string {
  return path.split(/[/\\]/).at(-1)!.toLowerCase();
}

function joined(cwd: string, path: string, tree: FileTree): string {
  return tree.isAbsolute(path) ? path : `${cwd}/${path}`;
}

/** Whether a program is found without the directory that it is started in. */
function isAnywhere(word: Word): boolean {
  return typeof word === 'string' && (word.startsWith('/') || !word.includes('/'));
}

/** The words of the first line of a script: its interpreter, and one argument (Linux, execve). */
function interpreterOf(text: string): Command | undefined {
  const [line = ''] = text.split('\n', 1);
  const match = /^#![ \t]*(\S+)(?:[ \t]+(.*\S))?/.exec(line.replace(/\r$/, ''));
  if (match === null) return undefined;
  const [, path, argument] = match;
  if (argument === undefined) return [path];
  // `env -S` splits what the kernel gives it as one argument.
  const isSplit = baseName(path!) === 'env' && /^-[a-zA-Z]*S/.test(argument);
  return [path, ...(isSplit ? argument.replace(/^-[a-zA-Z]*S\s*/, '').split(/\s+/) : [argument])];
}

/** The program that an interpreter line names in the end: that behind `env`. */
function programOf([path, ...rest]: Command): Word {
  return baseName(String(path)) === 'env' ? wrapped('env', rest)[0] : path;
}

/** What a wrapper runs: its arguments without its options, assignments and own arguments. */
function wrapped(name: string, rest: Command): Command {
  const { valued = '', before = 0 } = WRAPPERS[name]!;
  let i = 0;
  for (; i < rest.length; i += 1) {
    const word = rest[i];
    if (typeof word !== 'string' || !/^-./.test(word)) break;
    if (word === '--') {
      i += 1;
      break;
    }
    if (word.length === 2 && valued.includes(word[1]!)) i += 1;
  }
  const isAssignment = (word: Word): boolean =>
    name === 'env' && typeof word === 'string' && /^[^=/]+=/.test(word);
  while (isAssignment(rest[i])) i += 1;
  const own = rest.slice(i + before);
  return own[0] === '--' ? own.slice(1) : own;
}

/** `cmd /S /C "TEXT"` and `powershell -Command TEXT`: the words of the text. */
function windowsCommand(rest: Command): Command | undefined {
  const at = rest.findIndex(
    (word) => typeof word === 'string' && /^(?:\/[ck]|-c(?:ommand)?)$/i.test(word),
  );
  if (at < 0) return undefined;
  const text = rest
    .slice(at + 1)
    .map(String)
    .join(' ')
    .trim()
    .replace(/^&\s*/, '');
  const match = /^"([^"]+)"|^'([^']+)'|^([^\s;&|]+)/.exec(text);
  return match === null ? undefined : [match[1] ?? match[2] ?? match[3]];
}
