import { PublishedNames, type IndexRequest, type Spec } from '../../core/publish/request.js';
import { refuseWarnings } from '../../core/publish/warnings.js';
import { formatReference } from '../../oci/reference.js';
import { parseSpecs, typeOfSpec } from '../../spec/spec.js';
import { usageError } from '../args/values.js';
import type { Context, Run } from '../command.js';
import { nameOfInput, readNamedFile } from '../input.js';
import { requiredPlatforms } from '../options/platforms.js';
import { indexContent, publishingOptions } from '../options/publishing.js';
import { specFiles } from '../options/spec-files.js';
import { targetsFrom } from '../options/targets.js';
import { tuneEngine } from '../tune-engine.js';
import { pushIndexJob, runJobs } from './publishing.js';

/**
 * Size of a spec in characters from which reading it makes so much garbage that tuning the engine
 * first pays.
 */
const LARGE_SPEC = 64 * 1024;

/** `push from-spec FILE…`; all specs are read before the first index is published. */
export const run: Run<'push from-spec'> = async (context) => {
  const { args } = context;
  const specs = await readSpecs(context);
  if (specs.length > 1 && args.tag.length > 0) {
    throw usageError(
      `--tag accepts only one spec, not ${specs.length}`,
      'list the tags in the specs',
    );
  }
  const content = indexContent(args);
  const requests = specs.map(({ spec }): IndexRequest => {
    noteOverridden(spec, context);
    return {
      ...spec,
      ...targetsFrom({ targets: [spec.target], specTags: spec.tags, tag: args.tag }),
      type: typeOfSpec(spec, args.type),
      ...content,
      annotations: new Map([...spec.annotations, ...content.annotations]),
      ...requiredPlatforms(args),
      ...publishingOptions(args),
    };
  });
  refuseSharedTags(requests);
  const jobs = requests.map((request, i) => pushIndexJob(request, specs[i]!.warnings));
  await runJobs(jobs, context);
};

/** Reports options that take precedence over what a spec says. */
function noteOverridden(spec: Spec, { args, reporter }: Context<'push from-spec'>): void {
  const { type, artifactType, attestations } = args;
  const name = formatReference(spec.target);
  if (type !== undefined && spec.type !== undefined && type !== spec.type)
    reporter.note(`${name}: --type ${type} takes precedence over type: ${spec.type} of the spec`);
  if (artifactType !== undefined && ![undefined, artifactType].includes(spec.artifactType))
    reporter.note(
      `${name}: --artifact-type ${artifactType} takes precedence over artifactType: ${spec.artifactType} of the spec`,
    );
  const own = spec.dropAttestations === true ? 'drop' : 'keep';
  if (attestations !== undefined && spec.dropAttestations !== undefined && attestations !== own)
    reporter.note(
      `${name}: --attestations ${attestations} takes precedence over attestations: ${own} of the spec`,
    );
}

/** Reads all specs, each with the warnings about its file. */
async function readSpecs({
  args,
  io,
  reporter,
}: Context<'push from-spec'>): Promise<{ spec: Spec; warnings: readonly string[] }[]> {
  const { files, variables } = specFiles(args, io);
  const texts = await Promise.all(files.map((file) => readNamedFile(file, io)));
  const all: string[] = [];
  if (texts.some(({ length }) => length > LARGE_SPEC)) tuneEngine();
  const specs = texts.flatMap((text, i) => {
    const warnings: string[] = [];
    const warning = (each: string): void => {
      warnings.push(each);
      all.push(each);
      reporter.warning(each);
    };
    const parsed = parseSpecs(text, nameOfInput(files[i]!), { warning, env: variables });
    return parsed.map((spec) => ({ spec, warnings }));
  });
  if (args.strict) refuseWarnings(`reading ${files.join(', ')}`, all);
  return specs;
}

/**
 * @throws {ManifestToolError} USAGE if two specs have a tag in common: chance would decide which of
 * them it names.
 */
function refuseSharedTags(requests: readonly IndexRequest[]): void {
  const published = new PublishedNames();
  for (const request of requests) {
    const taken = published.add(request, formatReference(request.target));
    if (taken === undefined) continue;
    throw usageError(
      `two specs publish ${taken.name}`,
      'change the tag in one of them; spec check shows where they are',
    );
  }
}
