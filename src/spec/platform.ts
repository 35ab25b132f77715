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
 * `unknown/unknown` is the platform of an attestation.
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
  if (os !== 'unknown' || architecture !== 'unknown') {
    // What is left out is read from the image config later: here any known name will do.
    const fault = platformFault({
      os: os ?? 'linux',
      architecture: architecture ?? 'amd64',
      ...(variant === undefined || architecture === undefined ? {} : { variant }),
    });
    if (fault !== undefined)
      throw (keys[fault.part] ?? node).error(fault.why, { hint: fault.hint });
  }
  return {
    ...(os === undefined ? {} : { os }),
    ...(architecture === undefined ? {} : { architecture }),
    ...(variant === undefined ? {} : { variant }),
    ...(osVersion === undefined ? {} : { osVersion }),
    ...(osFeatures === undefined || osFeatures.length === 0 ? {} : { osFeatures }),
  };
}
