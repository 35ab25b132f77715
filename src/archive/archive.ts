import type {
  BlobOutcome,
  FetchedManifest,
  ImageReader,
  ImageStore,
  ManifestContent,
} from '../oci/content.js';
import type { Digest } from '../oci/digest.js';
import type { Descriptor } from '../oci/descriptor.js';
import type { JsonValue } from '../oci/json/parse.js';
import { movedTag } from '../oci/moved-tag.js';
import { referrerDescriptor } from '../oci/referrers.js';
import { formatName, type ArchiveReference } from '../oci/reference.js';
import type { ContentId } from '../layout/blobs.js';
import { guarded } from '../layout/errors.js';
import type { LayoutOptions } from '../layout/layout.js';
import { publishAction, replacedWarnings, type NameRules } from '../layout/names.js';
import type { LayoutFiles } from '../layout/layout-files.js';
import { LayoutReader } from '../layout/reader.js';
import { ArchiveWriter } from './archive-writer.js';
import { DockerArchive } from './docker-archive.js';
import { unusable } from './errors.js';
import { Members } from './members.js';
import { OciArchive } from './oci-archive.js';

/** An archive that is open until `close` is called. */
export interface OpenArchive {
  readonly store: ImageStore;
  /** Closes its files, and removes what was written and not published. */
  close(): Promise<void>;
}

/**
 * Opens an archive of images. Nothing is read yet. An OCI archive can be written: each publish
 * replaces the file as a whole, and keeps the other images that it names.
 */
export function openArchive(
  { path, format }: ArchiveReference,
  { signal = new AbortController().signal, onWarning = () => undefined }: LayoutOptions = {},
): OpenArchive {
  const files = new ArchiveFiles(path, format, signal);
  const store = new Archive(files, format, signal, onWarning);
  return { store, close: () => store.close() };
}

/** The files of an archive. It is opened at the first read, and again after it was replaced. */
class ArchiveFiles implements LayoutFiles {
  readonly noun = 'archive';
  private readonly opened: Promise<Members>[] = [];
  private current: Promise<LayoutFiles> | undefined;
  private files: LayoutFiles | undefined;

  constructor(
    readonly root: string,
    private readonly format: ArchiveReference['format'],
    private readonly signal: AbortSignal,
  ) {}

  async open(what: string): Promise<void> {
    this.current ??= this.load(what);
    this.files = await this.current.catch((error: unknown) => {
      this.current = undefined;
      throw error;
    });
  }

  /** Opens the archive again when it is next read. */
  reset(): void {
    this.current = undefined;
  }

  /** The OCI archive that exists now, for the version that replaces it. */
  async oci(what: string): Promise<OciArchive> {
    const archive = new OciArchive(await this.openMembers(what));
    await archive.open(what);
    return archive;
  }

  async close(): Promise<void> {
    for (const opening of this.opened.splice(0)) {
      const members = await opening.catch(() => undefined);
      await members?.close();
    }
  }

  get indexFile(): string {
    return this.loaded().indexFile;
  }

  get rules(): NameRules {
    return this.loaded().rules ?? {};
  }

  readIndex(what: string): Promise<JsonValue> {
    return this.loaded().readIndex(what);
  }

  readBlob(what: string, digest: Digest, size: number | undefined): Promise<Uint8Array> {
    return this.loaded().readBlob(what, digest, size);
  }

  openBlob(what: string, id: ContentId, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    return this.loaded().openBlob(what, id, signal);
  }

  blobSize(what: string, digest: Digest): Promise<number | undefined> {
    return this.loaded().blobSize(what, digest);
  }

  fileOf(what: string, digest: Digest): string {
    return this.loaded().fileOf(what, digest);
  }

  private async load(what: string): Promise<LayoutFiles> {
    const members = await this.openMembers(what);
    // "docker save" of version 25 and later writes an image layout as well: its manifests are those
    // of the registry.
    const isLayout = members.get('oci-layout') && members.get('index.json');
    const files =
      this.format === 'docker' && !isLayout
        ? new DockerArchive(members, this.signal)
        : new OciArchive(members);
    await files.open(what);
    return files;
  }

  private openMembers(what: string): Promise<Members> {
    const opening = Members.open(what, this.root, this.signal);
    this.opened.push(opening);
    return opening;
  }

  private loaded(): LayoutFiles {
    if (this.files === undefined) throw new Error('the archive is not open');
    return this.files;
  }
}

class Archive extends LayoutReader implements ImageStore {
  /** What is written until the next publish. */
  private version: Promise<ArchiveWriter> | undefined;
  /** Settles when the last publish has ended; nothing is written meanwhile. */
  private lastPublish: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly archive: ArchiveFiles,
    private readonly format: ArchiveReference['format'],
    signal: AbortSignal,
    private readonly onWarning: (text: string) => void,
  ) {
    super(formatName({ kind: 'archive', format, path: archive.root }), archive, signal);
  }

  async close(): Promise<void> {
    await this.lastPublish;
    const version = await this.version?.catch(() => undefined);
    this.version = undefined;
    await version?.abandon();
    await this.archive.close();
  }

  ensureBlob(
    descriptor: Descriptor,
    source: ImageReader,
    onBytes?: (bytes: number) => void,
  ): Promise<BlobOutcome> {
    const what = `copying blob ${descriptor.digest} from ${source.name} to ${this.name}`;
    return this.writing(what, async (version) => {
      if (version.has(descriptor)) return 'present';
      await version.copy(what, descriptor, source, onBytes);
      return 'copied';
    });
  }

  putChild(manifest: ManifestContent, tag?: string): Promise<void> {
    const what = `writing ${this.at(tag ?? manifest.digest)}`;
    return this.writing(what, async (version) => {
      await version.put(what, manifest);
      if (tag !== undefined) version.addTag(manifest, tag);
    });
  }

  putReferrer(manifest: FetchedManifest, subject: Digest): Promise<void> {
    const what = `writing ${this.at(manifest.digest)}`;
    return this.writing(what, async (version) => {
      await version.put(what, manifest);
      version.addReferrer({ subject, entry: referrerDescriptor(manifest) });
    });
  }

  /** Publishes one after the other: each replaces the file. */
  async publish(
    manifest: ManifestContent,
    tags: readonly string[],
    onTag: (tag: string) => void,
  ): Promise<void> {
    const what = publishAction(manifest, tags, (name) => this.at(name));
    const { replaced } = await this.replacing(what, (version) =>
      version.publish(what, manifest, tags),
    );
    for (const text of replacedWarnings(replaced, manifest, (name) => this.at(name)))
      this.onWarning(text);
    for (const tag of tags) onTag(tag);
  }

  async deleteTag(tag: string, isExpected?: (digest: Digest) => boolean): Promise<Digest> {
    const what = `deleting ${this.at(tag)}`;
    const { digests } = await this.replacing(what, (version) =>
      version.removeTag(what, tag, (untagged) => {
        const moved = untagged.digests.find((digest) => isExpected?.(digest) === false);
        if (moved !== undefined) throw movedTag(what, moved);
      }),
    );
    return digests[0]!;
  }

  /** Replaces the file by the next version, after those that were begun before. */
  private replacing<T>(what: string, complete: (version: ArchiveWriter) => Promise<T>): Promise<T> {
    const replacing = this.lastPublish.then(() =>
      guarded(what, this.archive.root, async () => {
        const result = await complete(await this.begun(what));
        this.version = undefined;
        this.archive.reset();
        return result;
      }),
    );
    this.lastPublish = replacing.catch(() => undefined);
    return replacing;
  }

  /** Another program can replace the file between the read and the write; the write then fails. */
  readonly isAtomic = false;

  async replaceTag(tag: string, manifest: ManifestContent, from: Digest): Promise<boolean> {
    if ((await this.tagDigest(tag)) !== from) return false;
    await this.publish(manifest, [tag], () => undefined);
    return true;
  }

  private writing<T>(what: string, action: (version: ArchiveWriter) => Promise<T>): Promise<T> {
    return guarded(what, this.archive.root, async () => {
      await this.lastPublish;
      return action(await this.begun(what));
    });
  }

  private begun(what: string): Promise<ArchiveWriter> {
    this.signal.throwIfAborted();
    if (this.format === 'docker') {
      throw unusable(
        what,
        'an archive of "docker save" can only be read',
        'write oci-archive://FILE instead: docker load reads it as well, since version 25',
        'USAGE',
      );
    }
    this.version ??= ArchiveWriter.begin(
      this.archive.root,
      () => this.archive.oci(what),
      this.signal,
      this.onWarning,
    );
    return this.version;
  }
}
