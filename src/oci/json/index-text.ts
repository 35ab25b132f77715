import type { Annotations, Descriptor } from '../descriptor.js';
import { goMarshal, goMarshalIndent, Members, sortedByBytes, type Writable } from './go-marshal.js';
import { dockerDescriptor, ociDescriptor } from './go-structs.js';
import { itemSpans, memberSpans, type ValueSpan } from './parse.js';
import { DOCKER_MANIFEST_LIST } from '../media-types.js';

/**
 * An entry of an edited index: the one at a position, another one in its place, or a new one. With
 * `from`, which is the one at the position, only the members that differ are written; all others,
 * those that the specifications do not have among them, stay byte for byte.
 */
export type EditedEntry =
  | { readonly position: number; readonly entry?: Descriptor; readonly from?: Descriptor }
  | { readonly position?: never; readonly entry: Descriptor; readonly from?: never };

/**
 * The JSON text of an index, and edits of it that keep everything else byte for byte: entries,
 * unknown members and indentation. New parts are indented in the same way.
 */
export class IndexText {
  constructor(
    readonly text: string,
    readonly mediaType: string,
  ) {}

  /**
   * Replaces the list of entries, in one pass however many they are. Positions have to ascend;
   * those that are left out are removed.
   */
  withEntries(entries: readonly EditedEntry[]): IndexText {
    const list = memberSpans(this.text).get('manifests');
    const { separator, closing, outer, unit } = this.layout();
    const encode = this.mediaType === DOCKER_MANIFEST_LIST ? dockerDescriptor : ociDescriptor;
    const written = (entry: Descriptor): string => indented(encode(entry), separator, unit);
    const all = (): string =>
      `[${separator}${entries.map(({ entry }) => written(entry!)).join(`,${separator}`)}${closing}]`;
    if (list === undefined) {
      return entries.length === 0
        ? this
        : this.afterLastMember(`"manifests":${unit === '' ? '' : ' '}${all()}`, outer);
    }
    const spans = this.entrySpans(list.value);
    const [first, last] = [spans[0], spans.at(-1)];
    if (first === undefined || last === undefined)
      return entries.length === 0 ? this : this.replaced(list.value, all());
    const parts: string[] = [];
    let gap = '';
    for (const edited of entries) {
      const { position, entry, from } = edited;
      const [own, next] = position === undefined ? [] : [spans[position], spans[position + 1]];
      const textOf = (): string => {
        if (entry === undefined) return this.textOf(own!);
        if (from === undefined) return written(entry);
        return changedObject(this.textOf(own!), encode(from), encode(entry), unit);
      };
      parts.push(gap, textOf());
      gap = own && next ? this.between(own, next) : `,${separator}`;
    }
    return this.replaced({ start: first.start, end: last.end }, parts.join(''));
  }

  /** Removes entries. */
  withoutEntries(isGone: (position: number) => boolean): IndexText {
    const kept = this.positions().filter((position) => !isGone(position));
    return this.withEntries(kept.map((position) => ({ position })));
  }

  /** Inserts an entry before the one at `position`, or after the last one. */
  withEntryBefore(position: number, entry: Descriptor): IndexText {
    const kept: EditedEntry[] = this.positions().map((each) => ({ position: each }));
    return this.withEntries(kept.toSpliced(position, 0, { entry }));
  }

  /** Replaces the annotations of the index; an empty map removes them. */
  withAnnotations(annotations: Annotations): IndexText {
    const value = annotations.size === 0 ? undefined : sortedByBytes(annotations);
    const keys = [...memberSpans(this.text).keys()];
    const { unit } = this.layout();
    return this.like(withMember(this.text, 'annotations', value, keys, unit));
  }

  private afterLastMember(member: string, outer: string): IndexText {
    const { end } = [...memberSpans(this.text).values()].at(-1)!;
    return this.replaced({ start: end, end }, `,${outer}${member}`);
  }

  private replaced({ start, end }: ValueSpan, text: string): IndexText {
    const { text: all, mediaType } = this;
    return new IndexText(all.slice(0, start) + text + all.slice(end), mediaType);
  }

  private like(text: string): IndexText {
    return new IndexText(text, this.mediaType);
  }

  private positions(): number[] {
    const list = memberSpans(this.text).get('manifests');
    return list === undefined ? [] : this.entrySpans(list.value).map((_, position) => position);
  }

  /** The entries in the list; null is an empty list. */
  private entrySpans(list: ValueSpan): ValueSpan[] {
    return this.text[list.start] === '[' ? itemSpans(this.text, list.start) : [];
  }

  private between(before: ValueSpan, after: ValueSpan): string {
    return this.text.slice(before.end, after.start);
  }

  private textOf({ start, end }: ValueSpan): string {
    return this.text.slice(start, end);
  }

  /**
   * White space before an entry, before the end of the entries, and before a member, and one step
   * of indentation.
   */
  private layout(): { separator: string; closing: string; outer: string; unit: string } {
    const first = memberSpans(this.text).values().next().value;
    const outer = first === undefined ? '' : leadingSpace(this.text, first.start);
    if (!outer.includes('\n')) return { separator: '', closing: '', outer: '', unit: '' };
    const unit = outer.slice(outer.lastIndexOf('\n') + 1);
    return { separator: outer + unit, closing: outer, outer, unit };
  }
}

/** The text of an object in which the members that differ between `from` and `to` are changed. */
function changedObject(text: string, from: Members, to: Members, unit: string): string {
  const before = new Map(from.list);
  const keys = to.list.map(([key]) => key);
  return to.list.reduce((changed, [key, value], i) => {
    const held = before.get(key);
    if (areEqual(held, value)) return changed;
    const own = memberSpans(changed).get(key)?.value;
    const inner = own && changed.slice(own.start, own.end);
    if (inner?.startsWith('{') && held instanceof Members && value instanceof Members) {
      const edited = changedObject(inner, held, value, unit);
      return changed.slice(0, own!.start) + edited + changed.slice(own!.end);
    }
    return withMember(changed, key, value, keys.slice(0, i), unit);
  }, text);
}

function areEqual(a: Writable | undefined, b: Writable | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return goMarshal(a) === goMarshal(b);
}

/**
 * The text of an object with another value of a member, or without it if that is undefined. A new
 * member follows the last one of `previous` that the object has, or is the first.
 */
function withMember(
  text: string,
  key: string,
  value: Writable | undefined,
  previous: readonly string[],
  unit: string,
): string {
  const members = memberSpans(text);
  const all = [...members.values()];
  const own = members.get(key);
  const replaced = (start: number, by: string, end = start): string =>
    text.slice(0, start) + by + text.slice(end);
  const line = all[0] === undefined ? '' : leadingSpace(text, all[0].start);
  const step = line.includes('\n') ? unit : '';
  if (value === undefined) {
    if (own === undefined) return text;
    const before = all.findLast(({ end }) => end <= own.start);
    const after = all.find(({ start }) => start >= own.end);
    if (before !== undefined) return replaced(before.end, '', own.end);
    return replaced(own.start, '', after?.start ?? own.end);
  }
  const written = indented(value, line, step);
  if (own !== undefined) return replaced(own.value.start, written, own.value.end);
  const member = `"${key}":${step === '' ? '' : ' '}${written}`;
  const last = previous
    .flatMap((each) => members.get(each) ?? [])
    .toSorted(byPosition)
    .at(-1);
  if (last !== undefined) return replaced(last.end, `,${line}${member}`);
  const [first] = all;
  if (first !== undefined) return replaced(first.start, `${member},${line}`);
  return replaced(text.indexOf('{') + 1, member);
}

function byPosition(a: ValueSpan, b: ValueSpan): number {
  return a.start - b.start;
}

/**
 * A value in the indentation of a document; `line` is a newline and the indentation of its place,
 * `unit` one step of indentation.
 */
function indented(value: Writable, line: string, unit: string): string {
  // JSON strings contain no newlines: each one begins a line.
  return unit === '' ? goMarshal(value) : goMarshalIndent(value, unit).replaceAll('\n', line);
}

function leadingSpace(text: string, at: number): string {
  return /[ \t\n\r]*$/.exec(text.slice(0, at))![0];
}
