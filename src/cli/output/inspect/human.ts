import { attestedDigest, isAttestation } from '../../../oci/attestation.js';
import type { Descriptor } from '../../../oci/descriptor.js';
import type { ImageManifest } from '../../../oci/documents.js';
import { isManifestType } from '../../../oci/media-types.js';
import type { Platform } from '../../../oci/platform.js';
import type { InspectedImage, InspectedIndex } from '../../../core/read/inspect.js';
import { escapeText } from '../../../text.js';
import type { InspectColours } from '../colours.js';

/** Longest remote string that is shown, in characters. */
const MAX_SHOWN = 1024;

/**
 * `inspect` for people: the output of manifest-tool v2, byte for byte.
 * @param hasVariant adds the variant of a single image, which manifest-tool v2 does not show
 */
export function renderHuman(
  name: string,
  inspected: InspectedImage | InspectedIndex,
  colours: InspectColours,
  hasVariant = false,
): string {
  return inspected.kind === 'image'
    ? renderImage(name, inspected, colours, hasVariant)
    : renderIndex(name, inspected, colours);
}

function renderImage(
  name: string,
  { manifest, document, config }: InspectedImage,
  c: InspectColours,
  hasVariant: boolean,
): string {
  const { os = '', architecture = '', variant } = config?.platform ?? {};
  return lines([
    `Name: ${c.name(shown(name))} (Type: ${c.name(manifest.mediaType)})`,
    `      Digest: ${c.digest(manifest.digest)}`,
    `        Size: ${c.size(String(manifest.size))}`,
    `          OS: ${c.name(shown(os))}`,
    `        Arch: ${c.name(shown(architecture))}`,
    ...(hasVariant && variant !== undefined ? [`     Variant: ${c.name(shown(variant))}`] : []),
    `    # Layers: ${c.count(String((document.layers ?? []).length))}`,
    ...(document.layers ?? []).map(
      (layer, i) => `      layer ${c.count(ordinal(i))}: digest = ${c.digest(layer.digest)}`,
    ),
  ]);
}

function renderIndex(
  name: string,
  { manifest, document, children }: InspectedIndex,
  c: InspectColours,
): string {
  const all = document.manifests.length;
  const attestations = document.manifests.filter(isAttestation).length;
  const images = all - attestations;
  const counts =
    `${c.count(String(images))} ${images > 1 ? 'images' : 'image'}, ` +
    `${c.count(String(attestations))} ${attestations > 1 ? 'attestations' : 'attestation'}`;
  return lines([
    `Name:   ${c.name(shown(name))} (Type: ${c.name(manifest.mediaType)})`,
    `Digest: ${c.digest(manifest.digest)}`,
    ` * Contains ${c.count(String(all))} manifest references (${counts}):`,
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
  c: InspectColours,
): string[] {
  const at = `[${number}]`;
  const detail = isAttestation(entry) ? ' (vnd.docker.reference.type=attestation-manifest)' : '';
  const head = [
    `${at}     Type: ${c.name(shown(entry.mediaType))}${c.name(detail)}`,
    `${at}   Digest: ${c.digest(entry.digest)}`,
    `${at}   Length: ${c.size(String(entry.size))}`,
  ];
  if (!isManifestType(entry.mediaType)) {
    return [...head, `Unknown media type for further display: ${shown(entry.mediaType)}`];
  }
  if (isAttestation(entry)) {
    return [
      ...head,
      `${at}       >>> Attestation for digest: ${c.digest(shown(attestedDigest(entry) ?? ''))}`,
      '',
    ];
  }
  const layers = child?.layers ?? [];
  return [
    ...head,
    `${at} Platform:`,
    ...renderPlatform(entry.platform, at, c),
    `${at} # Layers: ${c.count(String(layers.length))}`,
    ...layers.flatMap((layer, i) => [
      `     layer ${c.count(ordinal(i))}: digest = ${c.digest(layer.digest)}`,
      `                 type = ${c.name(shown(layer.mediaType))}`,
    ]),
    '',
  ];
}

function renderPlatform(platform: Platform | undefined, at: string, c: InspectColours): string[] {
  if (platform === undefined) return [`${at}    -      (no platform specified)`];
  const { os, osVersion, osFeatures, architecture, variant } = platform;
  const line = (label: string, text: string): string =>
    `${at}    - ${label}: ${c.name(shown(text))}`;
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
