import { formatDuration } from '../../duration.js';
import type { Digest } from '../../oci/digest.js';
import type { BlobProgress } from '../../core/events.js';
import { formatSize } from '../../text.js';
import type { RequestRecord } from '../../http/log.js';
import type { RetryEvent } from '../../http/retry.js';

interface Message {
  readonly message: string;
}

interface Manifest {
  /** The reference that was read, or the target that was written to. */
  readonly name: string;
  readonly mediaType: string;
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

interface Tag {
  readonly name: string;
  readonly digest: Digest;
  /** Digest that the tag had before; null if it is new, or if that is not known. */
  readonly from: Digest | null;
}

/** Members of each kind of event. */
interface Details {
  readonly warning: Message;
  readonly note: Message;
  readonly activity: Message;
  readonly waiting: { readonly reason: string };
  readonly waited: { readonly what: string; readonly milliseconds: number };
  readonly planned: { readonly target: string; readonly blobs: number; readonly bytes: number };
  /** A line of progress where no line can be drawn again, or the summary at the end. */
  readonly status: Message;
  readonly retry: RetryEvent;
  readonly read: Manifest;
  readonly blob: BlobProgress;
  readonly written: Manifest;
  readonly tagged: Tag;
  readonly unchanged: Tag;
  readonly request: RequestRecord;
  readonly debug: Message;
  readonly error: Message & {
    readonly code: string;
    readonly exitCode: number;
    /** Each of several things that are wrong; absent if the message says it all. */
    readonly items?: readonly string[];
    readonly hint: string;
  };
}

type Kind = keyof Details;

/**
 * What a command reports on standard error; with `--progress json` each is a line
 * (docs/reference/progress.md).
 */
export type ReportEvent = { [E in Kind]: { readonly event: E } & Details[E] }[Kind];

/**
 * Importance of a line: `always` is shown in any case, `result` unless --quiet is given, `progress`
 * only with --progress plain.
 */
export type Weight = 'always' | 'result' | 'progress';

/** What a line begins with, if it is more than progress. */
export type Label = 'error' | 'warning' | 'hint' | 'debug';

export const LABELS: Readonly<Record<Label, string>> = {
  error: 'manifest-tool:',
  warning: 'manifest-tool: warning:',
  hint: 'hint:',
  debug: 'debug:',
};

type Line = readonly [weight: Weight, text: string, label?: Label];

/** The lines of an event for people; none for an event that is only for programs. */
export function linesOf(event: ReportEvent): readonly Line[] {
  const lines = LINES[event.event] as (details: ReportEvent) => readonly Line[];
  return lines(event);
}

const LINES: { readonly [E in Kind]: (details: Details[E]) => readonly Line[] } = {
  warning: ({ message }) => [['always', message, 'warning']],
  note: ({ message }) => [['result', message]],
  activity: ({ message }) => [['progress', message]],
  waiting: ({ reason }) => [['result', `waiting: ${reason}`]],
  waited: ({ what, milliseconds }) => [
    ['result', `waited ${formatDuration(milliseconds)}: ${what} succeeded`],
  ],
  planned: () => [],
  status: ({ message }) => [['result', message]],
  retry: ({ host, reason, milliseconds, attempt, attempts }) => {
    const time = formatDuration(milliseconds);
    const what = `retrying ${host} in ${time}: ${reason} (attempt ${attempt} of ${attempts})`;
    return [['result', what]];
  },
  read: ({ name }) => [['progress', `read ${name}`]],
  blob: blobLines,
  written: ({ name, digest }) => [['progress', `wrote ${name}@${digest}`]],
  tagged: ({ name, digest, from }) => {
    const moved = from === null ? '' : `, from ${from} to ${digest}`;
    return [['result', `published ${name}${moved}`]];
  },
  unchanged: ({ name }) => [['result', `unchanged ${name}`]],
  request: ({ method, url, outcome, milliseconds, attempt, signedWith }) => {
    const whose = signedWith === undefined ? 'no credentials' : `credentials: ${signedWith}`;
    const what = `${method} ${url} -> ${outcome}, ${milliseconds} ms, try ${attempt}, ${whose}`;
    return [['always', what, 'debug']];
  },
  debug: ({ message }) => [['always', message, 'debug']],
  error: ({ message, items = [], hint }) => [
    ['always', message, 'error'],
    ...items.map((item) => ['always', `  ${item}`] as const),
    ['always', hint, 'hint'],
  ],
};

function blobLines({ state, digest, size, target }: BlobProgress): Line[] {
  const what = `${digest} (${formatSize(size)})`;
  if (state === 'present') return [['progress', `${what} is in ${target} already`]];
  if (state === 'read') return [['progress', `read ${what} of ${target}`]];
  const isDone = state === 'copied' || state === 'mounted';
  return isDone ? [['progress', `${state} ${what} to ${target}`]] : [];
}
