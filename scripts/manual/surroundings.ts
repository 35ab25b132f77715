/** Environment variables that the program reads, and their use. */
export const ENVIRONMENT: readonly (readonly [name: string, use: string])[] = [
  ['DOCKER_CONFIG', 'directory of the Docker `config.json`; the default is `~/.docker`'],
  ['DOCKER_AUTH_CONFIG', 'content of a Docker `config.json`, as GitLab pipelines set it'],
  ['REGISTRY_AUTH_FILE', 'the only credentials file to use, as for podman'],
  ['XDG_RUNTIME_DIR', "directory of podman's `containers/auth.json`"],
  ['XDG_CONFIG_HOME', "directory of podman's `containers/auth.json`; the default is `~/.config`"],
  ['HOME', 'the home directory'],
  ['PATH', 'directories of credential helpers (`docker-credential-NAME`)'],
  ['PROGRAMDATA', 'on Windows, the parent directory of `docker/certs.d`'],
  ['HTTPS_PROXY, HTTP_PROXY', 'proxies for HTTPS and HTTP; lower-case names work as well'],
  ['NO_PROXY', 'hosts to connect to without a proxy, separated by commas'],
  [
    'REQUEST_METHOD',
    'if it is set, as by a CGI server, `HTTP_PROXY` is refused: a request header could set it',
  ],
  ['SSL_CERT_FILE, NODE_EXTRA_CA_CERTS', 'files of additional certificate authorities'],
  [
    'FORCE_COLOR, CLICOLOR_FORCE',
    'if one is set, and not to `0`, output is colored everywhere; it takes precedence over `NO_COLOR`',
  ],
  ['NO_COLOR', 'if it is not empty, output is not colored'],
  ['TERM', 'a `dumb` terminal gets neither a live line nor colors'],
  ['CI', 'if it is set, no live line is drawn'],
];

/** Files that the program reads, and their use. */
export const FILES: readonly (readonly [name: string, use: string])[] = [
  ['~/.docker/config.json', 'credentials and credential helpers of docker'],
  ['~/.config/containers/auth.json', 'credentials of podman'],
  ['~/.dockercfg', 'credentials of old docker clients'],
  [
    '~/.config/containers/certs.d/HOST, /etc/containers/certs.d/HOST, /etc/docker/certs.d/HOST, ~/.config/docker/certs.d/HOST',
    '`*.crt` files to trust, and `*.cert` with `*.key` to authenticate to that host; the first directory that exists is used',
  ],
];
