import { attestedDigest, isAttestation } from '../../../oci/attestation.js';
import type { Descriptor } from '../../../oci/descriptor.js';
import type { ImageManifest } from '../../../oci/documents.js';
import { isManifestType } from '../../../oci/media-types.js';
import type { Platform } from '../../../oci/platform.js';
import type { InspectedImage, InspectedIndex } from '../../../core/read/inspect.js';
import { escapeText } from '../../../text.js';
import type { Colours } from '../colours.js';

/** Longest remote string that is shown, in characters. */
const MAX_SHOWN = 1024;

/** `inspect` for people: the output of manifest-tool v2, byte for byte. */
export function renderHuman(
  name: string,
  inspected: InspectedImage | InspectedIndex,
  colours: Colours,
): string {
  return inspected.kind === 'image'
    ? renderImage(name, inspected, colours)
    : renderIndex(name, inspected, colours);
}

function renderImage(
  name: string,
  { manifest, document, config }: InspectedImage,
  c: Colours,
): string {
  const { os = '', architecture = '' } = config?.platform ?? {};
  return lines([
    `Name: ${c.green(shown(name))} (Type: ${c.green(manifest.mediaType)})`,
    `      Digest: ${c.yellow(manifest.digest)}`,
    `        Size: ${c.blue(String(manifest.size))}`,
    `          OS: ${c.green(shown(os))}`,
    `        Arch: ${c.green(shown(architecture))}`,
    `    # Layers: ${c.red(String((document.layers ?? []).length))}`,
    ...(document.layers ?? []).map(
      (layer, i) => `      layer ${c.red(ordinal(i))}: digest = ${c.yellow(layer.digest)}`,
    ),
  ]);
}

function renderIndex(
  name: string,
  { manifest, document, children }: InspectedIndex,
  c: Colours,
): string {
  const all = document.manifests.length;
  const attestations = document.manifests.filter(isAttestation).length;
  const images = all - attestations;
  const counts =
    `${c.red(String(images))} ${images > 1 ? 'images' : 'image'}, ` +
    `${c.red(String(attestations))} ${attestations > 1 ? 'attestations' : 'attestation'}`;
  return lines([
    `Name:   ${c.green(shown(name))} (Type: ${c.green(manifest.mediaType)})`,
    `Digest: ${c.yellow(manifest.digest)}`,
    ` * Contains ${c.red(String(all))} manifest references (${counts}):`,
    ...document.manifests.flatMap((entry, i) => {
      const child = children[i]?.document;
      return renderEntry(entry, child?.kind === 'manifest' ? child : undefined, i + 1, c);
    }),
  ]);
}

function renderEntry(
  entry: Descriptor,
  child: ImageManifest | undefined,
  number: number,
  c: Colours,
): string[] {
  const at = `[${number}]`;
  const detail = isAttestation(entry) ? ' (vnd.docker.reference.type=attestation-manifest)' : '';
  const head = [
    `${at}     Type: ${c.green(shown(entry.mediaType))}${c.green(detail)}`,
    `${at}   Digest: ${c.yellow(entry.digest)}`,
    `${at}   Length: ${c.blue(String(entry.size))}`,
  ];
  if (!isManifestType(entry.mediaType)) {
    return [...head, `Unknown media type for further display: ${shown(entry.mediaType)}`];
  }
  if (isAttestation(entry)) {
    return [
      ...head,
      `${at}       >>> Attestation for digest: ${c.yellow(shown(attestedDigest(entry) ?? ''))}`,
      '',
    ];
  }
  const layers = child?.layers ?? [];
  return [
    ...head,
    `${at} Platform:`,
    ...renderPlatform(entry.platform, at, c),
    `${at} # Layers: ${c.red(String(layers.length))}`,
    ...layers.flatMap((layer, i) => [
      `     layer ${c.red(ordinal(i))}: digest = ${c.yellow(layer.digest)}`,
      `                 type = ${c.green(shown(layer.mediaType))}`,
    ]),
    '',
  ];
}

function renderPlatform(platform: Platform | undefined, at: string, c: Colours): string[] {
  if (platform === undefined) return [`${at}    -      (no platform specified)`];
  const { os, osVersion, osFeatures, architecture, variant } = platform;
  const line = (label: string, text: string): string =>
    `${at}    - ${label}: ${c.green(shown(text))}`;
  return [
    line('     OS', os),
    ...(osVersion === undefined ? [] : [line('OS Vers', osVersion)]),
    ...(osFeatures === undefined ? [] : [line('OS Feat', `[${osFeatures.join(' ')}]`)]),
    line('   Arch', architecture),
    ...(variant === undefined ? [] : [line('Variant', variant)]),
  ];
}

function lines(list: readonly string[]): string {
  return `${list.join('\n')}\n`;
}

function ordinal(index: number): string {
  return String(index + 1).padStart(2, '0');
}

/** Remote text for a terminal: escaped, and cut. */
function shown(text: string): string {
  const escaped = escapeText(text);
  return escaped.length > MAX_SHOWN ? `${escaped.slice(0, MAX_SHOWN)}…` : escaped;
}
