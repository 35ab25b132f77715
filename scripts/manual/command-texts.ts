import type { CommandName } from '../../src/cli/args/commands.js';

/** The manual's text about a command, beside its definition; words in backquotes are typed. */
export interface CommandText {
  /** Paragraphs. */
  readonly description: readonly string[];
  /** Meanings of exit codes that are more precise than those in the table of all. */
  readonly exit?: Readonly<Record<number, string>>;
  readonly seeAlso: readonly CommandName[];
  /** A page of docs/reference with details. */
  readonly more?: string;
}

const PUBLISHES =
  'The last line of standard output is `Digest: DIGEST SIZE`. Tags are written last, when everything that the index refers to is in place: a command that fails moves no tag.';

const ANNOTATES =
  '`--annotation KEY=VALUE` sets an annotation, `--annotation KEY-` removes one. Levels before the key select what is annotated: `index:` (the default), `manifest-descriptor[linux/arm64]:` for the entry of a platform, `manifest-descriptor:` for every image, or several, as in `index,manifest-descriptor:KEY=VALUE`. Only OCI indexes have annotations.';

const UNTAGS =
  '`--untag-sources` deletes the tags of the sources after success, as `untag` does: those that are named by tag, in the registry of a target, and that still point to what was read. The tags that were published stay. A tag that the registry does not delete is a warning; with `--strict` the exit code is 6. A dry run shows which tags would be deleted.';

const CONCURRENT =
  'Concurrent edits of an index are not lost, unless one of them stalls between its last read and its write. `push`, `create` and other tools do not check, and overwrite what the tag points to.';

export const COMMAND_TEXTS: Readonly<Record<CommandName, CommandText>> = {
  inspect: {
    description: [
      'Shows the digest, platform and layers of an image, or of each image of an index, in the format of manifest-tool v2. The default tag is `latest`.',
      '`--format json` shows everything that is known: digests, platforms, sizes, configs, annotations, and attestations with their subjects. `--format table` has one line per platform, with size and digest, cut to the width of the terminal. `--format docker` and `--format docker-verbose` print exactly what `docker manifest inspect` and its `-v` print. `--format raw` prints the bytes that the registry sent.',
      '`--platform` selects the entry of an index in all formats (the first, with a note, if there are several), and `--config` shows the config of the image. On a terminal, control characters in JSON from a registry are escaped; in a pipe the bytes are unchanged.',
    ],
    exit: { 3: 'the image does not exist, or the index has no entry for the platform' },
    seeAlso: ['query', 'verify', 'spec from'],
    more: 'json.md',
  },
  query: {
    description: [
      'Shows whether a reference is an index, and the platforms of its images, in the format of mquery, for any registry, layout or archive. An index takes one request. `--json` adds the digest, size and media type of every entry.',
    ],
    seeAlso: ['inspect', 'digest', 'verify'],
  },
  digest: {
    description: [
      'Prints the digest that a reference points to, or with `--platform` that of the entry for a platform. `--all` prints platform and digest of every entry, one per line; the platform is `attestation` for an attestation and `none` for an entry without a platform. Entries of a nested index follow it.',
      '`--full` prints `repository@sha256:...`, ready to paste into a Dockerfile, a manifest or another command.',
      'An index takes one request. Its bytes are verified against the digest.',
    ],
    exit: { 3: 'the image does not exist, or the index has no entry for the platform' },
    seeAlso: ['query', 'inspect', 'tags'],
  },
  verify: {
    description: [
      'Verifies that an image or index is complete: every manifest and config is read, every blob is looked up (with `--deep` read and hashed), and sizes, media types, platforms and the subjects of attestations are compared. Entries that no client would ever select are defects as well.',
      "It prints one line per entry, and names each defect. Options add requirements: exactly the platforms of `--platforms`, at least those of `--at-least`, the platforms and digests of another reference (`--same-as`), the same value of a label in all platforms (`--same-label`), and attestations of each image (`--require-attestations`): `sbom` is SPDX or CycloneDX, `provenance` is SLSA, stored in the index as BuildKit does, as a referrer of the image, or under cosign's tag; an SBOM may also be attached as a plain document; if no image has one of a kind, a referrer of the index counts. Signatures of attestations are not verified.",
      'With `--executables`, the layers are read, and the header of every ELF, PE and Mach-O file is compared with the platform of its image. A program that a container starts and that is for another architecture is a defect: the entrypoint or command, found through `PATH` and links, the interpreter of a script, the programs that a script or the command of a shell executes, and the command that an entrypoint such as a script or tini runs. If a script asks for the architecture of its machine, it is enough that one of the programs that it starts fits. Other programs are counted, and the first ten are named. 386 on amd64, arm on arm64, and arm v7 code (by its build attributes) in an image for arm v5 or v6 are only noted. Object files, static libraries, Java classes, .NET assemblies, eBPF programs and entries for `unknown/unknown` are left out. Layers that cannot be read (foreign, encrypted, of an unknown type) are named.',
    ],
    exit: { 6: 'there are defects, or a requirement is not met' },
    seeAlso: ['inspect', 'check-registry'],
  },
  'push from-args': {
    description: [
      'Publishes an index of the images that a template names, one for each platform. `OS`, `ARCH` and `VARIANT` are replaced wherever they occur in the template. A template without them names one image for all platforms, or an index from which each platform takes its own entry, with its attestations.',
      'Images can be in other repositories, registries and layouts: what the target lacks is mounted or copied. `--ignore-missing` skips images that do not exist; other failures are errors.',
      ANNOTATES,
      PUBLISHES,
      UNTAGS,
    ],
    seeAlso: ['push from-spec', 'create', 'verify'],
  },
  'push from-spec': {
    description: [
      'Publishes the indexes that YAML files describe; `-` is standard input. A document has the keys `image` (the target), `type` (`docker`, `oci` or `auto`), `artifactType`, `tags`, `annotations`, `attestations` (`keep` or `drop`) and `manifests`. Each entry of `manifests` has an `image`, and optionally a `platform` (`os`, `architecture`, `variant`, `osversion`, `osfeatures`) and `annotations`. `--type` and `--attestations` take precedence over the spec. The package has examples in `specs/`, and the JSON Schema `specs/spec.schema.json` for editors.',
      'Platform fields that the spec leaves out are read from the image config. If the image is an index, the entry for the platform is added, with its attestations; without a platform, all entries are.',
      'All files, and all documents in a file, are read before the first index is published. If one fails, the failure is reported and the others are still published. Each index has a line `Digest: DIGEST SIZE TARGET`.',
      'With `--env`, `${VAR}` and `${VAR:-default}` are replaced from the environment, and `$$` is a dollar sign.',
      ANNOTATES,
    ],
    seeAlso: ['spec check', 'spec from', 'push from-args'],
  },
  create: {
    description: [
      'Publishes an index of the given images. Platforms are read from the images. Without `--type`, the index is a Docker manifest list if all images are Docker images, and an OCI image index otherwise. A source that is an index contributes its entries, and those of nested indexes, up to four levels deep.',
      'If the only source is an index and no option changes it, it is published byte for byte and keeps its digest. If a new index is built, a warning names the annotations, artifact type and subject that are lost.',
      'With `--platform`, a source that is an index contributes only the entries for these platforms, with their attestations; if no source has one of them, it is an error.',
      'Without `--target`, the first `--tag` is the target and must be a full reference.',
      ANNOTATES,
      PUBLISHES,
      UNTAGS,
    ],
    seeAlso: ['push from-args', 'add', 'copy'],
  },
  add: {
    description: [
      'Adds images to a published index. An image replaces the one for the same platform, with everything that belongs to it; a source that is an index contributes its entries. If the tag points to a single image, it becomes an index of that image and the added ones. Everything else is kept byte for byte. An entry belongs to another one if an annotation has its digest: attestations, SOCI indexes and others. With `--platform`, a source that is an index contributes only the entries for these platforms; if no source has one of them, it is an error.',
      CONCURRENT,
      UNTAGS,
    ],
    seeAlso: ['remove', 'annotate', 'create'],
    more: 'edits.md',
  },
  remove: {
    description: [
      'Removes entries from a published index, by platform or digest, with everything that belongs to them: attestations, SOCI indexes and other entries that have their digest in an annotation. Everything else is kept byte for byte. The images are not deleted from the registry.',
      '`--platform` selects every entry for that platform. If there are several, a note lists their digests.',
      CONCURRENT,
    ],
    exit: { 3: 'the index does not exist, or has no such entry' },
    seeAlso: ['add', 'annotate'],
    more: 'edits.md',
  },
  annotate: {
    description: [
      'Changes the platform or the annotations of an entry of a published index, or, without `--platform` and `--digest`, the annotations of the index. Everything else is kept byte for byte. Only OCI indexes have annotations.',
      '`--platform` selects every entry for that platform. To change platform fields, exactly one entry must be selected: `--digest` selects one of several.',
      CONCURRENT,
    ],
    exit: { 3: 'the index does not exist, or has no such entry' },
    seeAlso: ['add', 'remove', 'inspect'],
    more: 'edits.md',
  },
  copy: {
    description: [
      'Copies an image or index, with its images, attestations and nested indexes, to one or more tags, repositories, registries or layouts, without changing its digest. Content is read once for all targets.',
      'SOURCE may name several tags of one repository (`app:1.0,1,latest`), or all of them with `--all-tags`; `--match` selects those that match a pattern, as `tags` does. Each TARGET is then a repository without a tag: every tag keeps its name. Tags that point to the same manifest at the target are skipped; tags that point to one manifest share its copy. A failure at one tag does not stop the others. Standard output has a line for each tag: digest, reference and outcome.',
      '`--platform` and `--attestations drop` copy a part of an index: what belongs to an image is copied with it, and the digest changes.',
      '`--referrers` also copies the referrers of the image, of the index and of its entries (signatures, SBOMs), their referrers, and the tags of cosign (`sha256-HEX.sig`, `.att`, `.sbom`). Tags are written when all of it is in place. In a registry without the referrers API, referrers are listed in the index under the referrers tag (`sha256-HEX`).',
    ],
    exit: {
      1: 'copies of several tags failed for different reasons; if they share a reason, the exit code is the one for it',
      3: 'the source is not found, or no tag matches',
    },
    seeAlso: ['create', 'verify', 'tags', 'untag'],
  },
  diff: {
    description: [
      'Compares two images or indexes in registries, layouts or archives. Entries are paired by platform, attestations by the platform that they attest. `+` is only in the second, `-` only in the first, `~` differs: digests, sizes (manifest, config and layers), annotations. A single image is compared like an index of it.',
      '`--config` also compares the configs of images: variables, labels, entrypoint, user and every other member but history and layers.',
      'If both have the same digest, each takes one request.',
    ],
    exit: { 0: 'both have the same digest', 3: 'one of them does not exist', 6: 'they differ' },
    seeAlso: ['verify', 'inspect', 'digest'],
  },
  tags: {
    description: [
      'Prints the tags of a repository, one per line, in lexical order. For a layout or an archive it prints the names of the images; if an image has several names, the shortest that is unique.',
      '`--match` prints only tags that match a pattern: `*` is any string, `?` any character, `[0-9]` a character of a range, `{a,b}` either string, and a leading `!` inverts the pattern. Quote the pattern, so that the shell does not expand it. If no tag matches, nothing is printed.',
    ],
    exit: { 3: 'the repository, layout or archive does not exist' },
    seeAlso: ['digest', 'query', 'copy', 'untag'],
  },
  untag: {
    description: [
      'Deletes tags. The manifests that they point to remain, and so do their other tags. In a layout or an archive, the name of the image is removed from `index.json`; the image stays.',
      'Registries differ in what the deletion of a tag does: some refuse it, some delete the manifest or all of its tags. Before the first deletion in a repository, `untag` finds that out with a small image of its own under two tags, which it deletes again. If the registry deletes more than a tag, or nothing, the command ends with exit code 6 and everything is as it was. Docker Hub has no deletion of tags in its registry API.',
      'Registries have no deletion on a condition: a tag that another publisher moves right after it is read is deleted all the same.',
    ],
    exit: {
      3: 'a tag does not exist',
      6: 'the registry does not delete a tag, or deletes more than the tag',
    },
    seeAlso: ['tags', 'copy', 'check-registry'],
  },
  'spec check': {
    description: [
      'Reads specs as `push from-spec` does, without a registry, and reports what it would refuse before it contacts one: annotations of a Docker manifest list, a platform or an image twice in an index, one tag for two indexes. Errors of all files are reported, with line, column and the text there. Each valid index has a line.',
    ],
    exit: { 2: 'a spec is invalid, or has a warning and `--strict` is given' },
    seeAlso: ['push from-spec', 'spec from'],
  },
  'spec from': {
    description: [
      'Prints the spec of a published index, with images by their digests. Publishing the spec usually results in the same digest; a comment says whether it does. If not, a warning and the comment say why: a spec cannot express entries that are not images, a subject, attestations and annotations in a Docker manifest list, or the JSON formatting of another tool. `copy` keeps all of them.',
    ],
    seeAlso: ['push from-spec', 'spec check', 'copy'],
  },
  'check-registry': {
    description: [
      'Tests which features a registry supports, with small images that it pushes and reads back: types of images and indexes, mixed and nested indexes, annotations, attestations, mounts, push by digest, several tags in one request, moving tags, referrers, deletion, and with `--limits` the largest manifest. It prints one line per check: `yes`, `no` or `not tried`, with the message of the registry.',
      'It works in two temporary repositories beside the given one, or with `--tags-only` in that one, with temporary tags. Everything that it pushes is deleted afterwards, also after a failure or an interrupt; what the registry does not delete is named.',
    ],
    exit: {
      0: 'the registry accepts a Docker manifest list or an OCI index',
      6: 'the registry accepts neither a Docker manifest list nor an OCI index',
    },
    seeAlso: ['verify', 'push from-args'],
    more: 'check-registry.md',
  },
  completion: {
    description: [
      'Prints a script that completes commands, options and their values, files, directories (also after `oci-layout://`) and platforms (also after a comma). The script is self-contained, so that TAB does not start the program: print it again after an update.',
    ],
    seeAlso: [],
  },
  help: {
    description: [
      'Prints the help of a command, of a group such as `push`, or of the program, as `--help` does. `--all` adds the options that every command has.',
    ],
    seeAlso: [],
  },
  version: {
    description: ['Prints the version and the commit of the build, as `--version` does.'],
    seeAlso: [],
  },
};
