import { yieldToEventLoop } from '../concurrency.js';
import type { FileNode, Layer, LayerEntry } from './layer.js';
import type { Program } from './program.js';

/** A file as a path leads to it. */
export interface FoundFile {
  /** Its real path: absolute, without links. */
  readonly path: string;
  readonly file: FileNode;
}

/** A file with native code, and its path. */
export interface FoundProgram {
  readonly path: string;
  readonly program: Program;
}

interface Directory {
  readonly kind: 'directory';
  readonly children: Map<string, Node>;
}

interface Symlink {
  readonly kind: 'symlink';
  readonly target: string;
}

type Node = Directory | Symlink | FileNode;

/** How many links a path may lead through before it counts as a loop (Linux, MAXSYMLINKS). */
const MAX_LINKS = 40;

const WHITEOUT = '.wh.';
const WHITEOUT_PATH = /(?:^|[/\\])\.wh\.[^/\\]*$/;
/** Of aufs: not files of the image. `.wh..wh..opq` is the one that the specification has. */
const WHITEOUT_META = '.wh..wh.';
const OPAQUE = '.wh..wh..opq';

/** After so many entries, other work gets its turn. */
const ENTRIES_AT_ONCE = 4096;

/** What Windows keeps beside the files of an image, in its layers. */
const WINDOWS_OTHERS = new Set(['hives', 'utilityvm']);

/**
 * The files of an image: its layers, one over the other, as a runtime unpacks them (OCI image-spec,
 * layer.md, Applying Changesets). Links lead to where they do inside the image. In Windows, case
 * does not matter, and the files of a layer are in its directory `Files`.
 */
export class FileTree {
  private readonly root: Directory = directory();

  constructor(private readonly isWindows: boolean) {}

  /**
   * Applies a layer over those before it.
   * @throws the reason of `signal`.
   */
  async apply({ entries }: Layer, signal: AbortSignal): Promise<void> {
    // Whiteouts are about the layers below only, wherever they are in their own.
    for (const isWhiteoutTurn of [true, false]) {
      for (const [i, entry] of entries.entries()) {
        if (i % ENTRIES_AT_ONCE === 0) {
          await yieldToEventLoop();
          signal.throwIfAborted();
        }
        if (WHITEOUT_PATH.test(entry.path) !== isWhiteoutTurn) continue;
        const parts = this.partsOf(entry.path);
        if (parts.length === 0) continue;
        if (isWhiteoutTurn) this.remove(parts);
        else this.add(parts, entry);
      }
    }
  }

  /**
   * The file that a path leads to, through links; undefined if there is none, or a directory.
   * @param cwd what a relative path begins at
   */
  find(path: string, cwd = '/'): FoundFile | undefined {
    const start = this.isAbsolute(path) ? [] : this.components(cwd);
    const found = this.walk([...start, ...this.components(path)]);
    if (found === undefined || found.node.kind === 'directory') return undefined;
    return { path: `/${found.path.join('/')}`, file: found.node };
  }

  /** Whether a path begins at the root; in Windows `\\app` and `C:\\app` do as well. */
  isAbsolute(path: string): boolean {
    return (this.isWindows ? /^(?:[/\\]|[A-Za-z]:)/ : /^\//).test(path);
  }

  /** All programs, each once however many hard links it has. */
  *programs(): Generator<FoundProgram, void, undefined> {
    const seen = new Set<FileNode>();
    const stack: [string, Directory][] = [['', this.root]];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const [path, { children }] = next;
      for (const [name, node] of children) {
        if (node.kind === 'directory') stack.push([`${path}/${name}`, node]);
        else if (node.kind === 'program' && !seen.has(node)) {
          seen.add(node);
          yield { path: `${path}/${name}`, program: node.program };
        }
      }
    }
  }

  /** The parts of a path in a layer; none for what is not a file of the image. */
  private partsOf(path: string): string[] {
    const parts = this.components(path);
    if (!this.isWindows) return parts;
    if (parts[0] === 'files') return parts.slice(1);
    return WINDOWS_OTHERS.has(parts[0] ?? '') ? [] : parts;
  }

  private components(path: string): string[] {
    const plain = this.isWindows
      ? path
          .replaceAll('\\', '/')
          .replace(/^(?:\/\/\?\/)?[a-z]:/i, '')
          .toLowerCase()
      : path;
    return plain.split('/').filter((part) => part !== '' && part !== '.');
  }

  private remove(parts: readonly string[]): void {
    const parent = this.walk(parts.slice(0, -1))?.node;
    if (parent?.kind !== 'directory') return;
    const name = parts.at(-1)!;
    if (name === OPAQUE) parent.children.clear();
    else if (!name.startsWith(WHITEOUT_META)) parent.children.delete(name.slice(WHITEOUT.length));
  }

  private add(parts: readonly string[], entry: LayerEntry): void {
    const parent = this.walk(parts.slice(0, -1), true)?.node;
    const name = parts.at(-1)!;
    // A path that links lead nowhere; no runtime unpacks it.
    if (parent?.kind !== 'directory' || name === '..') return;
    const { children } = parent;
    if (entry.kind === 'directory') {
      if (children.get(name)?.kind !== 'directory') children.set(name, directory());
    } else if (entry.kind === 'symlink') {
      children.set(name, { kind: 'symlink', target: entry.target });
    } else if (entry.kind === 'file') children.set(name, entry.file);
    else {
      const target = this.linked(this.partsOf(entry.target));
      if (target !== undefined && target.kind !== 'directory') children.set(name, target);
    }
  }

  /** What a hard link points to, which may be a symbolic link itself. */
  private linked(parts: readonly string[]): Node | undefined {
    const parent = this.walk(parts.slice(0, -1))?.node;
    return parent?.kind === 'directory' ? parent.children.get(parts.at(-1) ?? '') : undefined;
  }

  /**
   * Follows a path through links; `..` at the root stays there.
   * @param isMade makes the directories of the path that do not exist
   */
  private walk(
    parts: readonly string[],
    isMade = false,
  ): { readonly path: readonly string[]; readonly node: Directory | FileNode } | undefined {
    const left = parts.toReversed();
    const path: string[] = [];
    const parents: Directory[] = [this.root];
    let node: Directory | FileNode = this.root;
    for (let links = 0, name = left.pop(); name !== undefined; name = left.pop()) {
      if (node.kind !== 'directory') return undefined;
      if (name === '..') {
        path.pop();
        if (parents.length > 1) parents.pop();
        node = parents.at(-1)!;
        continue;
      }
      let next: Node | undefined = node.children.get(name);
      if (isMade && next?.kind !== 'directory' && next?.kind !== 'symlink') {
        next = directory();
        node.children.set(name, next);
      }
      if (next === undefined) return undefined;
      if (next.kind === 'symlink') {
        links += 1;
        if (links > MAX_LINKS) return undefined;
        if (this.isAbsolute(next.target)) {
          [path.length, parents.length] = [0, 1];
          node = this.root;
        }
        left.push(...this.components(next.target).toReversed());
        continue;
      }
      path.push(name);
      node = next;
      if (next.kind === 'directory') parents.push(next);
    }
    return { path, node };
  }
}

function directory(): Directory {
  return { kind: 'directory', children: new Map() };
}
