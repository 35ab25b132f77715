import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Document,
  type LineCounter,
  type Node,
  type YAMLMap,
} from 'yaml';
import { detailsOf, ManifestToolError, type ErrorDetails } from '../errors.js';
import { suggestion } from '../text.js';

/** A YAML document and the file it is in, so that errors can point to a place in it. */
export interface SpecSource {
  readonly file: string;
  /** The whole file. */
  readonly text: string;
  readonly document: Document;
  readonly lines: LineCounter;
  /** Values of variables in strings; without it, strings are left as they are. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** `${NAME}`, `${NAME:-default}` or `$$`. */
const VARIABLE = /\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

/** A variable as a shell has it: `$NAME`. */
const UNBRACED = /(?:^|[^$])(?:\$\$)*\$([A-Za-z_][A-Za-z0-9_]*)/;

function variableAdvice(name: string): ErrorDetails {
  return { reason: 'spec-variable', data: { name } };
}

/** How many names an error lists. */
const MAX_NAMES = 5;

/** What a node can be required to be, with a hint on how to write it. */
const FORMS = {
  string: 'write KEY: VALUE, with quotes around a value that begins with [ or {',
  list: 'write a line "- ITEM" for each item, or [ITEM, ITEM]',
  mapping: 'write a line KEY: VALUE for each key',
};

/** One node of a spec. Reading it as something that it is not is an error with line and column. */
export class SpecNode {
  constructor(
    private readonly source: SpecSource,
    private readonly node: Node,
    /** The node's name in messages, for example `manifests[0].platform`. */
    readonly path: string,
  ) {}

  /**
   * The error USAGE for a fault at this node, with the line of the file that has it. If the node
   * has a variable that is not replaced, that is the reason.
   */
  error(why: string, details: ErrorDetails): ManifestToolError {
    const quoted = quoteAt(this.source.text, this.offset());
    const name = this.unreplacedVariable();
    const what = `reading ${this.place()}`;
    const advice = name === undefined ? this.unbracedAdvice() : variableAdvice(name);
    return new ManifestToolError('USAGE', what, `${why}${quoted}`, { ...details, ...advice });
  }

  /** What to do about a variable without braces in a string, which is never replaced. */
  private unbracedAdvice(): ErrorDetails {
    const { node, source } = this;
    if (!isScalar(node) || typeof node.value !== 'string') return {};
    const name = UNBRACED.exec(node.value)?.[1];
    if (name === undefined) return {};
    if (source.env === undefined) return { reason: 'spec-variable-unbraced', data: { name } };
    return { hint: `$${name} is not replaced: write \${${name}}` };
  }

  /** The name of the first variable in a string, if variables are not replaced in this spec. */
  unreplacedVariable(): string | undefined {
    const { node } = this;
    if (this.source.env !== undefined || !isScalar(node) || typeof node.value !== 'string')
      return undefined;
    const names = [...node.value.matchAll(VARIABLE)].map(([, name]) => name);
    return names.find((name) => name !== undefined);
  }

  /** The same error for this node; `prefix` comes before its cause. */
  placed(error: ManifestToolError, prefix = ''): ManifestToolError {
    return this.error(`${prefix}${error.why}`, { ...detailsOf(error), cause: error.cause });
  }

  /**
   * The error USAGE for a missing key of a mapping. It lists the keys that are there but not their
   * values, which may be secrets if the file is not a spec at all.
   */
  missing(why: string, details: ErrorDetails): ManifestToolError {
    const names = this.members().map(({ name }) => JSON.stringify(name));
    const some = names.slice(0, MAX_NAMES).join(', ') + (names.length > MAX_NAMES ? ', …' : '');
    const found = names.length === 0 ? `${this.path} is empty` : `${this.path} has only ${some}`;
    return new ManifestToolError('USAGE', `reading ${this.place()}`, `${why}; ${found}`, details);
  }

  /** `FILE:LINE:COLUMN`. */
  place(): string {
    const { line, col } = this.source.lines.linePos(this.offset());
    return `${this.source.file}:${line}:${col}`;
  }

  isNull(): boolean {
    return isScalar(this.node) && this.node.value === null;
  }

  /** Whether it is a merge key: the parser makes a symbol of `<<`, but not of `"<<"`. */
  isMerge(): boolean {
    return isScalar(this.node) && typeof this.node.value === 'symbol';
  }

  /**
   * The value of a scalar as it is written in the file, so that `386` and `1.10` are read as in
   * manifest-tool; null is the empty string. Variables are replaced.
   */
  string(): string {
    const { node } = this;
    if (!isScalar(node)) throw this.wrongType('string');
    if (node.value === null) return '';
    return this.replaced(typeof node.value === 'string' ? node.value : (node.source ?? ''));
  }

  /** The items of a list; null is an empty list. */
  list(): SpecNode[] {
    const { node } = this;
    if (this.isNull()) return [];
    if (!isSeq(node)) throw this.wrongType('list');
    return node.items.map((item, i) => this.child(item as Node | null, `${this.path}[${i}]`));
  }

  /**
   * The members of a mapping, in order; null is an empty mapping. A merge key (`<<`) adds the
   * members of one or several mappings that the mapping itself does not have
   * (https://yaml.org/type/merge.html).
   */
  members(): Member[] {
    return this.collect(new Set());
  }

  private collect(seen: Set<Node>): Member[] {
    const { node } = this;
    if (this.isNull() || seen.has(node)) return [];
    seen.add(node);
    if (!isMap(node)) throw this.wrongType('mapping');
    const all = pairsOf(node).map(({ key, value }): Member => {
      const keyNode = this.child(key, `a key of ${this.path}`);
      const name = keyNode.string();
      const prefix = this.path === ROOT ? '' : `${this.path}.`;
      return { key: keyNode, name, value: this.child(value, `${prefix}${name}`, key) };
    });
    const members = new Map<string, Member>();
    for (const member of all) if (!member.key.isMerge()) members.set(member.name, member);
    const merges = all.filter(({ key }) => key.isMerge());
    for (const member of merges.flatMap(({ value }) => value.merged(seen))) {
      if (!members.has(member.name)) members.set(member.name, member);
    }
    return [...members.values()];
  }

  /** The members that a merge key adds; of several mappings the first wins. */
  private merged(seen: Set<Node>): Member[] {
    return isSeq(this.node)
      ? this.list().flatMap((item) => item.collect(seen))
      : this.collect(seen);
  }

  private child(node: Node | null, path: string, place: Node = this.node): SpecNode {
    const { document } = this.source;
    const target = isAlias(node) ? node.resolve(document) : node;
    if (isAlias(node) && target === undefined) {
      throw new SpecNode(this.source, node, path).error(
        `${path} is the alias *${node.source}, which is not defined`,
        {
          hint: `define it earlier with &${node.source}, or quote a string that begins with *`,
        },
      );
    }
    if (target) return new SpecNode(this.source, target, path);
    const empty = document.createNode(null) as Node;
    empty.range = place.range ?? null;
    return new SpecNode(this.source, empty, path);
  }

  private replaced(text: string): string {
    const { env } = this.source;
    if (env === undefined) return text;
    return text.replaceAll(
      VARIABLE,
      (match, name: string | undefined, fallback: string | undefined) => {
        if (name === undefined) return match === '$$' ? '$' : match;
        const value = (Object.hasOwn(env, name) && env[name]) || fallback;
        if (value !== undefined) return value;
        throw this.error(`${this.path} needs the variable ${name}, which is not set`, {
          hint: `set it, or write \${${name}:-default}`,
        });
      },
    );
  }

  private wrongType(needed: keyof typeof FORMS): ManifestToolError {
    const why = `${this.path} must be a ${needed}, but is ${typeOf(this.node)}`;
    return this.error(why, {
      hint: this.asList(needed) ?? this.asMapping(needed) ?? FORMS[needed],
    });
  }

  /** The hint for a key without a space after its colon, which YAML reads as a string. */
  private asMapping(needed: keyof typeof FORMS): string | undefined {
    const { node } = this;
    if (needed !== 'mapping' || !isScalar(node) || typeof node.source !== 'string')
      return undefined;
    const spaced = withSpaceAfterColon(node.source);
    return spaced === undefined ? undefined : `add a space after the colon: ${spaced}`;
  }

  /** The line that has a single value as a list, if that is what is needed. */
  private asList(needed: keyof typeof FORMS): string | undefined {
    const { node } = this;
    if (needed !== 'list' || !isScalar(node) || typeof node.source !== 'string') return undefined;
    const key = /[\w.]+$/.exec(this.path)?.[0];
    const isPlain = /^[\w./:@-]{1,80}$/.test(node.source);
    return key === undefined || key === 'manifests' || !isPlain
      ? undefined
      : `write ${key}: [${node.source}]`;
  }

  private offset(): number {
    return this.node.range?.[0] ?? 0;
  }
}

/** The path of the root of a document. */
export const ROOT = 'the spec';

/** One member of a mapping. */
interface Member {
  readonly key: SpecNode;
  readonly name: string;
  readonly value: SpecNode;
}

function pairsOf(map: YAMLMap): { key: Node; value: Node | null }[] {
  return map.items as { key: Node; value: Node | null }[];
}

function typeOf(node: Node): string {
  if (isMap(node)) return 'a mapping';
  if (isSeq(node)) return 'a list';
  const value = isScalar(node) ? node.value : undefined;
  if (value === null) return 'empty';
  return typeof value === 'number' || typeof value === 'boolean' ? `a ${typeof value}` : 'a string';
}

/**
 * The members of a mapping that have one of these names. Each other member is ignored with a
 * warning, as in manifest-tool.
 */
export function knownMembers<N extends string>(
  node: SpecNode,
  names: readonly N[],
  warning: (text: string) => void,
): { [K in N]?: SpecNode } {
  const found: { [K in N]?: SpecNode } = {};
  for (const { key, name, value } of node.members()) {
    if ((names as readonly string[]).includes(name)) found[name as N] = value;
    else {
      const unknown = `unknown key ${JSON.stringify(name)} is ignored`;
      warning(`${key.place()}: ${unknown}${suggestion(name, names)}`);
    }
  }
  return found;
}

/** How much of a line is quoted, in UTF-16 units. */
const MAX_QUOTE = 80;
/** How much of a longer line is quoted before the place in question. */
const BEFORE = 20;

/**
 * The end of an error message that quotes the line at a place of a file, or the last line before it
 * that is not blank, cut to {@link MAX_QUOTE}. Empty if everything up to there is blank.
 */
export function quoteAt(text: string, offset: number): string {
  const before = text.slice(0, offset);
  const rest = /^[^\r\n]*/.exec(text.slice(offset))?.[0] ?? '';
  // The parser notices only at the end of a file that something before it is not closed.
  const upTo = rest.trim() === '' ? before.trimEnd() : before + rest;
  const start = Math.max(upTo.lastIndexOf('\n'), upTo.lastIndexOf('\r')) + 1;
  const line = upTo.slice(start).trim();
  if (line === '') return '';
  const indent = upTo.slice(start).search(/\S/);
  return `, in \`${cut(line, Math.min(offset - start - indent, line.length))}\``;
}

/** A line such as `image:app:1` with the space that its key lacks; undefined for any other line. */
export function withSpaceAfterColon(line: string): string | undefined {
  const [, start, value] = /^(\s*(?:- )*[\w.]+):(?!\/\/)(\S.*)$/.exec(line) ?? [];
  return start === undefined ? undefined : cut(`${start.trimStart()}: ${value}`, 0);
}

function cut(line: string, place: number): string {
  if (line.length <= MAX_QUOTE) return line;
  const from = Math.max(0, Math.min(place - BEFORE, line.length - MAX_QUOTE));
  const to = from + MAX_QUOTE;
  return `${from > 0 ? '…' : ''}${line.slice(from, to)}${to < line.length ? '…' : ''}`;
}
