import type { RequestedPlatform } from '../core/publish/request.js';
import { platformFault, properPlatform } from '../oci/platform.js';
import { present } from '../oci/json/fields.js';
import { knownMembers, type SpecNode } from './node.js';

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
 * Reads the `platform` of an entry; other spellings become the names of the specification.
 * @throws {ManifestToolError} USAGE if no runtime would ever select it.
 */
export function requestedPlatform(
  node: SpecNode,
  warning: (text: string) => void,
): RequestedPlatform {
  const keys = knownMembers(node, KEYS, warning);
  const { os, architecture, variant } = properPlatform({
    ...present('os', keys.os?.string() || undefined),
    ...present('architecture', keys.architecture?.string() || undefined),
    ...present('variant', keys.variant?.string() || undefined),
  });
  const osVersion = (keys.osversion ?? keys['os.version'])?.string() || undefined;
  const osFeatures = (keys.osfeatures ?? keys['os.features'])?.list().map((item) => item.string());
  if (os !== undefined && architecture !== undefined) {
    const fault = platformFault({
      os,
      architecture,
      ...(variant === undefined ? {} : { variant }),
    });
    if (fault !== undefined)
      throw (keys[fault.part] ?? node).error(fault.why, { hint: fault.hint });
  } else if (os !== undefined || architecture !== undefined) {
    const missing = os === undefined ? 'os' : 'architecture';
    // No error: the entries of an index keep their own platforms.
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
