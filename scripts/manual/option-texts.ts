import type { OptionName } from '../../src/cli/args/options.js';

/** The manual's text about an option, after its line in the help. */
export const OPTION_TEXTS: Partial<Record<OptionName, string>> = {
  username:
    'Without a target, the credentials are for the registry of the reference or of the first source. They take precedence over the credential files; other registries use the files.',
  password: 'Prefer `--password-stdin`.',
  'docker-cfg':
    'The default is `$DOCKER_CONFIG`, if it is set, or `~/.docker`. A leading `~` is expanded.',
  authfile: 'The format is that of podman and docker. A leading `~` is expanded.',
  'plain-http':
    'Loopback hosts need no option: they are asked over TLS first, and over plain HTTP if they do not speak TLS.',
  'ca-file':
    'They are added to the default authorities, as are those in `SSL_CERT_FILE` and `NODE_EXTRA_CA_CERTS`.',
  'cert-dir': 'The default is the `certs.d` directory of docker or podman for each host.',
  timeout: 'Connecting takes at most ten seconds.',
  progress:
    '`auto` draws a live line on a terminal; elsewhere it prints a line every ten seconds while a command runs. `plain` prints a line for each step, `json` one JSON event per line, `none` only results and problems.',
  color:
    '`auto` uses colors on a terminal. `FORCE_COLOR`, `CLICOLOR_FORCE` and `NO_COLOR` are respected.',
  debug: 'Secrets are never shown.',
  format:
    '`json` has everything that is known; `table` has one line per platform; `docker` and `docker-verbose` are the output of `docker manifest inspect` and its `-v`; `raw` is the exact content of the registry. The default is the output of manifest-tool v2.',
  type: '`docker` is a Docker manifest list, `oci` an OCI image index. `auto` publishes a Docker manifest list if all images are Docker images, and an OCI image index otherwise.',
  template:
    '`OS`, `ARCH` and `VARIANT` are replaced by those of each platform, wherever they occur.',
  platforms: 'A platform can have an OS version: `windows/amd64:10.0.17763.1`.',
  annotation:
    'Levels before the key select what is annotated: `index:` (the default), `manifest-descriptor[PLATFORM]:` for one entry, `manifest-descriptor:` for all images, or several separated by commas. Only `push` and `create` accept levels.',
  annotations: 'The key ends at the first `=`.',
  tag: 'The value is a tag in the repository of the target, or a full reference in any repository, registry or layout. If one target fails, the failure is reported and the others are still published.',
  strict:
    'Warnings are: a platform that differs from the image config, images of mixed types, a type that does not fit the images, one image for several platforms, a missing variant, an unknown platform that belongs to no image.',
  wait: 'The time is for everything together: sources, the content that they refer to, and content that the registry reports as missing when the index is written. Other failures are reported at once.',
  verify:
    'Without a value and with `deep`, the target is verified after the publish; `deep` reads and hashes every blob. `executables` reads the layers of the images that are added, or whose platform changes, before a tag moves, also with `--dry-run`, and refuses an image that starts a program for another architecture. Separate several checks by commas. If there is a defect, the exit code is 6.',
  'no-clobber':
    'If a tag exists and points to anything else, the exit code is 6. Registries have no atomic compare-and-set: another publisher can still write between the check and the write.',
  expect:
    'Otherwise the exit code is 6. The digest is checked immediately before the tag is written.',
  'dry-run':
    'It also checks that the credentials allow a push: if not, the exit code is 4, and the changes are still shown.',
  json: 'The JSON replaces the text output.',
  'ignore-missing': 'Other failures to read an image are errors.',
  dotenv:
    'The variables are `digest`, `image` (`repository@digest`) and one per platform, such as `digest_linux_arm64_v8`: the format of GitLab dotenv reports and of `$GITHUB_OUTPUT`.',
  subjects:
    'Each line has the SHA-256 of the index or of an image and the repository, as attestation and SLSA tools read them.',
  digests:
    'Each file name is a digest of 64 hexadecimal digits, with or without `sha256-` or `sha256:`, in the repository of the target.',
  file: '`-` is standard input. The file has one reference per line, or JSON descriptors, whose platforms and annotations take precedence. Lines that begin with `#` are comments.',
  referrers: "cosign's tags (`sha256-HEX.sig`, `.att`, `.sbom`) are included.",
};
