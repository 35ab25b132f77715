import type { Annotations, Descriptor } from '../descriptor.js';
import { goMarshal, goMarshalIndent, Members, sortedByBytes, type Writable } from './go-marshal.js';
import { dockerDescriptor, ociDescriptor } from './go-structs.js';
import { itemSpans, memberSpans } from './parse.js';
import { DOCKER_MANIFEST_LIST } from '../media-types.js';

/**
 * The JSON text of an index, and edits of it that keep everything else byte for byte: entries,
 * unknown members and indentation. New parts are indented in the same way.
 */
export class IndexText {
  constructor(
    readonly text: string,
    readonly mediaType: string,
  ) {}

  /** Removes entries. */
  withoutEntries(isGone: (position: number) => boolean): IndexText {
    const { spans } = this.entries();
    let { text } = this;
    for (let i = spans.length - 1; i >= 0; i -= 1) {
      if (!isGone(i)) continue;
      const now = itemSpans(text, this.entries().start);
      const [before, span, after] = [now[i - 1], now[i]!, now[i + 1]];
      // With one separator: the following one, or for the last entry the preceding one.
      const start = after === undefined && before !== undefined ? before.end : span.start;
      const end = after === undefined ? span.end : after.start;
      text = text.slice(0, start) + text.slice(end);
    }
    return this.like(text);
  }

  /** Replaces an entry. */
  withEntryAt(position: number, entry: Descriptor): IndexText {
    const { start, end } = this.entries().spans[position]!;
    return this.like(this.text.slice(0, start) + this.written(entry) + this.text.slice(end));
  }

  /** Inserts an entry before the one at `position`, or after the last one. */
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

  /** Replaces the annotations of the index; an empty map removes them. */
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

  /**
   * A value in the indentation of the document; `line` is a newline and the indentation of its
   * place.
   */
  private json(value: Members | Map<string, Writable>, line: string): string {
    const { unit } = this.layout();
    // JSON strings contain no newlines: each one begins a line.
    return unit === '' ? goMarshal(value) : goMarshalIndent(value, unit).replaceAll('\n', line);
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

function leadingSpace(text: string, at: number): string {
  return /[ \t\n\r]*$/.exec(text.slice(0, at))![0];
}
