import type { Annotations, Descriptor } from '../documents.js';
import { goMarshal, goMarshalIndent, Members, sortedByBytes, type Writable } from './go-marshal.js';
import { dockerDescriptor, ociDescriptor } from './go-structs.js';
import { itemSpans, memberSpans } from './parse.js';
import { DOCKER_MANIFEST_LIST } from '../media-types.js';

/**
 * Edits of the text of an index. What an edit is not about stays byte for byte as it is: entries, unknown members, and how it is
 * indented; what is new is written in the same way.
 */
export class IndexText {
  constructor(
    readonly text: string,
    readonly mediaType: string,
  ) {}

  /** The same without some of its entries. */
  withoutEntries(isGone: (position: number) => boolean): IndexText {
    const { spans } = this.entries();
    let { text } = this;
    for (let i = spans.length - 1; i >= 0; i -= 1) {
      if (!isGone(i)) continue;
      const now = itemSpans(text, this.entries().start);
      const [before, span, after] = [now[i - 1], now[i]!, now[i + 1]];
      // With the separator on one side of it: the one behind, or for the last entry the one before.
      const start = after === undefined && before !== undefined ? before.end : span.start;
      const end = after === undefined ? span.end : after.start;
      text = text.slice(0, start) + text.slice(end);
    }
    return this.like(text);
  }

  /** The same with an entry in the place of another one. */
  withEntryAt(position: number, entry: Descriptor): IndexText {
    const { start, end } = this.entries().spans[position]!;
    return this.like(this.text.slice(0, start) + this.written(entry) + this.text.slice(end));
  }

  /** The same with an entry at a place between others; the number of entries means behind the last one. */
  withEntryBefore(position: number, entry: Descriptor): IndexText {
    const { spans, start } = this.entries();
    const { text } = this;
    const { separator, closing } = this.layout();
    const next = spans[position];
    if (next !== undefined) {
      return this.like(
        `${text.slice(0, next.start)}${this.written(entry)},${separator}${text.slice(next.start)}`,
      );
    }
    const last = spans.at(-1);
    if (last !== undefined) {
      return this.like(
        `${text.slice(0, last.end)},${separator}${this.written(entry)}${text.slice(last.end)}`,
      );
    }
    const close = text.indexOf(']', start);
    return this.like(
      `${text.slice(0, start)}[${separator}${this.written(entry)}${closing}${text.slice(close)}`,
    );
  }

  /** The same with other annotations of the list; none takes them out. */
  withAnnotations(annotations: Annotations): IndexText {
    const members = memberSpans(this.text);
    const held = members.get('annotations');
    const { unit, outer } = this.layout();
    const written = (): string =>
      `"annotations":${unit === '' ? '' : ' '}${this.json(new Map(sortedByBytes(annotations)), outer)}`;
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
    const last = [...members.values()].at(-1)!;
    return this.like(
      `${this.text.slice(0, last.end)},${outer}${written()}${this.text.slice(last.end)}`,
    );
  }

  private like(text: string): IndexText {
    return new IndexText(text, this.mediaType);
  }

  private entries() {
    const { start } = memberSpans(this.text).get('manifests')!.value;
    return { start, spans: itemSpans(this.text, start) };
  }

  private written(entry: Descriptor): string {
    const encode = this.mediaType === DOCKER_MANIFEST_LIST ? dockerDescriptor : ociDescriptor;
    return this.json(encode(entry), this.layout().separator);
  }

  /** A value in the indentation of the document, for a place whose lines begin with `line`. */
  private json(value: Members | Map<string, Writable>, line: string): string {
    const { unit } = this.layout();
    // Strings have no line ends in JSON: those that there are begin a line.
    return unit === '' ? goMarshal(value) : goMarshalIndent(value, unit).replaceAll('\n', line);
  }

  /** How the document is indented: before an entry, before the end of the entries, before a member of the document, and one step. */
  private layout(): { separator: string; closing: string; outer: string; unit: string } {
    const first = memberSpans(this.text).values().next().value;
    const outer = first === undefined ? '' : leadingSpace(this.text, first.start);
    if (!outer.includes('\n')) return { separator: '', closing: '', outer: '', unit: '' };
    const unit = outer.slice(outer.lastIndexOf('\n') + 1);
    return { separator: outer + unit, closing: outer, outer, unit };
  }
}

function leadingSpace(text: string, at: number): string {
  return /[ \t\n\r]*$/.exec(text.slice(0, at))![0];
}
