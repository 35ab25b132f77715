import { matchesDigest, type Digest } from '../oci/digest.js';
import { MAX_DOCUMENT_SIZE } from '../oci/limits.js';
import { verifiedContent, WrongContent, wrongSource } from '../oci/blob-stream.js';
import { checkSize, type ContentId } from '../layout/blobs.js';
import { layoutFailure } from '../layout/errors.js';
import { damaged } from './errors.js';
import { openTarFile } from './open-file.js';
import { indexTar, readExactly, type Member, type TarFile } from './tar-index.js';

const CHUNK_SIZE = 256 * 1024;

/** The members of an open archive, by name; each is read where it is, in any order. */
export class Members {
  private constructor(
    readonly file: TarFile,
    private readonly byName: ReadonlyMap<string, Member>,
  ) {}

  /**
   * Opens an archive and finds its members.
   * @throws {ManifestToolError} as {@link openTarFile} and {@link indexTar} do.
   */
  static async open(what: string, path: string, signal: AbortSignal): Promise<Members> {
    const file = await openTarFile(what, path, signal);
    try {
      return new Members(file, await indexTar(what, file, signal));
    } catch (error) {
      await file.handle.close();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.file.handle.close();
  }

  get(name: string): Member | undefined {
    return this.byName.get(name);
  }

  /** The name of a member, for messages. */
  nameOf(name: string): string {
    return `${name} in ${this.file.path}`;
  }

  /**
   * Reads a JSON document that decides how the archive is read; undefined if it has none.
   * @throws {ManifestToolError} CORRUPT if it is not a regular file, is larger than
   * MAX_DOCUMENT_SIZE, or occurs more than once: readers differ on which one counts.
   */
  async document(what: string, name: string): Promise<Uint8Array | undefined> {
    const member = this.get(name);
    if (member === undefined) return undefined;
    if (member.isRepeated) {
      throw damaged(what, this.file.path, `it has more than one ${name}`);
    }
    return this.read(what, name, member);
  }

  /** Reads a whole small member. */
  async read(what: string, name: string, member: Member): Promise<Uint8Array> {
    this.checkRegular(what, name, member);
    if (member.size > MAX_DOCUMENT_SIZE) {
      const limit = `more than the limit of ${MAX_DOCUMENT_SIZE} for a document`;
      throw damaged(what, this.nameOf(name), `it has ${member.size} bytes, ${limit}`);
    }
    return readExactly(this.file, member.offset, member.size);
  }

  /**
   * Reads a whole small member and checks its digest, and its size if it is known.
   * @throws {ManifestToolError} CORRUPT if it does not match.
   */
  async readChecked(
    what: string,
    name: string,
    member: Member,
    { digest, size }: { readonly digest: Digest; readonly size: number | undefined },
  ): Promise<Uint8Array> {
    checkSize(what, this.nameOf(name), member.size, size);
    const bytes = await this.read(what, name, member);
    if (matchesDigest(bytes, digest)) return bytes;
    throw damaged(what, this.nameOf(name), `its digest is not ${digest}`);
  }

  /** The content of a member, checked against its digest while it is read. */
  async *verified(
    what: string,
    name: string,
    member: Member,
    id: ContentId,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* verifiedContent(id, this.chunks(what, name, member, signal));
    } catch (error) {
      if (error instanceof WrongContent) throw wrongSource(what, error);
      throw layoutFailure(what, this.file.path, error);
    }
  }

  /** The content of a member. */
  async *chunks(
    what: string,
    name: string,
    member: Member,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    this.checkRegular(what, name, member);
    const { offset, size } = member;
    for (let done = 0; done < size;) {
      signal.throwIfAborted();
      // A new buffer for each chunk, because the reader may still hold the last one.
      const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK_SIZE, size - done));
      const { bytesRead } = await this.file.handle.read(buffer, 0, buffer.length, offset + done);
      if (bytesRead === 0) throw damaged(what, this.file.path, 'it is truncated');
      done += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  /** @throws {ManifestToolError} CORRUPT for a link, a device or a sparse file. */
  checkRegular(what: string, name: string, { kind }: Member): void {
    if (kind !== 'file') throw damaged(what, this.nameOf(name), 'it is not a regular file');
  }
}
