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
  'The last line of standard output is `Digest: DIGEST SIZE`. Tags move last, when all that the list names is there: a command that fails leaves them where they were.';

const ANNOTATES =
  '`--annotation` sets one annotation, `KEY=VALUE`, or removes one, `KEY-`. Levels before it say where: `index:` (the default), `manifest-descriptor[linux/arm64]:` for the entry of a platform, `manifest-descriptor:` for every image, or several, as in `index,manifest-descriptor:KEY=VALUE`. Only OCI indexes have annotations.';

export const COMMAND_TEXTS: Readonly<Record<CommandName, CommandText>> = {
  inspect: {
    description: [
      'Shows the digest, platform and layers of an image, or of each image of a list, as manifest-tool prints them. A tag that is not given is `latest`.',
      '`--format json` shows all that is known: digests, platforms, sizes, configurations, annotations, attestations with their subject. `--format table` has a line a platform with size and digest, and fits the terminal, or 80 columns. `--format docker` and `--format docker-verbose` print what `docker manifest inspect` and its `-v` print, to the byte. `--format raw` prints the bytes of the registry.',
      '`--platform` selects the entry of an index in all these forms (the first, with a note, if there are several), and `--config` shows the configuration of the image. Where standard output is a terminal, JSON that came from a registry is shown with escapes for all that would act on it; piped, it stays as it is.',
    ],
    exit: { 3: 'the image is not found, or the list has no entry for the platform' },
    seeAlso: ['query', 'verify', 'spec from'],
    more: 'json.md',
  },
  query: {
    description: [
      'Tells whether a reference is a list, and for which platforms it has images, as mquery prints it: from any registry and any layout, with no service in between. Of a list it is one request. `--json` also has the digest, size and media type of every entry.',
    ],
    seeAlso: ['inspect', 'digest', 'verify'],
  },
  digest: {
    description: [
      'Prints the digest of what a reference points to, or with `--platform` that of the entry for a platform. `--all` prints one line for each entry of the index: platform and digest; the platform is `attestation` for an attestation and `none` for an entry without one. Entries of an index inside the index follow it.',
      '`--full` prints `repository@sha256:...` in one word, to be pasted into a Dockerfile, a manifest or another command.',
      'An index takes one request. Its bytes are read and checked against the digest.',
    ],
    exit: { 3: 'the image is not found, or the index has no entry for the platform' },
    seeAlso: ['query', 'inspect', 'tags'],
  },
  verify: {
    description: [
      'Proves that all that an image or a list promises is there: every manifest and configuration (read), every blob (asked for, or with `--deep` read and hashed), sizes, types, platforms against configurations, attestations with what they are for, and entries that are never taken.',
      "It prints a line for each entry; each defect is named. Requirements are verified as well: exactly the platforms of `--platforms`, at least those of `--at-least`, the platforms and digests of another reference (`--same-as`), one value of a label in all platforms (`--same-label`), and attestations of each image (`--require-attestations`), in the index as BuildKit stores them, as referrers of the image or under cosign's tag: `sbom` is SPDX or CycloneDX, `provenance` is SLSA. Attestations are found, their signatures are not verified.",
    ],
    exit: { 6: 'there are defects, or a requirement is not met' },
    seeAlso: ['inspect', 'check-registry'],
  },
  'push from-args': {
    description: [
      'Makes one list of the images that a template names, one for each platform, and publishes it. `OS`, `ARCH` and `VARIANT` are replaced wherever they stand in the template. A template without any of them names one image for all platforms, or a list of which each platform takes its own entry, with its attestations.',
      'Images may be in other repositories, other registries and layouts: what the target does not hold is mounted, or copied. `--ignore-missing` leaves out images that are not found, and nothing that fails in any other way.',
      ANNOTATES,
      PUBLISHES,
    ],
    seeAlso: ['push from-spec', 'create', 'verify'],
  },
  'push from-spec': {
    description: [
      'Publishes the lists that YAML files describe; `-` is standard input. A document has the keys `image` (the target), `type` (`docker`, `oci` or `auto`), `artifactType`, `tags`, `annotations`, `attestations` (`keep` or `drop`) and `manifests`. Each entry of `manifests` has an `image`, and optionally a `platform` (`os`, `architecture`, `variant`, `osversion`, `osfeatures`) and `annotations`. `--type` and `--attestations` take precedence over the spec. `specs/` in the package has examples, and the JSON Schema `spec.schema.json` for editors.',
      'Parts of a platform that are left out are read from the image config. If the image is an index, the entry for the platform is added, with its attestations; without a platform, all entries are.',
      'Several files and several documents of a file are published together. All are read before the first is published; one that fails is reported for itself and leaves the others whole. Each has its line `Digest: DIGEST SIZE TARGET`.',
      'With `--env`, `${VAR}` and `${VAR:-default}` are replaced from the environment, and `$$` is a dollar sign.',
      ANNOTATES,
    ],
    seeAlso: ['spec check', 'spec from', 'push from-args'],
  },
  create: {
    description: [
      'Makes a list of the images that are named and publishes it. The platforms come from the images, and the kind of the list from theirs: a Docker manifest list where all are of Docker, an OCI index otherwise, unless `--type` says it. A source that is an index gives its entries, and those of indexes inside it, up to four levels deep.',
      'If the only source is an index and no option changes it, it is published byte for byte and keeps its digest. If a new index is built from it, a warning names the annotations, artifact type and subject that are not kept.',
      'With `--platform`, a source that is an index adds only the entry for each of these platforms, with what belongs to it; it is an error if no source has one.',
      'Without `--target`, the first `--tag` is the target and must be a reference in full.',
      ANNOTATES,
      PUBLISHES,
    ],
    seeAlso: ['push from-args', 'add', 'copy'],
  },
  add: {
    description: [
      'Adds images to a published index. An image replaces the one for its platform, with everything that belongs to it; a source that is an index adds its entries. If the tag points to a single image, it then points to an index of that image and the others. Everything else is kept byte for byte. An entry belongs to another one if an annotation has its digest: attestations, SOCI indexes and others. With `--platform`, a source that is an index adds only the entry for each of these platforms, with what belongs to it; it is an error if no source has one.',
      'Edits of one list at the same moment are not lost.',
    ],
    seeAlso: ['remove', 'annotate', 'create'],
    more: 'edits.md',
  },
  remove: {
    description: [
      'Removes entries from a published index, by their platform or digest, with everything that belongs to them: attestations, SOCI indexes and other entries that have their digest in an annotation. Everything else is kept byte for byte. The images themselves are not deleted from the registry.',
      '`--platform` selects every entry for that platform. If there are several, a note lists their digests.',
      'Edits of one list at the same moment are not lost.',
    ],
    exit: { 3: 'the list is not found, or has no such entry' },
    seeAlso: ['add', 'annotate'],
    more: 'edits.md',
  },
  annotate: {
    description: [
      'Changes the platform or the annotations of an entry of a list that is published, or without `--platform` and `--digest` the annotations of the list. All else stays byte for byte as it is. Annotations are for OCI indexes.',
      '`--platform` selects every entry for that platform. To change platform fields, exactly one entry must be selected: `--digest` selects one of several.',
      'Edits of one list at the same moment are not lost.',
    ],
    exit: { 3: 'the list is not found, or has no such entry' },
    seeAlso: ['add', 'remove', 'inspect'],
    more: 'edits.md',
  },
  copy: {
    description: [
      'Promotes an image or a list, with its images, attestations and lists inside, to another tag, repository, registry or layout, or to several of them, without changing a byte: the digest stays. What is read is read once for all targets.',
      'SOURCE may name several tags of one repository (`app:1.0,1,latest`), or all of them with `--all-tags`; `--match` selects those that match a pattern, as `tags` does. Each TARGET is then a repository without a tag, and every tag keeps its name. Tags that point to the same manifest at the target are skipped; tags that point to one manifest share its copy. A failure at one tag does not stop the others. Standard output has a line for each tag: digest, reference and outcome.',
      '`--platform` and `--attestations drop` copy only a part of an index: what belongs to an image stays with it, and the digest changes.',
      '`--referrers` also copies what refers to the image, the index or a part of it (signatures, SBOMs), what refers to that, and the tags of cosign (`sha256-HEX.sig`, `.att`, `.sbom`). The tags move when all of it is written. In a registry without the referrers API, referrers are listed in the index under the referrers tag (`sha256-HEX`).',
    ],
    exit: {
      1: 'copies of several tags failed for different reasons; if they share a reason, the exit code is the one for it',
      3: 'the source is not found, or no tag matches',
    },
    seeAlso: ['create', 'verify', 'tags', 'untag'],
  },
  diff: {
    description: [
      'Compares two images or indexes: in registries, layouts or archives, in any combination. Entries are paired by platform, attestations by the platform that they attest. `+` is only in the second, `-` only in the first, `~` differs: digests, sizes (manifest, config and layers), annotations. A single image is compared like an index of it.',
      '`--config` also shows what changed in the configs of an image: variables, labels, entrypoint, user and every other member but history and layers.',
      'Two with the same digest are equal, and take one request each.',
    ],
    exit: { 0: 'both have the same digest', 3: 'one of them is not found', 6: 'they differ' },
    seeAlso: ['verify', 'inspect', 'digest'],
  },
  tags: {
    description: [
      'Prints the tags of a repository, one per line, in lexical order; all pages of the list are read. For a layout or an archive it prints the names of the images: of several names of an image the shortest that is unique.',
      '`--match` keeps the tags that match a pattern: `*` is any text, `?` any character, `[0-9]` a character of a range, `{a,b}` either text, and a leading `!` inverts the pattern. Quote it, so that the shell does not expand it. If no tag matches, nothing is printed.',
    ],
    exit: { 3: 'there is no such repository, layout or archive' },
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
      'Reads specs as `push from-spec` does, without a registry, and refuses what it would refuse before it asks one: annotations of a Docker manifest list, a platform or an image twice in a list, one tag for two lists. The error of every file is reported, with line, column and the text there. What is right has a line.',
    ],
    exit: { 2: 'a spec is wrong; with `--strict`, or has a warning' },
    seeAlso: ['push from-spec', 'spec from'],
  },
  'spec from': {
    description: [
      'Writes the spec of what is published, with the images by their digests. Published again, it usually gives the same digest, and the comment says whether it does. If not, a warning and the comment say why: a spec cannot express entries that are not images, a subject, attestations and annotations in a Docker manifest list, or the form in which another tool wrote an index. `copy` keeps all of them.',
    ],
    seeAlso: ['push from-spec', 'spec check', 'copy'],
  },
  'check-registry': {
    description: [
      'Proves what a registry supports with small images that it makes, pushes and reads back: the kinds of images and lists, mixed and nested lists, annotations, attestations, mounts, push by digest, several tags in one request, tags that move, referrers, deletion, and with `--limits` how large a manifest may be. It prints a line for each check: `yes`, `no` or `not tried`, with the words of the registry.',
      'It works in two repositories of its own beside the one named, or with `--tags-only` in that one, with tags of its own. All that it pushes is deleted afterwards, after a failure or an interrupt too; what the registry does not delete is named.',
    ],
    exit: {
      0: 'a Docker list or an OCI index can be published',
      6: 'neither a Docker list nor an OCI index can be published',
    },
    seeAlso: ['verify', 'push from-args'],
    more: 'check-registry.md',
  },
  completion: {
    description: [
      'Prints a script with which the shell completes commands, the options of the command at hand, their values, files, directories (also behind `oci-layout://`) and platforms, one after the other behind commas. All of it stands in the script, so that TAB does not start the program: print it again after an update.',
    ],
    seeAlso: [],
  },
};
