import { ManifestToolError } from '../../errors.js';
import { isAttestation } from '../../oci/attestation.js';
import type { FetchedManifest, ImageReader } from '../../oci/content.js';
import { parseConfig, type Descriptor, type ImageManifest } from '../../oci/documents.js';
import { isForeignLayerType, isIndexType, isManifestType } from '../../oci/media-types.js';
import { formatPlatform, type Platform } from '../../oci/platform.js';
import { tagOrDigestOf, type Reference } from '../../oci/reference.js';
import type { PlanEvents } from '../events.js';
import { mapConcurrent } from '../../concurrency.js';
import { configDefects, indexDefects, platformDefects, type Defect } from './defects.js';
import type { Client } from '../client.js';

/** What is proved. */
export interface VerifyOptions {
  /** Demands exactly these platforms. */
  readonly platforms?: readonly Platform[];
  /** Reads every blob and checks its digest, instead of asking whether it is there; the default is false. */
  readonly deep?: boolean;
}

/** An entry of the list, or the one image. */
export interface VerifiedEntry {
  /** Of the entry. */
  readonly digest: string;
  /** As the list has it. */
  readonly mediaType: string;
  /** As `formatPlatform` writes it; undefined where it has none, and of an attestation. */
  readonly platform: string | undefined;
  /** Whether it attests another entry. */
  readonly isAttestation: boolean;
  /** How many blobs it has, its configuration among them. */
  readonly blobs: number;
  /** What is wrong with it and with what it needs. */
  readonly defects: readonly Defect[];
}

/** What was proved of an image or a list; it is whole where `defects` is empty. */
export interface Verification {
  /** Of the image or the list. */
  readonly digest: string;
  /** Of the image or the list. */
  readonly mediaType: string;
  /** In the order of the list; one for an image. */
  readonly entries: readonly VerifiedEntry[];
  /** All of them, those of the entries too. */
  readonly defects: readonly Defect[];
}

/**
 * Proves that all that an image or a list promises is there: every manifest, configuration and blob, their sizes and types, platforms
 * against configurations, attestations with what they are for (OCI image-spec, descriptor.md, Verification).
 * @throws {ManifestToolError} where the image itself cannot be read, or something cannot be found out: NOT_FOUND, DENIED, UNAVAILABLE,
 * CORRUPT, INTERRUPTED. What is missing or damaged below it is a defect, and no error.
 */
export async function verifyImage(
  client: Client,
  reference: Reference,
  options: VerifyOptions = {},
  events: PlanEvents = {},
): Promise<Verification> {
  const reader = await client.open(reference, 'pull');
  const top = await reader.getManifest(tagOrDigestOf(reference));
  events.progress?.(`verifying ${top.digest}`);
  const verifier = new Verifier(reader, options.deep ?? false, client.signal);
  const { document } = top;
  const entries =
    document.kind === 'index'
      ? await mapConcurrent(document.manifests, (entry) => verifier.entry(entry))
      : [await verifier.single(top, document)];
  const whole = [
    ...(document.kind === 'index' ? indexDefects(document) : []),
    ...platformDefects(
      entries.filter((entry) => !entry.isAttestation).map(({ platform }) => platform),
      options.platforms,
    ),
  ];
  const defects = [...whole, ...entries.flatMap((entry) => entry.defects)];
  return { digest: top.digest, mediaType: top.mediaType, entries, defects };
}

class Verifier {
  constructor(
    private readonly reader: ImageReader,
    private readonly deep: boolean,
    private readonly signal: AbortSignal,
  ) {}

  async single(top: FetchedManifest, document: ImageManifest): Promise<VerifiedEntry> {
    const { defects, platform } = await this.image(top.digest, document, undefined);
    return result({ ...top, ...(platform && { platform }) }, document, defects);
  }

  async entry(entry: Descriptor): Promise<VerifiedEntry> {
    if (!isManifestType(entry.mediaType) && !isIndexType(entry.mediaType)) {
      const what = `is of type ${entry.mediaType}, which is neither an image nor a list`;
      return result(entry, undefined, [{ where: entry.digest, what }]);
    }
    const fetched = await this.attempt(() => this.reader.getManifest(entry.digest, entry));
    if ('why' in fetched)
      return result(entry, undefined, [{ where: entry.digest, what: fetched.why }]);
    const { document, mediaType } = fetched.value;
    const typed =
      mediaType === entry.mediaType
        ? []
        : [
            {
              where: entry.digest,
              what: `is of type ${mediaType}, and the list says ${entry.mediaType}`,
            },
          ];
    if (document.kind === 'index') {
      const inner = await mapConcurrent(document.manifests, (each) => this.entry(each));
      return result(entry, undefined, [
        ...typed,
        ...indexDefects(document),
        ...inner.flatMap(({ defects }) => defects),
      ]);
    }
    const { defects } = await this.image(
      entry.digest,
      document,
      isAttestation(entry) ? undefined : entry,
    );
    return result(entry, document, [...typed, ...defects]);
  }

  private async image(
    where: string,
    document: ImageManifest,
    entry: Descriptor | undefined,
  ): Promise<{ defects: Defect[]; platform?: Platform }> {
    const layers = (document.layers ?? []).filter(
      ({ mediaType }) => !isForeignLayerType(mediaType),
    );
    const [config, ...blobs] = await Promise.all([
      this.attempt(async () => parseConfig(await this.reader.getBlob(document.config))),
      ...layers.map((layer) => this.attempt(() => this.blob(layer))),
    ]);
    const defects: Defect[] = blobs.flatMap((blob, i) =>
      'why' in blob ? [{ where, what: `layer ${layers[i]!.digest}: ${blob.why}` }] : [],
    );
    if ('why' in config) {
      return {
        defects: [
          { where, what: `configuration ${document.config.digest}: ${config.why}` },
          ...defects,
        ],
      };
    }
    const { platform } = config.value;
    const other = entry === undefined ? [] : configDefects(where, entry, platform);
    return { defects: [...other, ...defects], platform };
  }

  private async blob(descriptor: Descriptor): Promise<void> {
    if (this.deep) {
      for await (const _ of await this.reader.openBlob(descriptor));
      return;
    }
    const size = await this.reader.blobSize(descriptor);
    if (size === undefined) throw new Error('it is not there');
    if (size !== descriptor.size) {
      throw new Error(`it has ${size} bytes, and ${descriptor.size} are announced`);
    }
  }

  /** What is missing or damaged is a defect; what could not be found out is an error of the whole. */
  private async attempt<T>(work: () => Promise<T>): Promise<{ value: T } | { why: string }> {
    try {
      return { value: await work() };
    } catch (error) {
      if (this.signal.aborted) throw interrupted(this.reader.name, error);
      const isFault =
        error instanceof ManifestToolError && !/^(NOT_FOUND|CORRUPT)$/.test(error.code);
      if (isFault || !(error instanceof Error)) throw error;
      return { why: error instanceof ManifestToolError ? error.why : error.message };
    }
  }
}

function interrupted(name: string, cause: unknown): ManifestToolError {
  return new ManifestToolError('INTERRUPTED', `verifying ${name}`, 'it was interrupted', { cause });
}

function result(
  {
    digest,
    mediaType,
    platform,
    ...rest
  }: Pick<Descriptor, 'digest' | 'mediaType' | 'platform'> & Partial<Descriptor>,
  document: ImageManifest | undefined,
  defects: readonly Defect[],
): VerifiedEntry {
  const isAttested = isAttestation({ digest, mediaType, size: 0, ...rest });
  return {
    digest,
    mediaType,
    platform: platform === undefined || isAttested ? undefined : formatPlatform(platform),
    isAttestation: isAttested,
    blobs: document === undefined ? 0 : 1 + (document.layers ?? []).length,
    defects,
  };
}
