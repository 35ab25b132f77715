import { refuseWarnings } from '../../core/publish/warnings.js';
import type { RequestedPlatform, SourceRequest } from '../../core/publish/request.js';
import {
  detailsOf,
  fileReason,
  ManifestToolError,
  reasonOf,
  systemCode,
  unreadableHint,
} from '../../errors.js';
import { parseDigest, type Digest } from '../../oci/digest.js';
import { faultHint, Fields } from '../../oci/json/fields.js';
import { parseJson, refuseAmbiguity } from '../../oci/json/parse.js';
import { checkPlatform, properPlatform, readPlatform } from '../../oci/platform.js';
import { parseReference, withSuffix, type Reference } from '../../oci/reference.js';
import { listSome } from '../../text.js';
import { defined, usageError, type Options } from '../args/values.js';
import type { Surroundings } from '../command.js';
import { readNamedFile, STANDARD_INPUT } from '../input.js';

type SourceOptions = Options<'digests' | 'file' | 'password-stdin'> &
  Partial<Options<'strict'>> & { readonly sources: readonly string[] };

/**
 * The sources of --file, of --digests and of the command line, in this order.
 * @param target the repository of sources that are only digests
 * @throws {ManifestToolError} USAGE if there are none, or one cannot be read; INTERRUPTED.
 */
export async function sourcesFrom(
  args: SourceOptions,
  target: Reference,
  { io, reporter }: Surroundings,
): Promise<{ readonly sources: SourceRequest[]; readonly warnings: string[] }> {
  const { file: files, digests, sources: named } = args;
  const fromStdin = files.filter((file) => file === STANDARD_INPUT).length;
  if (fromStdin > 1 || (fromStdin > 0 && args.passwordStdin))
    throw usageError('standard input (-) is given twice', 'pass it once: it can be read only once');
  const warnings: string[] = [];
  const sources: SourceRequest[] = [];
  for (const file of files) {
    const where = file === STANDARD_INPUT ? 'standard input' : file;
    const texts = splitSources(await readNamedFile(file, io));
    if (texts.length === 0) {
      throw usageError(
        `--file ${file}: ${where} has no sources`,
        file === STANDARD_INPUT
          ? 'pipe references to it, one per line, or JSON descriptors'
          : 'write one reference per line, or JSON descriptors',
      );
    }
    sources.push(...texts.map((text) => parseSource(text, target, `reading ${where}`)));
  }
  if (digests !== undefined) {
    const found = await digestsIn(digests, warnings);
    sources.push(...found.map((digest) => ({ reference: withSuffix(target, digest) })));
  }
  sources.push(...named.map((text) => parseSource(text, target)));
  for (const text of warnings) reporter.warning(text);
  if (args.strict === true) refuseWarnings(`reading --digests ${digests}`, warnings);
  if (sources.length > 0) return { sources, warnings };
  throw usageError(
    'no sources are given',
    'list the images to publish, or pass --digests DIR or --file FILE',
  );
}

/**
 * The sources in a file: one JSON document over several lines, or one source a line. Lines that
 * begin with `#` are comments.
 */
function splitSources(text: string): string[] {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const isDocument =
    lines[0]?.startsWith('{') === true && !lines.every((line) => line.startsWith('{'));
  return isDocument ? [text.trim()] : lines;
}

/** The beginning of a digest; no image is named so. */
const DIGEST = /^sha[0-9]+:/;

/**
 * Reads a source as `docker buildx imagetools create` does: a reference, a digest in the repository
 * of the target, or a descriptor as JSON, whose platform and annotations take precedence, and whose
 * media type and size must be those of the manifest.
 * @throws {ManifestToolError} USAGE.
 */
function parseSource(text: string, target: Reference, where?: string): SourceRequest {
  if (text.startsWith('{')) return fromDescriptor(text, target, where);
  try {
    return {
      reference: DIGEST.test(text) ? withSuffix(target, parseDigest(text)) : parseReference(text),
    };
  } catch (error) {
    if (where === undefined || !(error instanceof ManifestToolError)) throw error;
    const details = { ...detailsOf(error), cause: error };
    throw new ManifestToolError(error.code, where, error.message, details);
  }
}

function fromDescriptor(
  text: string,
  target: Reference,
  where = 'reading a source as JSON',
): SourceRequest {
  try {
    const fields = Fields.of(parseJson(text, refuseAmbiguity), '');
    const digest = fields.digest('digest');
    const annotations = fields.stringMap('annotations');
    const platform = requestedPlatform(fields.fields('platform'), where);
    const expected = defined({
      mediaType: fields.string('mediaType') || undefined,
      size: fields.integer('size'),
    });
    return {
      reference: withSuffix(target, digest),
      ...(platform === undefined ? {} : { platform }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(Object.keys(expected).length === 0 ? {} : { expected }),
    };
  } catch (error) {
    if (error instanceof ManifestToolError) throw error;
    throw new ManifestToolError('USAGE', where, reasonOf(error), {
      cause: error,
      hint:
        faultHint(error) ??
        'write a descriptor such as {"digest": "sha256:…", "platform": {"os": "linux", "architecture": "arm64"}}',
    });
  }
}

function requestedPlatform(
  fields: Fields | undefined,
  where: string,
): RequestedPlatform | undefined {
  if (fields === undefined) return undefined;
  const platform = properPlatform(readPlatform(fields));
  const { os, architecture, ...rest } = platform;
  if (os !== '' && architecture !== '') checkPlatform(platform, where);
  const given = { ...(os && { os }), ...(architecture && { architecture }), ...rest };
  return Object.keys(given).length === 0 ? undefined : given;
}

/** A file named by a digest, as the build jobs of Docker's recipe for several runners leave it. */
const DIGEST_FILE = /^(?:sha256[-:])?([0-9a-f]{64})$/;

/**
 * The digests that name the files of a directory, in the order of a shell's `*`.
 * @throws {ManifestToolError} USAGE if there are none, or it cannot be read.
 */
async function digestsIn(directory: string, warnings: string[]): Promise<Digest[]> {
  const what = `reading --digests ${directory}`;
  const entries = await entriesOf(directory, what);
  const digests = new Set<string>();
  for (const { name, isDirectory } of entries) {
    const digest = DIGEST_FILE.exec(name)?.[1];
    if (digest !== undefined && !isDirectory) digests.add(digest);
    else {
      const why = isDirectory ? 'it is a directory' : 'its name is not a digest';
      warnings.push(`${directory}: ${JSON.stringify(name)} is ignored: ${why}`);
    }
  }
  if (digests.size > 0)
    return [...digests].toSorted().map((digest) => parseDigest(`sha256:${digest}`));
  const names = listSome(
    entries.map(({ name }) => JSON.stringify(name)),
    MAX_LISTED,
  );
  const why =
    entries.length === 0
      ? 'it is empty'
      : `no file in it has a digest as its name; it contains ${names}`;
  throw new ManifestToolError('USAGE', what, why, {
    hint: entries.some(({ isDirectory }) => isDirectory)
      ? 'put the files of all builds directly into this directory: actions/download-artifact does so with merge-multiple: true'
      : 'in each build, create a file there whose name is the digest of the image (64 hexadecimal digits)',
  });
}

/** How many names of files an error lists. */
const MAX_LISTED = 5;

/** What a directory has, in the order of the names. */
async function entriesOf(
  directory: string,
  what: string,
): Promise<{ readonly name: string; readonly isDirectory: boolean }[]> {
  try {
    const entries = await process
      .getBuiltinModule('node:fs/promises')
      .readdir(directory, { withFileTypes: true });
    return entries
      .map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    const hint =
      systemCode(error) === 'ENOTDIR'
        ? 'pass the directory of the files, or use --file to read sources from a file'
        : unreadableHint(error);
    throw new ManifestToolError('USAGE', what, fileReason(error), { cause: error, hint });
  }
}
