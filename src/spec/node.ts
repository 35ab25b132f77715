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
import { ManifestToolError } from '../errors.js';
import { quoteAt } from './quote.js';

/** A YAML document with the file it came from: what says where something is wrong in it. */
export interface SpecSource {
  readonly file: string;
  /** All of the file. */
  readonly text: string;
  readonly document: Document;
  readonly lines: LineCounter;
  /** Where variables in texts are replaced from, where they are. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** `${NAME}` or `${NAME:-default}`, or `$$`. */
const VARIABLE = /\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

/** Names of members that an error lists. */
const MAX_NAMES = 5;

/** How a node of a kind is written, for hints. */
const FORMS = {
  text: 'a text is written KEY: VALUE, in quotes where it begins with [ or {',
  list: 'a list is lines of the form - ITEM, or [ITEM, ITEM]',
  mapping: 'a mapping is lines of the form KEY: VALUE',
};

/** One node of a spec, read as what it should be; whatever it is not is an error with line and column. */
export class SpecNode {
  constructor(
    private readonly source: SpecSource,
    private readonly node: Node,
    /** What the node is, for messages: `manifests[0].platform`. */
    readonly path: string,
  ) {}

  /** The error for something that is wrong here, with the text that stands here. */
  error(why: string, hint: string | undefined): ManifestToolError {
    const quoted = quoteAt(this.source.text, this.offset());
    return new ManifestToolError('USAGE', `reading ${this.place()}`, `${why}${quoted}`, { hint });
  }

  /**
   * The error for a member that a mapping does not have: with the names of those that it has, and not with their text, which may be
   * anything where the file is no spec at all.
   */
  missing(why: string, hint: string): ManifestToolError {
    const names = this.members().map(({ name }) => JSON.stringify(name));
    const some = names.slice(0, MAX_NAMES).join(', ') + (names.length > MAX_NAMES ? ', …' : '');
    const told = names.length === 0 ? 'there is nothing in it' : `there is only ${some}`;
    return new ManifestToolError('USAGE', `reading ${this.place()}`, `${why}; ${told}`, { hint });
  }

  private wrongKind(needed: keyof typeof FORMS): ManifestToolError {
    const why = `${this.path} is ${kindOf(this.node)}, but a ${needed} is needed`;
    return this.error(why, FORMS[needed]);
  }

  /** `FILE:LINE:COLUMN`. */
  place(): string {
    const { line, col } = this.source.lines.linePos(this.offset());
    return `${this.source.file}:${line}:${col}`;
  }

  private offset(): number {
    return this.node.range?.[0] ?? 0;
  }

  /** The text of a scalar as it stands in the file: `386` and `1.10` are text here, as manifest-tool has it. */
  text(): string {
    const { node } = this;
    if (!isScalar(node)) throw this.wrongKind('text');
    if (node.value === null) return '';
    return this.replaced(typeof node.value === 'string' ? node.value : (node.source ?? ''));
  }

  /** The text with `${VAR}` and `${VAR:-default}` replaced, where that is wanted; `$$` is a dollar. */
  private replaced(text: string): string {
    const { env } = this.source;
    if (env === undefined) return text;
    return text.replaceAll(
      VARIABLE,
      (whole, name: string | undefined, fallback: string | undefined) => {
        if (name === undefined) return whole === '$$' ? '$' : whole;
        const value = env[name] || fallback;
        if (value !== undefined) return value;
        throw this.error(
          `${this.path} needs the variable ${name}, which is not set`,
          `set it, or write \${${name}:-default}`,
        );
      },
    );
  }

  isNull(): boolean {
    return isScalar(this.node) && this.node.value === null;
  }

  isSymbol(): boolean {
    return isScalar(this.node) && typeof this.node.value === 'symbol';
  }

  list(): SpecNode[] {
    const { node } = this;
    if (this.isNull()) return [];
    if (!isSeq(node)) throw this.wrongKind('list');
    return node.items.map((item, i) => this.child(item as Node | null, `${this.path}[${i}]`));
  }

  /**
   * The members of a mapping in order, keys with their own place. A merge key (`<<`) stands for the members of one mapping or several, as
   * far as the mapping does not have them itself.
   */
  members(): Member[] {
    return this.collect(new Set());
  }

  private collect(seen: Set<Node>): Member[] {
    const { node } = this;
    if (this.isNull() || seen.has(node)) return [];
    seen.add(node);
    if (!isMap(node)) throw this.wrongKind('mapping');
    const all = pairsOf(node).map(({ key, value }): Member => {
      const keyNode = this.child(key, `a key of ${this.path}`);
      const name = keyNode.text();
      const prefix = this.path === 'the spec' ? '' : `${this.path}.`;
      return { key: keyNode, name, value: this.child(value, `${prefix}${name}`, key) };
    });
    const members = new Map<string, Member>();
    for (const member of all) if (!isMerge(member)) members.set(member.name, member);
    for (const member of all.filter(isMerge).flatMap(({ value }) => value.merged(seen))) {
      if (!members.has(member.name)) members.set(member.name, member);
    }
    return [...members.values()];
  }

  /** The members that a merge key brings: those of the first of several mappings before those of the next. */
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
        `${path} is the alias *${node.source}, which names nothing`,
        `put &${node.source} before what it stands for, or quotes around a text that begins with *`,
      );
    }
    if (target) return new SpecNode(this.source, target, path);
    const empty = document.createNode(null) as Node;
    empty.range = place.range ?? null;
    return new SpecNode(this.source, empty, path);
  }
}

/** One member of a mapping. */
interface Member {
  readonly key: SpecNode;
  readonly name: string;
  readonly value: SpecNode;
}

/** The parser makes a symbol of `<<`; a `"<<"` in quotes is a name as any other. */
function isMerge({ key }: Member): boolean {
  return key.isSymbol();
}

function pairsOf(map: YAMLMap): { key: Node; value: Node | null }[] {
  return map.items as { key: Node; value: Node | null }[];
}

function kindOf(node: Node): string {
  if (isMap(node)) return 'a mapping';
  if (isSeq(node)) return 'a list';
  if (isScalar(node) && node.value === null) return 'empty';
  return 'a text';
}
