import { HUB_HOST, HUB_NAMESPACE } from '../docker-hub.js';
import { ManifestToolError } from '../errors.js';
import { isDigest, parseDigest, type Digest } from './digest.js';

/**
 * An image in a registry, parsed as Docker does (distribution/reference, `ParseNormalizedNamed`).
 */
export interface RegistryReference {
  /** Distinguishes it from a layout. */
  readonly kind: 'registry';
  /** `host[:port]` as users write it; `docker.io` for Docker Hub. */
  readonly host: string;
  /** `library/traefik` for `traefik` on Docker Hub. */
  readonly repository: string;
  /** Without tag and digest, `latest` is read and no tag is written. */
  readonly tag?: string;
  /** Read in preference to the tag. */
  readonly digest?: Digest;
}

/** An image in an OCI image layout directory: `oci-layout://PATH[:tag][@digest]`. */
export interface LayoutReference {
  /** Distinguishes it from an image in a registry. */
  readonly kind: 'layout';
  /** The directory, absolute or relative to the working directory. */
  readonly path: string;
  /** Without tag and digest, `latest` is read and no tag is written. */
  readonly tag?: string;
  /** Read in preference to the tag. */
  readonly digest?: Digest;
}

/** An image in a registry or in a layout; {@link parseReference} returns it. */
export type Reference = RegistryReference | LayoutReference;

const LAYOUT_SCHEMES = ['oci-layout://', 'ocidir://'];
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const HOST =
  /^(?:(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9])(?:\.(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9]))*|\[[a-fA-F0-9:.]+\])(?::[0-9]{1,5})?$/;
const MAX_NAME_LENGTH = 255;

/** The form of a tag, for hints. */
export const TAG_RULE =
  'a tag consists of up to 128 letters, digits, "_", "." and "-", and does not begin with "." or "-"';
const REFERENCE_RULE = 'write host/repository:tag, or oci-layout://PATH:TAG for a directory';
const LAYOUT_RULE = 'write oci-layout://PATH:TAG';

/** Whether `text` is a tag (OCI distribution-spec, Pulling manifests). */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/**
 * Parses a reference.
 * @throws {ManifestToolError} USAGE that says which part is wrong.
 */
export function parseReference(text: string): Reference {
  const what = `reading image reference ${JSON.stringify(text)}`;
  const bad: Bad = (why, hint) => new ManifestToolError('USAGE', what, why, { hint });
  if (text === '') throw bad('it is empty', REFERENCE_RULE);
  const scheme = LAYOUT_SCHEMES.find((each) => text.startsWith(each));
  if (scheme !== undefined) return parseLayout(text.slice(scheme.length), what, bad);
  const schemeLike = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text);
  if (schemeLike) {
    throw bad(
      `${JSON.stringify(schemeLike[0])} is not supported in an image reference`,
      REFERENCE_RULE,
    );
  }
  if (/^[a-f0-9]{64}$/.test(text)) {
    throw bad(
      '64 hexadecimal digits are an image ID, not the name of a repository',
      'push the image, and name it as host/repository:tag',
    );
  }
  if (isDigest(text)) {
    throw bad(
      'a digest needs the repository before it: NAME@DIGEST',
      `for example host/repository@${text}`,
    );
  }
  const { name, tag, digest } = splitSuffix(text, what, bad);
  const { host, repository } = splitHost(name);
  if (!HOST.test(host) || !URL.canParse(`http://${host}`))
    throw bad(
      `${JSON.stringify(host)} is not a valid host`,
      'a host consists of letters, digits, "-" and ".", and may end with :PORT',
    );
  if (!PATH.test(repository)) {
    const lower = repository.toLowerCase();
    if (lower !== repository && PATH.test(lower)) {
      throw bad(
        `repository name ${JSON.stringify(repository)} must be in lower case`,
        `write it as ${lower}`,
      );
    }
    throw bad(
      `${JSON.stringify(repository)} is not a valid repository name`,
      'it consists of lower-case letters and digits, separated by ".", "_", "-" or "/"',
    );
  }
  if (host.length + 1 + repository.length > MAX_NAME_LENGTH) {
    throw bad(
      `the name is longer than ${MAX_NAME_LENGTH} characters`,
      'choose a shorter name for the repository: registries accept no longer ones',
    );
  }
  return { kind: 'registry', host, repository, ...suffix(tag, digest) };
}

type Bad = (why: string, hint: string) => ManifestToolError;

function parseLayout(rest: string, what: string, bad: Bad): LayoutReference {
  const { name, tag, digest } = splitSuffix(rest, what, bad);
  if (name === '') throw bad('the path of the layout directory is missing', LAYOUT_RULE);
  if (name.includes('\0')) throw bad('the path has a NUL character', LAYOUT_RULE);
  return { kind: 'layout', path: name, ...suffix(tag, digest) };
}

function splitSuffix(text: string, what: string, bad: Bad) {
  const at = text.search(/@[^@/]*$/);
  const digest = at < 0 ? undefined : parseDigest(text.slice(at + 1), what);
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(':');
  if (colon < 0 || named.includes('/', colon) || named.indexOf(']', colon) >= 0)
    return { name: named, tag: undefined, digest };
  const tag = named.slice(colon + 1);
  if (!isTag(tag)) {
    throw bad(
      `${JSON.stringify(tag)} is not a valid tag (up to 128 letters, digits, "_", "." and "-", the first not "." or "-")`,
      'the tag follows the last colon, for example app:1.0',
    );
  }
  return { name: named.slice(0, colon), tag, digest };
}

/**
 * Splits off the host: the first part, if it has a dot, a colon or an upper-case letter, or is
 * `localhost` (distribution/reference, `splitDockerDomain`).
 */
function splitHost(name: string): { host: string; repository: string } {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const isHost =
    slash >= 0 && (/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first);
  const host = isHost ? first : HUB_HOST;
  const rest = isHost ? name.slice(slash + 1) : name;
  if (host !== HUB_HOST && host !== 'index.docker.io') return { host, repository: rest };
  return { host: HUB_HOST, repository: rest.includes('/') ? rest : `${HUB_NAMESPACE}/${rest}` };
}

function suffix(tag: string | undefined, digest: Digest | undefined) {
  return { ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/**
 * Refuses a reference that {@link parseReference} would not return: its parts are used in URLs and
 * paths.
 * @throws {ManifestToolError} USAGE.
 */
export function checkReference(reference: Reference): void {
  const { kind, tag, digest } = reference;
  const what = `reading image reference ${JSON.stringify(formatReference(reference))}`;
  const bad: Bad = (why, hint) => new ManifestToolError('USAGE', what, why, { hint });
  if (tag !== undefined && !isTag(tag))
    throw bad(`${JSON.stringify(tag)} is not a valid tag`, TAG_RULE);
  if (digest !== undefined) parseDigest(digest, what);
  if (kind === 'layout') {
    const hasPath = reference.path !== '' && !reference.path.includes('\0');
    if (!hasPath) throw bad('it has no path', LAYOUT_RULE);
    return;
  }
  const read = parseReference(formatName(reference));
  const isSame =
    read.kind === 'registry' &&
    read.host === reference.host &&
    read.repository === reference.repository;
  if (!isSame) throw bad('it is not of the form host/repository', REFERENCE_RULE);
}

/** The complete reference, with its host and without a default tag. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${formatName(reference)}${tag}${digest}`;
}

/** The tag of a reference that names neither a tag nor a digest. */
const DEFAULT_TAG = 'latest';

/** The reference with the tag `latest` if it has neither a tag nor a digest. */
export function withDefaultTag(reference: Reference): Reference {
  const isNamed = reference.tag !== undefined || reference.digest !== undefined;
  return isNamed ? reference : { ...reference, tag: DEFAULT_TAG };
}

/** The tag or digest to read: the digest if the reference has both, `latest` if it has neither. */
export function tagOrDigestOf({ tag, digest }: Pick<Reference, 'tag' | 'digest'>): string {
  return digest ?? tag ?? DEFAULT_TAG;
}

/** The reference without tag and digest. */
export function formatName(reference: Reference): string {
  return reference.kind === 'layout'
    ? `oci-layout://${reference.path}`
    : `${reference.host}/${reference.repository}`;
}

/** The same repository or layout with another tag or digest, which the caller has checked. */
export function withSuffix(reference: Reference, tagOrDigest: string): Reference {
  const { tag: _tag, digest: _digest, ...name } = reference;
  return isDigest(tagOrDigest) ? { ...name, digest: tagOrDigest } : { ...name, tag: tagOrDigest };
}

/** Whether two references are in the same repository, or the same layout directory. */
export function sameRepository(a: Reference, b: Reference): boolean {
  return formatName(a) === formatName(b);
}
