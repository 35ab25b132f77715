import type { Annotations, Descriptor } from '../descriptor.js';
import { goMarshal, goMarshalIndent, Members, sortedByBytes, type Writable } from './go-marshal.js';
import { dockerDescriptor, ociDescriptor } from './go-structs.js';
import { itemSpans, memberSpans, type ValueSpan } from './parse.js';
import { DOCKER_MANIFEST_LIST } from '../media-types.js';

/**
 * An entry of an edited index: the one at a position, the same for other content, another one in
 * its place, or a new one.
 */
export type EditedEntry =
  | { readonly position: number; readonly entry?: Descriptor }
  | { readonly position: number; readonly entry?: never; readonly content: Content }
  | { readonly position?: never; readonly entry: Descriptor };

type Content = Pick<Descriptor, 'digest' | 'size'>;

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
        : this.withMember(`"manifests":${unit === '' ? '' : ' '}${all()}`, outer);
    }
    const spans = this.entrySpans(list.value);
    const [first, last] = [spans[0], spans.at(-1)];
    if (first === undefined || last === undefined)
      return entries.length === 0 ? this : this.replaced(list.value, all());
    const parts: string[] = [];
    let gap = '';
    for (const edited of entries) {
      const { position, entry } = edited;
      const [own, next] = position === undefined ? [] : [spans[position], spans[position + 1]];
      const kept = (): string =>
        'content' in edited ? withContent(this.textOf(own!), edited.content) : this.textOf(own!);
      parts.push(gap, entry === undefined ? kept() : written(entry));
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
    const members = memberSpans(this.text);
    const held = members.get('annotations');
    const { unit, outer } = this.layout();
    const written = (): string =>
      `"annotations":${unit === '' ? '' : ' '}${indented(sortedByBytes(annotations), outer, unit)}`;
    if (held !== undefined) {
      if (annotations.size > 0)
        return this.like(this.text.slice(0, held.start) + written() + this.text.slice(held.end));
      const before = [...members.values()].findLast(({ end }) => end <= held.start);
      const after = [...members.values()].find(({ start }) => start >= held.end);
      const start = before?.end ?? held.start;
      const end = before === undefined ? (after?.start ?? held.end) : held.end;
      return this.like(this.text.slice(0, start) + this.text.slice(end));
    }
    if (annotations.size === 0) return this;
    return this.withMember(written(), outer);
  }

  /** Adds a member after the last one. */
  private withMember(member: string, outer: string): IndexText {
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

/** The text of an entry for other content. */
function withContent(text: string, { digest, size }: Content): string {
  const members = memberSpans(text);
  const values = new Map([
    [members.get('digest')!.value, JSON.stringify(digest)],
    [members.get('size')!.value, String(size)],
  ]);
  // From the end, so that the positions before stay right.
  return [...values]
    .toSorted(([a], [b]) => b.start - a.start)
    .reduce((all, [{ start, end }, value]) => all.slice(0, start) + value + all.slice(end), text);
}

/**
 * A value in the indentation of a document; `line` is a newline and the indentation of its place,
 * `unit` one step of indentation.
 */
function indented(value: Members | Map<string, Writable>, line: string, unit: string): string {
  // JSON strings contain no newlines: each one begins a line.
  return unit === '' ? goMarshal(value) : goMarshalIndent(value, unit).replaceAll('\n', line);
}

function leadingSpace(text: string, at: number): string {
  return /[ \t\n\r]*$/.exec(text.slice(0, at))![0];
}
