import type { Descriptor } from '../../../oci/descriptor.js';
import type { ImageDocument } from '../../../oci/documents.js';
import { goMarshalIndent, Members, type Writable } from '../../../oci/json/go-marshal.js';
import { configMembers } from '../../../oci/json/go-config.js';
import {
  annotations,
  indexMembers,
  layerList,
  manifestMembers,
  ociDescriptor,
} from '../../../oci/json/go-structs.js';
import type { FetchedManifest } from '../../../oci/content.js';
import { ManifestToolError } from '../../../errors.js';
import type { InspectedImage, InspectedIndex } from '../../../core/read/inspect.js';

/**
 * `inspect --raw`: the output of manifest-tool v2, in the field order of its structs and indented
 * by four.
 */
export function renderRaw(
  name: string,
  inspected: InspectedImage | InspectedIndex,
  expandConfig: boolean,
): string {
  const members =
    inspected.kind === 'index'
      ? indexMembersOf(name, inspected)
      : expandConfig
        ? expandedMembers(name, inspected)
        : imageMembers(name, inspected);
  return `${goMarshalIndent(new Members(members), '    ')}\n`;
}

type MemberList = [string, Writable | undefined][];

function indexMembersOf(
  name: string,
  { manifest, document, children }: InspectedIndex,
): MemberList {
  return [
    ['name', name],
    ['digest', manifest.digest],
    ['schemaVersion', document.schemaVersion],
    ['mediaType', document.mediaType || undefined],
    // Go writes a nil slice as null.
    [
      'manifests',
      children.length === 0
        ? null
        : children.map((child, i) => childMembers(document.manifests[i]!, child)),
    ],
    ['annotations', annotations(document.annotations)],
  ];
}

function childMembers(entry: Descriptor, child: FetchedManifest | undefined): Members {
  if (child === undefined) {
    throw new ManifestToolError(
      'FAILED',
      `showing entry ${entry.digest}`,
      `its media type ${entry.mediaType} is neither an image nor an index`,
      { hint: '--format json and --format table show such entries as well' },
    );
  }
  return documentMembers(child.document);
}

function documentMembers(document: ImageDocument): Members {
  return new Members(
    document.kind === 'index' ? indexMembers(document) : manifestMembers(document),
  );
}

function imageMembers(name: string, { manifest, document, config }: InspectedImage): MemberList {
  return [
    ['name', name],
    ['digest', manifest.digest],
    ['os', config?.platform?.os || undefined],
    ['architecture', config?.platform?.architecture || undefined],
    ...manifestMembers(document),
  ];
}

function expandedMembers(name: string, { manifest, document, config }: InspectedImage): MemberList {
  return [
    ['schemaVersion', document.schemaVersion],
    ['name', name],
    ['digest', manifest.digest],
    ['os', config?.platform?.os || undefined],
    ['architecture', config?.platform?.architecture || undefined],
    ['mediaType', document.mediaType || undefined],
    // Of an artifact, only the descriptor is known.
    ['config', config ? configMembers(config.json) : ociDescriptor(document.config)],
    ['layers', layerList(document)],
    ['subject', document.subject && ociDescriptor(document.subject)],
    ['annotations', annotations(document.annotations)],
  ];
}
