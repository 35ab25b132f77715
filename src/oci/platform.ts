import { ManifestToolError } from '../errors.js';
import { suggestion } from '../text.js';
import { present, type Fields } from './json/fields.js';
import {
  ARCHITECTURES,
  ARCHITECTURE_ALIASES,
  OPERATING_SYSTEMS,
  OS_ALIASES,
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
 * Reads `os/arch[/variant][:osversion]` as a user types it, or
 * `os(osversion+feature+…)/arch[/variant]` as containerd and buildx write it (containerd/platforms,
 * FormatAll). Aliases (`x86_64`, `armhf`, `macos`), upper case and variants such as `7` become the
 * names of the specification.
 * @throws {ManifestToolError} USAGE for a wrong form, or an unknown os, architecture or variant.
 */
export function parsePlatform(
  text: string,
  what = `reading platform ${JSON.stringify(text)}`,
): Platform {
  // Only an os version, behind a colon or in parentheses, may contain spaces.
  if (/^[^(:\s]+\s+\S/.test(text)) {
    throw new ManifestToolError('USAGE', what, 'a platform contains no spaces', {
      hint: `separate platforms with commas: ${text
        .trim()
        .split(/[\s,]+/)
        .join(',')}`,
    });
  }
  const parts = PLATFORM.exec(text)?.groups as Partial<Record<PlatformPart, string>> | undefined;
  if (parts === undefined) {
    throw new ManifestToolError(
      'USAGE',
      what,
      'it is not of the form os/arch[/variant], for example linux/arm64/v8',
      { hint: `the common ones are ${COMMON.platform}` },
    );
  }
  const platform = properPlatform<Platform>({
    architecture: parts.architecture!,
    os: parts.os!,
    ...present('osVersion', parts.inner || parts.behind),
    ...present('osFeatures', parts.features?.split('+').slice(1)),
    ...present('variant', parts.variant),
  });
  checkPlatform(platform, what);
  return platform;
}

type PlatformPart = 'os' | 'inner' | 'features' | 'architecture' | 'variant' | 'behind';

/** The os version is either in parentheses (`inner`), with the os features, or follows a colon. */
const PLATFORM =
  /^(?<os>[^/:()]+)(?:\((?<inner>[^/:()+]*)(?<features>(?:\+[^/:()+]+)+)?\)(?![^]*:))?\/(?<architecture>[^/:]+)(?:\/(?<variant>[^/:]+))?(?::(?<behind>[^]+))?$/;

/**
 * The same platform in the names of the specification: `linux/aarch64` is `linux/arm64`,
 * `Linux/ARM/7` is `linux/arm/v7`, `arm64/v9.0` is `arm64/v9`, as containerd/platforms reads them
 * (database.go). Neither adds nor removes a default variant: `arm64` and `arm64/v8` stay as they
 * are.
 */
export function properPlatform<P extends Partial<Platform>>(platform: P): P {
  const os = platform.os?.toLowerCase();
  const written = platform.architecture?.toLowerCase();
  const alias = ARCHITECTURE_ALIASES.get(written ?? '');
  const architecture = alias?.architecture ?? written;
  const variant = properVariant(architecture, platform.variant || alias?.variant);
  return {
    ...platform,
    ...present('os', OS_ALIASES.get(os ?? '') ?? os),
    ...present('architecture', architecture),
    ...present('variant', variant),
  };
}

/** Variants of architectures without a fixed set keep their spelling. */
function properVariant(
  architecture: string | undefined,
  variant: string | undefined,
): string | undefined {
  if (variant === undefined || !VARIANTS.has(architecture ?? '')) return variant;
  const named = variant.toLowerCase().replace(/^(?=\d)/, 'v');
  return architecture === 'arm64' ? named.replace(/^(v\d)\.0$/, '$1') : named;
}

/** Why no container runtime would select a platform. */
export interface PlatformFault {
  readonly part: 'os' | 'architecture' | 'variant';
  readonly why: string;
  readonly hint: string;
}

/**
 * Refuses a platform that no container runtime would select.
 * @throws {ManifestToolError} USAGE that names the unknown part and the nearest known name.
 */
export function checkPlatform(platform: Platform, what: string): void {
  const fault = platformFault(platform);
  if (fault !== undefined) throw new ManifestToolError('USAGE', what, fault.why, fault);
}

/** Finds an unknown os, architecture or variant in a platform. */
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
    why: `${JSON.stringify(variant)} is not a variant of ${architecture}`,
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

/** Common values, for hints. */
const COMMON = {
  platform: 'linux/amd64, linux/arm64, linux/arm/v7 and windows/amd64:OSVERSION',
  os: 'linux, windows, freebsd and darwin',
  architecture: 'amd64, arm64, arm, 386, ppc64le, s390x and riscv64',
};

/** What {@link VARIANTS} allows, for hints. */
const VARIANT_NAMES: Readonly<Record<string, string>> = {
  arm: 'v5, v6, v7 and v8',
  arm64: 'v8 and v9, also with a minor version such as v8.2',
  amd64: 'v1, v2, v3 and v4',
};

/** Reads the platform of a descriptor or an image config; empty members count as absent. */
export function readPlatform(fields: Fields): Platform {
  const osFeatures = fields.strings('os.features');
  return {
    architecture: fields.string('architecture') ?? '',
    os: fields.string('os') ?? '',
    ...present('osVersion', fields.string('os.version') || undefined),
    ...present('osFeatures', osFeatures?.length ? osFeatures : undefined),
    ...present('variant', fields.string('variant') || undefined),
  };
}

/**
 * `os/arch[/variant][:osversion]`, or `os(osversion+feature+…)/arch[/variant]` if there are os
 * features; {@link parsePlatform} reads both back. Words for an empty platform.
 */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, osVersion, osFeatures = [] } = platform;
  if (isEmptyPlatform(platform)) return 'no platform';
  const variant = platform.variant === undefined ? '' : `/${platform.variant}`;
  if (osFeatures.length > 0)
    return `${os}(${[osVersion ?? '', ...osFeatures].join('+')})/${architecture}${variant}`;
  return `${os}/${architecture}${variant}${osVersion === undefined ? '' : `:${osVersion}`}`;
}

/**
 * Whether the fields stand for the absence of a platform: BuildKit writes unknown/unknown for
 * attestations, and other tools leave both empty for artifacts.
 */
export function isNoPlatform(platform: Platform): boolean {
  return isEmptyPlatform(platform) || isUnknownPlatform(platform);
}

/** Whether both os and architecture are empty, as other tools write it for artifacts. */
export function isEmptyPlatform({ os, architecture }: Platform): boolean {
  return os === '' && architecture === '';
}

/** Whether it is unknown/unknown, which BuildKit writes for attestations. */
export function isUnknownPlatform({ os, architecture }: Partial<Platform>): boolean {
  return os === 'unknown' && architecture === 'unknown';
}
