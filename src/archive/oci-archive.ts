import { ManifestToolError } from '../errors.js';
import { algorithmPart, encodedPart, parseDigest, type Digest } from '../oci/digest.js';
import type { JsonValue } from '../oci/json/parse.js';
import { checkSize, type ContentId } from '../layout/blobs.js';
import { IndexParser } from '../layout/index-json.js';
import { checkMarker } from '../layout/marker.js';
import type { LayoutFiles } from '../layout/layout-files.js';
import { damaged, unusable } from './errors.js';
import type { Members } from './members.js';

/** The files of an OCI image layout in an archive (OCI image-spec, image-layout.md). */
export class OciArchive implements LayoutFiles {
  readonly noun = 'archive';
  readonly root: string;
  readonly indexFile: string;
  private readonly indexParser = new IndexParser();

  constructor(private readonly members: Members) {
    this.root = members.file.path;
    this.indexFile = members.nameOf('index.json');
  }

  /**
   * @throws {ManifestToolError} FAILED if the archive is not an OCI image layout of version 1.
   */
  async open(what: string): Promise<void> {
    const marker = await this.members.document(what, 'oci-layout');
    if (marker !== undefined) {
      checkMarker(what, this.root, this.members.nameOf('oci-layout'), marker);
      return;
    }
    throw this.members.get('manifest.json') === undefined
      ? unusable(
          what,
          `${this.root} is not an OCI archive: it has no oci-layout file`,
          'make one with "skopeo copy docker://IMAGE oci-archive:FILE:TAG"',
        )
      : unusable(
          what,
          `${this.root} is an archive of "docker save", not an OCI archive`,
          `write docker-archive://${this.root}`,
        );
  }

  async readIndex(what: string): Promise<JsonValue> {
    const bytes = await this.members.document(what, 'index.json');
    if (bytes === undefined) throw damaged(what, this.root, 'the archive has no index.json');
    return this.indexParser.parse(what, this.indexFile, bytes);
  }

  async readBlob(what: string, digest: Digest, size: number | undefined): Promise<Uint8Array> {
    const name = blobName(what, digest);
    return this.members.readChecked(what, name, this.find(what, digest), { digest, size });
  }

  openBlob(what: string, id: ContentId, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const name = blobName(what, id.digest);
    const member = this.find(what, id.digest);
    this.members.checkRegular(what, name, member);
    checkSize(what, this.members.nameOf(name), member.size, id.size);
    return Promise.resolve(this.members.verified(what, name, member, id, signal));
  }

  blobSize(what: string, digest: Digest): Promise<number | undefined> {
    const member = this.members.get(blobName(what, digest));
    return Promise.resolve(member?.kind === 'file' ? member.size : undefined);
  }

  fileOf(what: string, digest: Digest): string {
    return this.members.nameOf(blobName(what, digest));
  }

  private find(what: string, digest: Digest) {
    const member = this.members.get(blobName(what, digest));
    if (member === undefined) throw noBlob(what, digest);
    return member;
  }
}

/** The member of a blob (OCI image-spec, image-layout.md, Blobs). */
export function blobName(what: string, digest: Digest): string {
  const checked = parseDigest(digest, what);
  return `blobs/${algorithmPart(checked)}/${encodedPart(checked)}`;
}

/** The error for a blob that the archive does not have. */
export function noBlob(what: string, digest: Digest): ManifestToolError {
  return new ManifestToolError('NOT_FOUND', what, `the archive has no blob ${digest}`, {
    hint: 'check the digest, or create the archive again with the complete image',
  });
}
