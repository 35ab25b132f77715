import { ManifestToolError } from '../errors.js';
import { suggestion } from '../text.js';
import {
  ARCHITECTURES,
  ARCHITECTURE_ALIASES,
  OPERATING_SYSTEMS,
  VARIANTS,
} from './platform-names.js';

/** What an image runs on (OCI image-spec, image-index.md, `platform`). */
export interface Platform {
  /** As GOARCH has it: `amd64`, `arm64`, `arm`. */
  readonly architecture: string;
  /** As GOOS has it: `linux`, `windows`. */
  readonly os: string;
  /** Of Windows: `10.0.20348.2655`. */
  readonly osVersion?: string;
  /** Of Windows: `win32k`. */
  readonly osFeatures?: readonly string[];
  /** Of the architecture: `v8` of arm64, `v6` and `v7` of arm. */
  readonly variant?: string;
}

/**
 * Reads `os/arch[/variant][:osversion]` as a user types it; aliases (`x86_64`, `aarch64`, `armhf`) become the names of the specification.
 * @throws {ManifestToolError} USAGE where the form, the os, the architecture or the variant is not known.
 */
export function parsePlatform(
  text: string,
  what = `reading platform ${JSON.stringify(text)}`,
): Platform {
  const colon = text.indexOf(':');
  const osVersion = colon < 0 ? undefined : text.slice(colon + 1);
  const parts = (colon < 0 ? text : text.slice(0, colon)).split('/');
  if (parts.length < 2 || parts.length > 3 || parts.includes('') || osVersion === '') {
    throw new ManifestToolError(
      'USAGE',
      what,
      'it is not of the form os/arch[/variant], for example linux/arm64/v8',
      { hint: `the common ones are ${COMMON.platform}` },
    );
  }
  const [os, typed, typedVariant] = parts as [string, string, string | undefined];
  const alias = ARCHITECTURE_ALIASES.get(typed);
  const architecture = alias?.architecture ?? typed;
  const variant = typedVariant ?? alias?.variant;
  const platform: Platform = {
    architecture,
    os,
    ...(osVersion === undefined ? {} : { osVersion }),
    ...(variant === undefined ? {} : { variant }),
  };
  checkPlatform(platform, what);
  return platform;
}

/** What is wrong with a platform, and in which of its parts. */
export interface PlatformFault {
  readonly part: 'os' | 'architecture' | 'variant';
  readonly why: string;
  readonly hint: string;
}

/**
 * Refuses what no runtime would ever select.
 * @throws {ManifestToolError} USAGE that names the unknown part and the nearest known names.
 */
export function checkPlatform(platform: Platform, what: string): void {
  const fault = platformFault(platform);
  if (fault !== undefined) throw new ManifestToolError('USAGE', what, fault.why, fault);
}

/** Why no runtime would ever select a platform; undefined where one could. */
export function platformFault({ os, architecture, variant }: Platform): PlatformFault | undefined {
  if (!OPERATING_SYSTEMS.has(os)) return unknownPart('os', os, OPERATING_SYSTEMS);
  if (!ARCHITECTURES.has(architecture)) {
    const known = [...ARCHITECTURES, ...ARCHITECTURE_ALIASES.keys()];
    return unknownPart('architecture', architecture, known);
  }
  const variants = VARIANTS.get(architecture);
  if (variant === undefined || variants === undefined || variants.test(variant)) return undefined;
  return {
    part: 'variant',
    why: `${JSON.stringify(variant)} is no variant of ${architecture}`,
    hint: `its variants are ${VARIANT_NAMES[architecture]}`,
  };
}

function unknownPart(
  part: 'os' | 'architecture',
  name: string,
  known: Iterable<string>,
): PlatformFault {
  return {
    part,
    why: `${part} ${JSON.stringify(name)} is not known${suggestion(name, known)}`,
    hint: `the common ones are ${COMMON[part]}`,
  };
}

/** What a platform mostly is, for hints. */
const COMMON = {
  platform: 'linux/amd64, linux/arm64, linux/arm/v7 and windows/amd64:OSVERSION',
  os: 'linux, windows, freebsd and darwin',
  architecture: 'amd64, arm64, arm, 386, ppc64le, s390x and riscv64',
};

/** What {@link VARIANTS} allows, for hints. */
const VARIANT_NAMES: Readonly<Record<string, string>> = {
  arm: 'v5, v6, v7 and v8',
  arm64: 'v8, v9, and those with a minor version as v8.2',
  amd64: 'v1, v2, v3 and v4',
};

/** `os/arch[/variant][:osversion]`, which {@link parsePlatform} reads back. */
export function formatPlatform(platform: Platform): string {
  const variant = platform.variant === undefined ? '' : `/${platform.variant}`;
  const version = platform.osVersion === undefined ? '' : `:${platform.osVersion}`;
  return `${platform.os}/${platform.architecture}${variant}${version}`;
}

/** Whether nothing can run on it: what BuildKit gives attestations, and what artifacts have that are no images. */
export function isNoPlatform({ os, architecture }: Platform): boolean {
  return (os === '' && architecture === '') || (os === 'unknown' && architecture === 'unknown');
}

/** Equal for two platforms that a runtime cannot tell apart; manifest-tool refuses two entries of one key. */
export function platformKey(platform: Platform): string {
  return JSON.stringify([
    platform.architecture,
    platform.os,
    platform.variant ?? '',
    platform.osVersion ?? '',
    platform.osFeatures ?? [],
  ]);
}

/**
 * Whether an entry serves a request: what the request names must be equal; an amd64 without variant is v1, an arm v7 and an arm64 v8,
 * as container runtimes have it.
 */
export function servesPlatform(entry: Platform, request: Platform): boolean {
  return (
    entry.os === request.os &&
    entry.architecture === request.architecture &&
    (request.variant === undefined || effectiveVariant(entry) === effectiveVariant(request)) &&
    (request.osVersion === undefined || entry.osVersion === request.osVersion)
  );
}

const DEFAULT_VARIANTS: ReadonlyMap<string, string> = new Map([
  ['amd64', 'v1'],
  ['arm', 'v7'],
  ['arm64', 'v8'],
]);

function effectiveVariant({ architecture, variant }: Platform): string | undefined {
  if (variant !== undefined) return variant;
  return DEFAULT_VARIANTS.get(architecture);
}
