import { isUtf8 } from 'node:buffer';
import { yieldToEventLoop } from '../../concurrency.js';
import { ManifestToolError, reasonOf, interrupted } from '../../errors.js';
import { parseJson } from '../../oci/json/parse.js';
import { formatPinned, parseReference, type Reference } from '../../oci/reference.js';
import { escapeText } from '../../text.js';
import type { Client } from '../../core/client.js';
import { inspectSelected } from '../../core/read/inspect.js';
import type { ListedReferrer } from '../../core/read/referrers.js';
import { onlyImage, selectManifest, type Selected } from '../../core/read/select-manifest.js';
import type { Run } from '../command.js';
import type { Io } from '../io.js';
import { withClient } from '../options/connection.js';
import { inspectOptions, type InspectOptions } from '../options/inspect.js';
import { isColoured, manifestToolColours, palette } from '../output/colours.js';
import { renderHuman } from '../output/inspect/human.js';
import { renderRaw } from '../output/inspect/raw.js';
import { harmlessJson, jsonText } from '../output/json.js';
import type { Reporter } from '../progress/reporter.js';

/** `inspect REF`. */
export const run: Run<'inspect'> = async ({ args, io, reporter }) => {
  const name = args.reference;
  const options = inspectOptions(args);
  const reference = parseReference(name);
  const coloured = isColoured(io.stdout, io.env, args);
  await withClient(args, { io, reporter }, [reference], async (client) => {
    const output = await reporter.during(async () => {
      const selected = await selectManifest(client, reference, options.platform, reporter);
      return options.config
        ? configuration(selected, reference, options)
        : SHOW[options.format](selected, {
            client,
            name,
            reference,
            options,
            io,
            coloured,
            reporter,
          });
    });
    const text = printable(output, io.stdout);
    // A signal that came while a large text was built is handled only now.
    await yieldToEventLoop();
    if (client.signal.aborted) throw interrupted(`reading ${name}`);
    io.stdout.write(text);
  });
};

interface Context {
  readonly client: Client;
  readonly reporter: Reporter;
  readonly name: string;
  readonly reference: Reference;
  readonly options: InspectOptions;
  readonly io: Io;
  /** Whether standard output has colors. */
  readonly coloured: boolean;
}

/** Text that is printed as it is, or JSON from a registry. */
type Shown = string | { readonly json: string | Uint8Array };

/** JSON stays as it is in a pipe; on a terminal it is escaped. */
function printable(shown: Shown, { isTTY }: Io['stdout']): string | Uint8Array {
  if (typeof shown === 'string') return shown;
  const { json } = shown;
  const text = typeof json === 'string' ? json : Buffer.from(json).toString();
  if (isTTY) return harmlessJson(text);
  return typeof json === 'string' || isUtf8(json) ? text : json;
}

type Show = (selected: Selected, context: Context) => Shown | Promise<Shown>;

const SHOW: Readonly<Record<InspectOptions['format'], Show>> = {
  human,
  'manifest-tool': async (selected, { name, options }) => ({
    json: renderRaw(name, await inspectSelected(selected), options.expandConfig),
  }),
  json: asDocument,
  table,
  docker: (selected, context) => docker(selected, context, false),
  'docker-verbose': (selected, context) => docker(selected, context, true),
  raw: ({ manifest }) => ({ json: manifest.bytes }),
};

/**
 * The output of manifest-tool v2. On a terminal, where no program reads it, it has the variant of an
 * image as well, and ends with a line about the table.
 */
async function human(
  selected: Selected,
  { name, options, coloured, io }: Context,
): Promise<string> {
  const colours = manifestToolColours(coloured);
  const { isTTY } = io.stdout;
  const [inspected, referrers] = await Promise.all([
    inspectSelected(selected),
    options.referrers ? referrersOf(selected) : undefined,
  ]);
  const text = renderHuman(name, inspected, colours, isTTY);
  const command = `manifest-tool inspect --format table ${escapeText(name)}`;
  const last = isTTY
    ? palette(coloured).faint(`One line per platform, with sizes: ${command}`)
    : '';
  const end = last === '' ? '' : `${last}\n`;
  if (referrers === undefined) return text + end;
  const { renderReferrers } = await import('../output/inspect/referrers.js');
  return text + renderReferrers(referrers, colours) + end;
}

async function referrersOf({ store, manifest }: Selected): Promise<readonly ListedReferrer[]> {
  const { listReferrers } = await import('../../core/read/referrers.js');
  return listReferrers(store, manifest.digest);
}

async function asDocument(
  selected: Selected,
  { client, name, options, reporter }: Context,
): Promise<string> {
  const [{ describeSelected }, { inspectDocument }] = await Promise.all([
    import('../../core/read/describe.js'),
    import('../output/inspect/document.js'),
  ]);
  const referrers = options.referrers ? 'all' : 'none';
  const described = await describeSelected(
    client,
    selected,
    { configs: 'all', referrers },
    reporter,
  );
  return jsonText(inspectDocument(name, described));
}

async function table(
  selected: Selected,
  { client, name, reference, options, io, coloured, reporter }: Context,
): Promise<string> {
  const [{ describeSelected }, { renderTable }] = await Promise.all([
    import('../../core/read/describe.js'),
    import('../output/inspect/table.js'),
  ]);
  const referrers = options.referrers ? 'top' : 'none';
  const described = await describeSelected(
    client,
    selected,
    { configs: 'needed', referrers },
    reporter,
  );
  const { isTTY, columns } = io.stdout;
  const image = formatPinned(reference, selected.manifest.digest);
  const subject = { name, image, reference: options.platform === undefined ? name : image };
  return renderTable(subject, described, palette(coloured), isTTY && columns > 0 ? columns : 80);
}

async function docker(
  selected: Selected,
  { reference }: Context,
  isVerbose: boolean,
): Promise<Shown> {
  const render = await import('../output/inspect/docker.js');
  const { manifest, entry } = selected;
  // The config is not needed: no request for it.
  if (!isVerbose && manifest.document.kind === 'manifest') {
    return { json: render.dockerImage(manifest) };
  }
  const inspected = await inspectSelected(selected);
  if (inspected.kind === 'image') {
    return { json: render.dockerVerboseImage(reference, inspected, entry) };
  }
  return {
    json: isVerbose
      ? render.dockerVerboseIndex(reference, inspected)
      : render.dockerIndex(inspected),
  };
}

/** `--config`: the bytes with --format raw or --raw, indented otherwise. */
async function configuration(
  selected: Selected,
  reference: Reference,
  { format }: InspectOptions,
): Promise<Shown> {
  const { store, manifest, document, config } = await onlyImage(selected, reference);
  const bytes = config?.bytes ?? (await store.getBlob(document.config));
  if (format === 'raw') return { json: bytes };
  const { indentJson } = await import('../../oci/json/json-text.js');
  const text = Buffer.from(bytes).toString();
  try {
    parseJson(text);
  } catch (error) {
    throw new ManifestToolError(
      'CORRUPT',
      `showing the configuration of ${store.name}@${manifest.digest}`,
      reasonOf(error),
      { cause: error, hint: '--format raw prints it unchanged' },
    );
  }
  return { json: `${indentJson(text, '  ')}\n` };
}
