/** Environment variables that the program reads, and their use. */
export const ENVIRONMENT: readonly (readonly [name: string, use: string])[] = [
  ['DOCKER_CONFIG', "the directory of docker's `config.json`, in place of `~/.docker`"],
  ['DOCKER_AUTH_CONFIG', "the text of a whole `config.json`, as GitLab's pipelines have it"],
  ['REGISTRY_AUTH_FILE', 'a file of credentials as podman writes it, and no other'],
  ['XDG_RUNTIME_DIR', 'where `containers/auth.json` of podman is'],
  ['XDG_CONFIG_HOME', 'where `containers/auth.json` of podman is, in place of `~/.config`'],
  ['HOME', 'the home directory'],
  ['PATH', 'where credential helpers (`docker-credential-NAME`) are'],
  ['PROGRAMDATA', 'on Windows, where `docker/certs.d` is'],
  ['HTTPS_PROXY, HTTP_PROXY', 'the proxy for https and for http, also in small letters'],
  ['NO_PROXY', 'hosts that are reached without a proxy, separated by commas'],
  [
    'REQUEST_METHOD',
    'where it is set, as by a web server, `HTTP_PROXY` is refused: a request can set it',
  ],
  ['SSL_CERT_FILE, NODE_EXTRA_CA_CERTS', 'files of authorities to trust as well'],
  ['NO_COLOR', 'where it is set, and not empty, no colours are shown'],
  ['TERM', '`dumb` is a terminal without a live line and colours'],
  ['CI', 'where it is set, a terminal is a log, and has no live line'],
];

/** Files that the program reads, and their use. */
export const FILES: readonly (readonly [name: string, use: string])[] = [
  ['~/.docker/config.json', 'credentials and credential helpers of docker'],
  ['~/.config/containers/auth.json', 'credentials of podman'],
  ['~/.dockercfg', 'credentials of old clients of docker'],
  [
    '~/.config/containers/certs.d/HOST, /etc/containers/certs.d/HOST, /etc/docker/certs.d/HOST, ~/.config/docker/certs.d/HOST',
    '`*.crt` to trust, and `*.cert` with `*.key` to show to that host; the first directory there is',
  ],
];
