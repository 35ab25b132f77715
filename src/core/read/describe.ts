import { attestedDigest, isAttestation } from '../../oci/attestation.js';
import type { FetchedManifest, ImageReader } from '../../oci/content.js';
import {
  MAX_DOCUMENT_SIZE,
  parseConfig,
  type Descriptor,
  type ImageManifest,
} from '../../oci/documents.js';
import { isIndexType, isManifestType } from '../../oci/media-types.js';
import type { Platform } from '../../oci/platform.js';
import type { Reference } from '../../oci/reference.js';
import { mapConcurrent } from '../../concurrency.js';
import type { FetchedConfig } from './config.js';
import { selectManifest, type Selected } from './select.js';
import type { Client } from '../client.js';

/** How many lists in a list are read below each other. */
const MAX_DEPTH = 2;

/** A manifest with all that belongs to it. */
export interface Described {
  /** `other` is an entry of a list that is neither an image nor a list. */
  readonly kind: 'image' | 'list' | 'attestation' | 'other';
  /** How its list has it; without a list, its own type, digest and size. */
  readonly descriptor: Descriptor;
  /** Whether it was taken out of a list. */
  readonly isEntry: boolean;
  /** Missing of what is `other`, and of a list that stands too deep in others to be read. */
  readonly manifest?: FetchedManifest;
  /** Of an image, where it was read and is JSON. */
  readonly config?: FetchedConfig;
  /** Of a list, in its order. */
  readonly entries: readonly Described[];
  /** Of an image, those that its list has. */
  readonly attestations: readonly Described[];
  /** Where they were asked for. */
  readonly referrers?: readonly Descriptor[];
}

/** How much is read. */
export interface DescribeOptions {
  /** The configurations of all images, which is the default, or only of those whose list gives no platform. */
  readonly configs?: 'all' | 'needed';
  /** What refers to the manifest itself, and with `all` to each entry as well; the default is `none`. */
  readonly referrers?: 'none' | 'top' | 'all';
}

/** What is described. */
export interface DescribeRequest extends DescribeOptions {
  /** Takes the entry of a list for it; a single image has to be for it. */
  readonly platform?: Platform;
}

/**
 * Reads an image or a list with all that belongs to it: what `inspect` shows, as values.
 * @throws {ManifestToolError} NOT_FOUND where something is not there, USAGE where several entries serve the platform, CORRUPT where
 * something is damaged; as the readers do.
 */
export async function describeImage(
  client: Client,
  reference: Reference,
  request: DescribeRequest = {},
): Promise<Described> {
  return describeSelected(await selectManifest(client, reference, request.platform), request);
}

/** What it runs on: as its list has it, or else as its configuration does. */
export function platformOf({ descriptor, config }: Described): Platform | undefined {
  return descriptor.platform ?? config?.platform;
}

/**
 * Reads all that belongs to a manifest: entries together, then their configurations together.
 * @throws {ManifestToolError} NOT_FOUND where something is not there, CORRUPT where it is damaged.
 */
export async function describeSelected(
  selected: Selected,
  options: DescribeOptions,
): Promise<Described> {
  return new Describer(selected.store, options).selected(selected);
}

class Describer {
  private readonly manifests = new Map<string, Promise<FetchedManifest>>();
  private readonly configs = new Map<string, Promise<FetchedConfig | undefined>>();

  constructor(
    private readonly store: ImageReader,
    private readonly options: DescribeOptions,
  ) {}

  async selected({ manifest, entry, attestations, config }: Selected): Promise<Described> {
    const { mediaType, digest, size } = manifest;
    const descriptor = entry ?? { mediaType, digest, size };
    const [described, attesting, referrers] = await Promise.all([
      this.manifest(descriptor, manifest, 0, config),
      Promise.all(attestations.map((each) => this.entry(each, 1))),
      this.referrers(descriptor, 0),
    ]);
    return {
      ...described,
      isEntry: entry !== undefined,
      ...(attesting.length === 0 ? {} : { attestations: attesting }),
      ...referrers,
    };
  }

  private async entry(descriptor: Descriptor, depth: number): Promise<Described> {
    const isList = isIndexType(descriptor.mediaType);
    if ((!isList && !isManifestType(descriptor.mediaType)) || (isList && depth > MAX_DEPTH)) {
      const kind = isList ? 'list' : 'other';
      const referrers = await this.referrers(descriptor, depth);
      return { kind, descriptor, isEntry: true, entries: [], attestations: [], ...referrers };
    }
    const [described, referrers] = await Promise.all([
      this.fetch(descriptor).then((manifest) => this.manifest(descriptor, manifest, depth)),
      this.referrers(descriptor, depth),
    ]);
    return { ...described, isEntry: true, ...referrers };
  }

  private async manifest(
    descriptor: Descriptor,
    manifest: FetchedManifest,
    depth: number,
    known?: FetchedConfig,
  ): Promise<Described> {
    const { document } = manifest;
    const common = { descriptor, isEntry: false, manifest, attestations: [] };
    if (document.kind === 'index') {
      const entries = await mapConcurrent(document.manifests, (each) =>
        this.entry(each, depth + 1),
      );
      return { ...common, kind: 'list', entries: withAttestations(entries) };
    }
    if (isAttestation(descriptor)) return { ...common, kind: 'attestation', entries: [] };
    const isWanted = this.options.configs !== 'needed' || descriptor.platform === undefined;
    const config = known ?? (isWanted ? await this.config(document) : undefined);
    return { ...common, kind: 'image', entries: [], ...(config === undefined ? {} : { config }) };
  }

  private fetch(entry: Descriptor): Promise<FetchedManifest> {
    const key = `${entry.digest} ${entry.size}`;
    const fetching = this.manifests.get(key) ?? this.store.getManifest(entry.digest, entry);
    this.manifests.set(key, fetching);
    return fetching;
  }

  private config({ config }: ImageManifest): Promise<FetchedConfig | undefined> {
    // What is no image may have anything for its configuration.
    if (config.size > MAX_DOCUMENT_SIZE) return Promise.resolve(undefined);
    const reading = this.configs.get(config.digest) ?? this.store.getBlob(config).then(parsed);
    this.configs.set(config.digest, reading);
    return reading;
  }

  private async referrers(
    { digest }: Descriptor,
    depth: number,
  ): Promise<Pick<Described, 'referrers'>> {
    const { referrers } = this.options;
    const isWanted = referrers === 'all' || (referrers === 'top' && depth === 0);
    return isWanted ? { referrers: await this.store.referrers(digest) } : {};
  }
}

/** Entries of one list, each image with those that attest it. */
function withAttestations(entries: readonly Described[]): Described[] {
  return entries.map((entry) =>
    entry.kind !== 'image'
      ? entry
      : {
          ...entry,
          attestations: entries.filter(
            ({ kind, descriptor }) =>
              kind === 'attestation' && attestedDigest(descriptor) === entry.descriptor.digest,
          ),
        },
  );
}

function parsed(bytes: Uint8Array): FetchedConfig | undefined {
  try {
    return { ...parseConfig(bytes), bytes };
  } catch {
    return undefined;
  }
}
