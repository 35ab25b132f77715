import { ARCHITECTURE_ALIASES } from '../oci/platform-names.js';
import { platformFault } from '../oci/platform.js';
import type { RequestedPlatform } from '../core/publish/request.js';
import { knownMembers } from './members.js';
import type { SpecNode } from './node.js';

const KEYS = [
  'os',
  'architecture',
  'variant',
  'osversion',
  'osfeatures',
  'os.version',
  'os.features',
] as const;

/**
 * Reads the `platform` of an entry.
 * @throws {ManifestToolError} USAGE where no runtime would ever select it.
 */
export function requestedPlatform(
  node: SpecNode,
  warning: (text: string) => void,
): RequestedPlatform {
  const keys = knownMembers(node, KEYS, warning);
  const os = keys.os?.text() || undefined;
  const typed = keys.architecture?.text() || undefined;
  const alias = ARCHITECTURE_ALIASES.get(typed ?? '');
  const architecture = alias?.architecture ?? typed;
  const variant = keys.variant?.text() || alias?.variant;
  const osVersion = (keys.osversion ?? keys['os.version'])?.text() || undefined;
  const osFeatures = (keys.osfeatures ?? keys['os.features'])?.list().map((item) => item.text());
  if (os !== undefined && architecture !== undefined) {
    const fault = platformFault({
      os,
      architecture,
      ...(variant === undefined ? {} : { variant }),
    });
    if (fault !== undefined) throw (keys[fault.part] ?? node).error(fault.why, fault.hint);
  } else if (os !== undefined || architecture !== undefined) {
    const missing = os === undefined ? 'os' : 'architecture';
    // A list does not mind: its images keep their platforms.
    warning(`${node.place()}: ${node.path} has no ${missing}: an image needs both, or neither`);
  }
  return {
    ...(os === undefined ? {} : { os }),
    ...(architecture === undefined ? {} : { architecture }),
    ...(variant === undefined ? {} : { variant }),
    ...(osVersion === undefined ? {} : { osVersion }),
    ...(osFeatures === undefined || osFeatures.length === 0 ? {} : { osFeatures }),
  };
}
