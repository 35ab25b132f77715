import { mapConcurrent } from '../../concurrency.js';
import { interruptedBy, ManifestToolError } from '../../errors.js';
import { fitOf, isComparable, isStartedOn } from '../../executables/architecture.js';
import { startedBy, type Started } from '../../executables/entrypoint.js';
import { FileTree, type FoundProgram } from '../../executables/file-tree.js';
import { LayerError, readLayer, type Layer } from '../../executables/layer.js';
import { counted } from '../../oci/blob-stream.js';
import type { FetchedManifest, ImageReader } from '../../oci/content.js';
import type { Descriptor } from '../../oci/descriptor.js';
import type { Digest } from '../../oci/digest.js';
import type { ImageManifest } from '../../oci/documents.js';
import { configOf, isArtifact, type ImageConfig } from '../../oci/image-config.js';
import { FieldError } from '../../oci/json/fields.js';
import { isForeignLayerType, isImageLayerType } from '../../oci/media-types.js';
import {
  formatPlatform,
  isUnknownPlatform,
  properPlatform,
  type Platform,
} from '../../oci/platform.js';
import { countOf, listSome } from '../../text.js';
import type { ProgressEvents } from '../events.js';
import type { ImageExecutables, NativeProgram, NativePrograms } from './executables.js';
import { attempt, type Attempt } from './attempt.js';
import type { Defect } from './defects.js';

/** An image to examine. */
export interface ExaminedImage {
  /** Of its entry. */
  readonly digest: Digest;
  /** Of its entry; without one, that of its config counts. */
  readonly platform?: Platform | undefined;
  readonly manifest: FetchedManifest;
  readonly reader: ImageReader;
}

/** What was found out about an image. */
export interface Examination {
  /** Undefined for what is left out: an artifact, and `unknown/unknown`. */
  readonly executables?: ImageExecutables;
  readonly defects: readonly Defect[];
}

/** How images are examined. */
export interface ExaminationContext {
  /** What is being done, for errors. */
  readonly what: string;
  readonly signal: AbortSignal;
  readonly events: ProgressEvents;
  /** Called for each layer that was read and has its digest. */
  readonly onLayerRead?: (digest: string) => void;
}

/** How many layers are read at the same time; each needs a core to decompress. */
const LAYERS_AT_A_TIME = 4;

const MAX_LISTED = 10;

const LEFT_OUT: Examination = { defects: [] };

/**
 * Compares the programs in the layers of images with their platforms. A program of another
 * architecture that a container starts is a defect; others are counted. Each layer is read once,
 * and checked against its digest, however many images have it.
 * @returns one for each image, in their order
 * @throws {ManifestToolError} what the readers throw; FAILED for a layer with too many files;
 * INTERRUPTED. A layer that is missing or damaged is a defect.
 */
export async function examineExecutables(
  images: readonly ExaminedImage[],
  context: ExaminationContext,
): Promise<Examination[]> {
  const layers = new LayerCache(context);
  const sameImages = new Map<string, ExaminedImage[]>();
  for (const image of images) {
    const known = sameImages.get(image.manifest.digest);
    if (known !== undefined) known.push(image);
    else {
      sameImages.set(image.manifest.digest, [image]);
      layers.expect(image.manifest);
    }
  }
  const examinations = new Map<ExaminedImage, Examination>();
  for (const same of sameImages.values()) {
    const [{ manifest, reader }] = same as [ExaminedImage];
    const examiner = new Examiner(manifest, reader, layers, context);
    for (const image of same) examinations.set(image, await examiner.examine(image));
    layers.release(manifest);
  }
  return images.map((image) => examinations.get(image)!);
}

/** What the layers of an image hold, whatever its platform is. */
interface Contents {
  readonly programs: readonly FoundProgram[];
  readonly started: Started;
  readonly notes: readonly string[];
  /** Predicates of the image. */
  readonly defects: readonly string[];
}

/** Examines one image, for each platform that entries have for it. */
class Examiner {
  private config: Promise<Attempt<ImageConfig | undefined>> | undefined;
  /** By whether it is unpacked as for Windows. */
  private readonly contents = new Map<boolean, Promise<Contents>>();

  constructor(
    private readonly manifest: FetchedManifest,
    private readonly reader: ImageReader,
    private readonly layers: LayerCache,
    private readonly context: ExaminationContext,
  ) {}

  async examine({ digest: where, platform: own }: ExaminedImage): Promise<Examination> {
    const { document } = this.manifest;
    if (document.kind !== 'manifest' || isArtifact(document)) return LEFT_OUT;
    const { what: doing, signal } = this.context;
    const readConfig = async () => configOf(document, await this.reader.getBlob(document.config));
    this.config ??= attempt(doing, signal, readConfig);
    const config = await this.config;
    if ('why' in config)
      return { defects: [{ where, what: `config ${document.config.digest}: ${config.why}` }] };
    const platform = own ?? config.value?.platform;
    if (config.value === undefined || platform === undefined || isUnknownPlatform(platform))
      return LEFT_OUT;
    const isWindows = platform.os.toLowerCase() === 'windows';
    const reading =
      this.contents.get(isWindows) ??
      this.read(document, config.value, isWindows, formatPlatform(platform));
    this.contents.set(isWindows, reading);
    return compared(where, platform, await reading);
  }

  private async read(
    { layers = [] }: ImageManifest,
    config: ImageConfig,
    isWindows: boolean,
    platform: string,
  ): Promise<Contents> {
    const { events, signal, what } = this.context;
    events.progress?.(`reading the layers of ${platform}`);
    const read = await mapConcurrent(
      layers,
      (layer) => this.layers.read(layer, this.reader),
      LAYERS_AT_A_TIME,
    );
    const tree = new FileTree(isWindows);
    const [notes, defects]: [string[], string[]] = [[], []];
    for (const [i, outcome] of read.entries()) {
      const name = `layer ${layers[i]!.digest}`;
      if ('defect' in outcome) defects.push(`${name}: ${outcome.defect}`);
      else if ('note' in outcome)
        notes.push(`has ${name}, which was not examined: ${outcome.note}`);
      else {
        await tree.apply(outcome.layer, signal).catch(interruptedBy(what));
        const [sparse, ...others] = outcome.layer.sparse;
        if (sparse !== undefined) {
          const more = others.length === 0 ? '' : ` and ${others.length} more`;
          notes.push(`has sparse files, which were not examined: ${sparse}${more}`);
        }
      }
    }
    try {
      const started = startedBy(config, tree, isWindows);
      return { programs: [...tree.programs()], started, notes, defects };
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      const unreadable = `has a config that cannot be read: ${error.message}`;
      const started = { programs: [], choices: [], notes: [] };
      return { programs: [...tree.programs()], started, notes, defects: [...defects, unreadable] };
    }
  }
}

/** Compares the programs of an image with a platform. */
function compared(where: Digest, platform: Platform, contents: Contents): Examination {
  const { programs, notes } = contents;
  const started = startedOn(platform, contents.started);
  const name = formatPlatform(platform);
  const report = {
    digest: where,
    platform,
    programs: programs.length,
    started: started.programs.map(nativeProgram),
  };
  const defects = contents.defects.map((what): Defect => ({ where, what }));
  const all = [...notes, ...started.notes];
  if (!isComparable(platform)) {
    const none: NativePrograms = { count: 0, first: [] };
    const note = `is for ${name}, whose programs cannot be checked`;
    return {
      executables: { ...report, others: none, compatible: none, notes: [...all, note] },
      defects,
    };
  }
  const startedPaths = new Set(started.programs.map(({ path }) => path));
  const wrong = started.programs.filter((found) => !isRunOn(platform, found));
  const fits = (fit: 'other' | 'compatible') =>
    programs.filter(
      ({ path, program }) =>
        fitOf(program, platform) === fit && (fit === 'compatible' || !startedPaths.has(path)),
    );
  return {
    executables: {
      ...report,
      others: listed(fits('other')),
      compatible: listed(fits('compatible')),
      notes: [...all, ...armNotes(platform, programs)],
    },
    defects: [
      ...defects,
      ...wrong.map(({ path, program }): Defect => {
        const architectures = program.architectures.join(' and ');
        const what = `starts ${path}, ${withArticle(program.format)} program for ${architectures}, but is for ${name}`;
        return { where, what, fault: 'architecture' };
      }),
    ],
  };
}

/**
 * What a container starts on a platform: without the programs for other architectures that a script
 * does not choose there.
 */
function startedOn(platform: Platform, started: Started): Started {
  const passedOver = new Set(
    started.choices
      .filter((choice) => choice.some((found) => isRunOn(platform, found)))
      .flatMap((choice) => choice.filter((found) => !isRunOn(platform, found)))
      .map(({ path }) => path),
  );
  return { ...started, programs: started.programs.filter(({ path }) => !passedOver.has(path)) };
}

function isRunOn(platform: Platform, { program }: FoundProgram): boolean {
  return fitOf(program, platform) !== 'other' && isStartedOn(program, platform);
}

/** Programs for a later version of arm than that of the variant: they often need its instructions. */
function armNotes(platform: Platform, programs: readonly FoundProgram[]): string[] {
  const { architecture, variant = '' } = properPlatform(platform);
  const version = Number(/^v([4-8])$/.exec(variant)?.[1] ?? Infinity);
  if (architecture !== 'arm') return [];
  const later = programs.filter(({ program: { armVersion = 0 } }) => armVersion > version);
  if (later.length === 0) return [];
  const names = later.map(({ path, program }) => `${path} (v${program.armVersion})`);
  return [
    `has ${countOf(later.length, 'program')} for a later version of arm: ${listSome(names, MAX_LISTED)}`,
  ];
}

function withArticle(format: NativeProgram['format']): string {
  return format === 'ELF' ? 'an ELF' : `a ${format}`;
}

function listed(programs: readonly FoundProgram[]): NativePrograms {
  return { count: programs.length, first: programs.slice(0, MAX_LISTED).map(nativeProgram) };
}

function nativeProgram({ path, program }: FoundProgram): NativeProgram {
  return { path, ...program };
}

type LayerOutcome =
  | { readonly layer: Layer }
  /** Damaged or missing. */
  | { readonly defect: string }
  /** Why it was not examined. */
  | { readonly note: string };

/** Reads each layer once, and keeps it until the last image that has it is examined. */
class LayerCache {
  /** How many images have a layer that are not examined yet. */
  private readonly uses = new Map<string, number>();
  private readonly reading = new Map<string, Promise<LayerOutcome>>();

  constructor(private readonly context: ExaminationContext) {}

  /** Announces an image, so that its layers are kept for it. */
  expect({ document }: FetchedManifest): void {
    if (document.kind !== 'manifest') return;
    for (const { digest } of document.layers ?? [])
      this.uses.set(digest, (this.uses.get(digest) ?? 0) + 1);
  }

  release({ document }: FetchedManifest): void {
    if (document.kind !== 'manifest') return;
    for (const { digest } of document.layers ?? []) {
      const left = this.uses.get(digest)! - 1;
      this.uses.set(digest, left);
      if (left === 0) this.reading.delete(digest);
    }
  }

  read(layer: Descriptor, reader: ImageReader): Promise<LayerOutcome> {
    const known = this.reading.get(layer.digest) ?? this.readNew(layer, reader);
    this.reading.set(layer.digest, known);
    return known;
  }

  private async readNew(layer: Descriptor, reader: ImageReader): Promise<LayerOutcome> {
    const { what, signal } = this.context;
    const note = notExamined(layer);
    if (note !== undefined) return { note };
    if (isForeignLayerType(layer.mediaType)) {
      const size = await attempt(what, signal, () => reader.blobSize(layer));
      if (!('value' in size) || size.value === undefined)
        return { note: 'it is downloaded from elsewhere' };
    }
    const outcome = await attempt(what, signal, () => this.readFrom(layer, reader));
    return 'why' in outcome ? { defect: outcome.why } : outcome.value;
  }

  private async readFrom(layer: Descriptor, reader: ImageReader): Promise<LayerOutcome> {
    const { events, signal, what } = this.context;
    const { digest, size } = layer;
    const report = (state: 'reading' | 'read' | 'failed', bytes: number): void =>
      events.blob?.({ target: reader.name, digest: layer.digest, size, bytes, state });
    report('reading', 0);
    try {
      const content = counted(await reader.openBlob(layer), (bytes) => report('reading', bytes));
      const read = await readLayer(content, signal);
      report('read', size);
      this.context.onLayerRead?.(digest);
      return { layer: read };
    } catch (error) {
      report('failed', 0);
      if (!(error instanceof LayerError)) throw error;
      if (error.fault === 'damaged') return { defect: error.message };
      if (error.fault === 'unsupported') return { note: error.message };
      throw new ManifestToolError('FAILED', what, `layer ${digest}: ${error.message}`, {
        cause: error,
        hint: 'programs can only be compared in layers with fewer files',
      });
    }
  }
}

/** Why a layer is not one that can be read; undefined if it is. */
function notExamined({ mediaType }: Descriptor): string | undefined {
  if (mediaType.includes('encrypted')) return 'it is encrypted';
  return isImageLayerType(mediaType) ? undefined : `it is of type ${mediaType}`;
}
