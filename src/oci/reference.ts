import { resolve } from 'node:path';
import { HUB_HOST, HUB_NAMESPACE } from '../docker-hub.js';
import { ManifestToolError } from '../errors.js';
import { isDigest, parseDigest, type Digest } from './digest.js';

/**
 * An image in a registry, parsed as Docker does (distribution/reference, `ParseNormalizedNamed`).
 */
export interface RegistryReference {
  /** Distinguishes it from other references. */
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
  /** Distinguishes it from other references. */
  readonly kind: 'layout';
  /** The directory, absolute or relative to the working directory. */
  readonly path: string;
  /**
   * The name of the image: a tag, a tag with "+", or a full name such as
   * `docker.io/library/app:1.0` (OCI image-spec, annotations.md,
   * `org.opencontainers.image.ref.name`). Without name and digest the image `latest` is read, or
   * the only one; nothing is named when it is written.
   */
  readonly tag?: string;
  /** Read in preference to the name. */
  readonly digest?: Digest;
}

/**
 * An image in a tar archive: `oci-archive://FILE[:tag][@digest]`, an archive of an OCI image
 * layout, or `docker-archive://FILE[:reference][@digest]`, as `docker save` writes it.
 */
export interface ArchiveReference {
  /** Distinguishes it from other references. */
  readonly kind: 'archive';
  /** How the archive is laid out. */
  readonly format: 'oci' | 'docker';
  /** The file, relative to the working directory or absolute. */
  readonly path: string;
  /** As in {@link LayoutReference}; in an archive of `docker save` also a name without a tag. */
  readonly tag?: string;
  /** Read in preference to the name. */
  readonly digest?: Digest;
}

/** An image in a registry, a layout or an archive: made by {@link parseReference}. */
export type Reference = RegistryReference | LayoutReference | ArchiveReference;

type Local = Pick<LayoutReference, 'kind'> | Pick<ArchiveReference, 'kind' | 'format'>;

const LAYOUT: Local = { kind: 'layout' };
const OCI_ARCHIVE: Local = { kind: 'archive', format: 'oci' };
const DOCKER_ARCHIVE: Local = { kind: 'archive', format: 'docker' };

/** How references of local images begin: as buildx and regctl write them, and as skopeo does. */
const LOCAL_PREFIXES: readonly (readonly [
  prefix: string,
  local: Local,
  splitAt: 'first' | 'last',
])[] = [
  ['oci-layout://', LAYOUT, 'last'],
  ['ocidir://', LAYOUT, 'last'],
  ['oci-archive://', OCI_ARCHIVE, 'first'],
  ['docker-archive://', DOCKER_ARCHIVE, 'first'],
  ['oci:', LAYOUT, 'first'],
  ['oci-archive:', OCI_ARCHIVE, 'first'],
  ['docker-archive:', DOCKER_ARCHIVE, 'first'],
];

/** Begins of references that skopeo and podman know and this program does not. */
const OTHER_TRANSPORTS =
  /^(?:containers-storage|docker-daemon|dir|ostree|sif|tarball):(?![0-9]{1,5}\/)/;

/** A host with a port, such as `oci:5000/app`, which is not skopeo's spelling of a path. */
const HOST_AND_PORT = /^[a-z-]+:[0-9]{1,5}\//;

/** A name of an image in a layout or an archive; an `@` would begin a digest. */
const LOCAL_NAME = /^[A-Za-z0-9_][A-Za-z0-9._+:/-]{0,511}$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const HOST =
  /^(?:(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9])(?:\.(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9]))*|\[[a-fA-F0-9:.]+\])(?::[0-9]{1,5})?$/;
const MAX_NAME_LENGTH = 255;

const SEPARATE_REFERENCES = 'pass each reference as a separate argument, without commas or spaces';

/** The form of a tag, for hints. */
export const TAG_RULE =
  'a tag consists of up to 128 letters, digits, "_", "." and "-", and does not begin with "." or "-"';
const REFERENCE_RULE = 'write host/repository:tag, or oci-layout://PATH:TAG for a directory';
const SAVE_RULE =
  'write the image to a file first, for example with "docker save -o FILE IMAGE", and use docker-archive://FILE';
const LOCAL_NAME_RULE =
  'the name after the path has letters, digits, "_", ".", "+", "-", ":" and "/", for example app:1.0';

/** Whether `text` is a tag (OCI distribution-spec, Pulling manifests). */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/**
 * Whether `text` can name an image in a layout or an archive, where names are annotations and may
 * be more than tags (OCI image-spec, annotations.md, `org.opencontainers.image.ref.name`).
 */
export function isLocalName(text: string): boolean {
  return LOCAL_NAME.test(text);
}

/** Whether `text` can be the tag of a reference of this kind. */
export function isTagOf({ kind }: Pick<Reference, 'kind'>, text: string): boolean {
  return kind === 'registry' ? isTag(text) : isLocalName(text);
}

/**
 * Parses a reference.
 * @throws {ManifestToolError} USAGE that says which part is wrong.
 */
export function parseReference(text: string): Reference {
  const what = `reading image reference ${JSON.stringify(text)}`;
  const bad: Bad = (why, hint) => new ManifestToolError('USAGE', what, why, { hint });
  if (text === '') throw bad('it is empty', REFERENCE_RULE);
  const local = HOST_AND_PORT.test(text)
    ? undefined
    : LOCAL_PREFIXES.find(([prefix]) => text.startsWith(prefix));
  if (local !== undefined) return parseLocal(text, local, what, bad);
  if (text.startsWith('docker://')) return parseRegistry(text.slice('docker://'.length), what, bad);
  const transport = OTHER_TRANSPORTS.exec(text);
  if (transport) {
    throw bad(`${JSON.stringify(transport[0])} references are not supported`, SAVE_RULE);
  }
  return parseRegistry(text, what, bad);
}

const PORT_AT_END = /:[0-9]*$/;
/** A tag with a slash in it: behind a colon that is neither that of a port nor in brackets. */
const TAG_WITH_SLASH = /^(?:[^/[\]:]+(?!:[0-9]*\/)|[^/]+\/[^:]*):([^:]*\/.*)$/;

type Bad = (why: string, hint: string) => ManifestToolError;

function parseRegistry(text: string, what: string, bad: Bad): RegistryReference {
  if (text === '') throw bad('the image name is missing', REFERENCE_RULE);
  const schemeLike = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text);
  if (schemeLike) {
    const rest = text.slice(schemeLike[0].length);
    throw bad(
      `${JSON.stringify(schemeLike[0])} is not supported in an image reference`,
      /^https?:$/i.test(`${schemeLike[1]}:`) && rest !== ''
        ? `write it as ${rest}`
        : REFERENCE_RULE,
    );
  }
  if (/^[a-f0-9]{64}$/.test(text)) {
    throw bad(
      '64 hexadecimal digits are not the name of a repository',
      'for a digest, write "sha256:" before it; for an image ID, push the image, and refer to it as host/repository:tag',
    );
  }
  if (isDigest(text)) {
    throw bad(
      'a digest needs a repository before it: REPOSITORY@DIGEST',
      `for example host/repository@${text}`,
    );
  }
  if (/^(?:\.{0,2}|~)\//.test(text) || /^\.{1,2}$/.test(text)) {
    throw bad(
      'it is a path, not an image reference',
      `write oci-layout://${text} for an OCI layout, oci-archive://${text} for an archive of one`,
    );
  }
  const { name, tag, digest } = splitSuffix(text, what, bad);
  const tagged = TAG_WITH_SLASH.exec(name)?.[1];
  if (tagged !== undefined) {
    const first = name.slice(0, name.indexOf('/'));
    const noHost = first.includes(':') && !PORT_AT_END.test(first);
    const orHost = noHost ? `, or ${JSON.stringify(first)} is not a valid host` : '';
    throw bad(`the tag ${JSON.stringify(tagged)} contains a slash${orHost}`, TAG_RULE);
  }
  const { host, repository } = splitHost(name);
  if (!HOST.test(host) || !URL.canParse(`http://${host}`))
    throw bad(
      `${JSON.stringify(host)} is not a valid host`,
      'a host consists of letters, digits, "-" and ".", and may end with :PORT',
    );
  if (!PATH.test(repository)) {
    const typed = name.endsWith(repository) ? repository : name;
    const lower = typed.toLowerCase();
    if (lower !== typed && PATH.test(lower)) {
      throw bad(
        `repository name ${JSON.stringify(typed)} must be in lower case`,
        `write it as ${lower}`,
      );
    }
    throw bad(
      `${JSON.stringify(typed)} is not a valid repository name`,
      /[\s,]/.test(typed)
        ? SEPARATE_REFERENCES
        : 'it consists of lower-case letters and digits, separated by ".", "_", "-" or "/"',
    );
  }
  if (host.length + 1 + repository.length > MAX_NAME_LENGTH) {
    throw bad(
      `the name is longer than ${MAX_NAME_LENGTH} characters`,
      'choose a shorter repository name: registries do not accept longer ones',
    );
  }
  return { kind: 'registry', host, repository, ...suffix(tag, digest) };
}

function parseLocal(
  text: string,
  [prefix, local, splitAt]: (typeof LOCAL_PREFIXES)[number],
  what: string,
  bad: Bad,
): LayoutReference | ArchiveReference {
  const rule = localRule(local);
  const rest = text.slice(prefix.length);
  const { name, tag, digest } =
    splitAt === 'last' ? splitSuffix(rest, what, bad, isLocalName) : splitFirst(rest, what, bad);
  if (name === '') throw bad(`the path of the ${nounOf(local)} is missing`, rule);
  if (name.includes('\0')) throw bad('the path contains a NUL character', rule);
  return { ...local, path: name, ...suffix(tag, digest) };
}

function nounOf({ kind }: Local): string {
  return kind === 'layout' ? 'layout directory' : 'archive';
}

function localRule(local: Local): string {
  return `write ${localPrefix(local)}PATH:TAG`;
}

function localPrefix(local: Local): string {
  if (local.kind === 'layout') return 'oci-layout://';
  return local.format === 'oci' ? 'oci-archive://' : 'docker-archive://';
}

/**
 * Splits a path from a name that may have colons itself, as skopeo does: at the first colon. That
 * of a drive letter does not count.
 */
function splitFirst(text: string, what: string, bad: Bad) {
  const { named, digest } = splitDigest(text, what);
  const colon = named.indexOf(':', /^[A-Za-z]:[\\/]/.test(named) ? 2 : 0);
  if (colon < 0) return { name: named, tag: undefined, digest };
  const tag = named.slice(colon + 1);
  if (!isLocalName(tag)) {
    throw bad(`${JSON.stringify(tag)} is not a valid tag or name of an image`, LOCAL_NAME_RULE);
  }
  return { name: named.slice(0, colon), tag, digest };
}

function splitDigest(text: string, what: string) {
  const at = text.search(/@[^@/]*$/);
  return at < 0
    ? { named: text, digest: undefined }
    : { named: text.slice(0, at), digest: parseDigest(text.slice(at + 1), what) };
}

function splitSuffix(text: string, what: string, bad: Bad, isValid = isTag) {
  const { named, digest } = splitDigest(text, what);
  const colon = named.lastIndexOf(':');
  if (colon < 0 || named.includes('/', colon) || named.indexOf(']', colon) >= 0)
    return { name: named, tag: undefined, digest };
  const tag = named.slice(colon + 1);
  if (tag === '') {
    throw bad(
      'the tag after the colon is missing',
      'write a tag after the colon, for example app:1.0, or omit the colon',
    );
  }
  if (!isValid(tag)) {
    throw bad(
      `${JSON.stringify(tag)} is not a valid tag (up to 128 letters, digits, "_", "." and "-", the first not "." or "-")`,
      /[\s,]/.test(tag)
        ? SEPARATE_REFERENCES
        : 'the tag follows the last colon, for example app:1.0',
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
  if (tag !== undefined && !isTagOf(reference, tag)) {
    throw bad(
      `${JSON.stringify(tag)} is not a valid tag`,
      kind === 'registry' ? TAG_RULE : LOCAL_NAME_RULE,
    );
  }
  if (digest !== undefined) parseDigest(digest, what);
  if (kind !== 'registry') {
    const hasPath = reference.path !== '' && !reference.path.includes('\0');
    if (!hasPath) throw bad('it has no path', localRule(reference));
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
  // Other spellings of a layout take the last colon for the one before the tag.
  const isFullName = reference.kind === 'layout' && /[:/]/.test(reference.tag ?? '');
  const name = isFullName ? `oci:${reference.path}` : formatName(reference);
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${name}${tag}${digest}`;
}

/** The tag of a reference that names neither a tag nor a digest. */
export const DEFAULT_TAG = 'latest';

/**
 * The reference with the tag `latest` if it has neither a tag nor a digest. That of a local image
 * is not changed: the only image of a layout or an archive needs no tag.
 */
export function withDefaultTag(reference: Reference): Reference {
  const isNamed = reference.tag !== undefined || reference.digest !== undefined;
  return isNamed || reference.kind !== 'registry' ? reference : { ...reference, tag: DEFAULT_TAG };
}

/**
 * The tag or digest to read: the digest if the reference has both. If it has neither, `latest`; for
 * a local image an empty string, which stands for `latest` or else the only image.
 */
export function tagOrDigestOf({
  kind,
  tag,
  digest,
}: Pick<Reference, 'kind' | 'tag' | 'digest'>): string {
  return digest ?? tag ?? (kind === 'registry' ? DEFAULT_TAG : '');
}

/** The reference without tag and digest. */
export function formatName(reference: Reference): string {
  return reference.kind === 'registry'
    ? `${reference.host}/${reference.repository}`
    : `${localPrefix(reference)}${reference.path}`;
}

/** The same repository or layout with another tag or digest, which the caller has checked. */
export function withSuffix(reference: Reference, tagOrDigest: string): Reference {
  const { tag: _tag, digest: _digest, ...name } = reference;
  return isDigest(tagOrDigest) ? { ...name, digest: tagOrDigest } : { ...name, tag: tagOrDigest };
}

/** `repository@digest`, one word that every tool accepts. */
export function formatPinned(reference: Reference, digest: string): string {
  return formatReference(withSuffix(reference, digest));
}

/** Identifies a repository, or a layout or an archive by its absolute path. */
export function repositoryKey(reference: Reference): string {
  return formatName(
    reference.kind === 'registry' ? reference : { ...reference, path: resolve(reference.path) },
  );
}

/** Whether two references are in the same repository, layout directory or archive. */
export function sameRepository(a: Reference, b: Reference): boolean {
  return repositoryKey(a) === repositoryKey(b);
}
