import type { OptionName } from '../../src/cli/args/options.js';

/** The manual's text about an option, beside its line in the help. */
export const OPTION_TEXTS: Partial<Record<OptionName, string>> = {
  username:
    'Without a target, that of the reference or of the first source. It takes precedence over the files there; other registries use the files.',
  password: 'Prefer standard input.',
  'docker-cfg': '`~` is expanded.',
  authfile: '`~` is expanded.',
  'plain-http':
    'A loopback host is spoken to in plain HTTP without it, and in TLS where it speaks that.',
  'ca-file': '`SSL_CERT_FILE` and `NODE_EXTRA_CA_CERTS` are read as well.',
  'cert-dir': 'Without it, those of docker and podman are read.',
  timeout: 'Connecting takes ten seconds at most.',
  debug: 'No secret is shown.',
  annotations: 'The first `=` ends the key.',
  tag: 'A failure at one target is reported for it and leaves the others whole.',
  strict:
    'Warnings are: another platform than the image was built for, mixed kinds, a kind that does not fit the images, one image for several platforms, a missing variant, an unknown platform that belongs to nothing.',
  wait: 'It is the time for all of it: sources, what they name, and what the registry misses when the list is written. What is refused or damaged is not waited for.',
  verify:
    'Without a value and with `deep`, the target is verified after the publish. With `executables`, the layers of the images that are added or whose platform changes are read before a tag moves, also in a dry run, and an image that starts a program of another architecture is refused. Several checks are separated by commas: `--verify=deep,executables`. Any defect is exit code 6.',
  'no-clobber':
    'One that exists is exit code 6; one that names the list already is done. Registries cannot compare and set: between this look and the write another publisher can still come.',
  expect: 'Any other digest is exit code 6. The look is right before the write.',
  json: 'It is a document for programs, in place of the text.',
  'ignore-missing': 'What fails in any other way is an error.',
};
