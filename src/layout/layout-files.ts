import type { Digest } from '../oci/digest.js';
import type { JsonValue } from '../oci/json/parse.js';
import type { ContentId } from './blobs.js';
import type { NameRules } from './names.js';

/** The files of a layout, in a directory or in an archive. */
export interface LayoutFiles {
  /** The directory or the archive. */
  readonly root: string;
  /** What it is, for messages: `layout` or `archive`. */
  readonly noun: string;
  /** Which names count. */
  readonly rules?: NameRules;
  /** Opens it when it is first called, and checks that it is a layout. */
  open(what: string): Promise<void>;
  /** Reads index.json. */
  readIndex(what: string): Promise<JsonValue>;
  /** The name of index.json, for messages. */
  readonly indexFile: string;
  /** Reads a small blob whole, checked against its digest, and its size if that is known. */
  readBlob(what: string, digest: Digest, size: number | undefined): Promise<Uint8Array>;
  /** Opens a blob; its digest is checked while it is read. */
  openBlob(what: string, id: ContentId, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** The size of a blob in bytes; undefined if there is none. */
  blobSize(what: string, digest: Digest): Promise<number | undefined>;
  /** The name of a blob's file, for messages. */
  fileOf(what: string, digest: Digest): string;
}
