import { stat } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ManifestToolError } from '../errors.js';
import type { Credential } from '../http/auth/credential.js';
import {
  hasCredentials,
  parseConfig,
  readConfig,
  type ConfigFormat,
  type DockerConfig,
} from './docker-config.js';
import { configError } from './errors.js';
import { detectHelper } from './helper.js';

/** Where credentials may come from. Empty strings count as not given, as in docker and podman. */
export interface CredentialOptions {
  /** The credential for one registry (`host[:port]`), which no place is searched for then. */
  readonly given?: { readonly host: string; readonly credential: Credential } | undefined;
  /** A docker config.json, or the directory of one; a leading `~` is the home directory. */
  readonly dockerConfig?: string | undefined;
  /** An auth.json as podman writes it; a leading `~` is the home directory. */
  readonly authFile?: string | undefined;
  /** The environment that is read, and that credential helpers run with. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The default is the home directory of `env`, or else of the user. */
  readonly homeDir?: string | undefined;
  /** How long a credential helper may take, in milliseconds (default 30,000). */
  readonly helperTimeoutMs?: number | undefined;
  /** Ends credential helpers, and reads of files, that have not finished. */
  readonly signal?: AbortSignal | undefined;
  /** Called once for each thing that was ignored. */
  readonly onWarning?: ((text: string) => void) | undefined;
}

/** The config of one place, and warnings to give if a credential is looked for in it. */
export interface LoadedConfig {
  readonly config?: DockerConfig | undefined;
  readonly warnings?: readonly string[];
}

/**
 * One place that may have credentials. It is read once, at the first call.
 * @throws {ManifestToolError} CONFIG if what is there is broken.
 */
export type Source = () => Promise<LoadedConfig>;

/**
 * The places to look in, in this order.
 *
 * | given                          | places                                                 |
 * | ------------------------------ | ------------------------------------------------------ |
 * | an auth file                   | that file alone; it must exist                         |
 * | a docker config                | DOCKER_AUTH_CONFIG, then that file                     |
 * | REGISTRY_AUTH_FILE             | that file alone; it must exist                         |
 * | none of these                  | 1 to 5                                                 |
 * | 1. DOCKER_AUTH_CONFIG          | the text of a config.json                              |
 * | 2. $DOCKER_CONFIG or ~/.docker | config.json; without settings, the platform's helper   |
 * | 3. $XDG_RUNTIME_DIR/containers | auth.json, on Linux; else in /run/containers/$UID      |
 * | 4. $XDG_CONFIG_HOME/containers | auth.json; else in ~/.config/containers                |
 * | 5. ~                           | the .dockercfg of docker before 1.7                    |
 *
 * REGISTRY_AUTH_FILE must exist because another file in its place would be another identity.
 */
export function sourcesOf(options: CredentialOptions): Source[] {
  const { env, signal } = options;
  const [authFile, dockerConfig] = [given(options.authFile), given(options.dockerConfig)];
  const home = homeOf(options);
  if (authFile !== undefined)
    return [once(() => namedAuthFile(expandHome(authFile, home), options))];
  const text = given(env['DOCKER_AUTH_CONFIG']);
  const variable = text === undefined ? [] : [once(() => textConfig('DOCKER_AUTH_CONFIG', text))];
  if (dockerConfig !== undefined)
    return [...variable, once(() => namedDockerConfig(expandHome(dockerConfig, home), signal))];
  const named = given(env['REGISTRY_AUTH_FILE']);
  if (named !== undefined) return [once(() => registryAuthFile(named, signal))];
  return [
    ...variable,
    once(() => defaultDockerConfig(placeOf(options, 'DOCKER_CONFIG', '.docker'), options)),
    ...podmanPlaces(options).map((place) => once(() => podmanConfig(place, signal))),
    once(async () => ({
      config: await readPlace({ file: path.join(home, '.dockercfg'), home }, signal, 'flat'),
    })),
  ];
}

/** A file that need not exist. */
interface Place {
  readonly file: string;
  /** The variable that names its directory. */
  readonly variable?: string;
  /** The home directory that it is in, if no variable names another one. */
  readonly home?: string;
}

/** The file of a directory that a variable names, or of a default below the home directory. */
function placeOf(
  options: CredentialOptions,
  variable: string,
  byDefault: string,
  below = 'config.json',
): Place {
  const named = given(options.env[variable]);
  if (named !== undefined) return { file: path.join(named, below), variable };
  const home = homeOf(options);
  return { file: path.join(home, byDefault, below), home };
}

/** A home that is not a directory, such as the /dev/null of system users, has no files. */
async function readPlace(
  { file, variable, home }: Place,
  signal: AbortSignal | undefined,
  format?: ConfigFormat,
): Promise<DockerConfig | undefined> {
  if (home !== undefined && !(await isDirectory(home))) return undefined;
  return readConfig(file, { signal, variable, ...(format !== undefined && { format }) });
}

function once(load: Source): Source {
  let loaded: Promise<LoadedConfig> | undefined;
  return () => (loaded ??= load());
}

/** A whole config.json, as GitLab CI sets it; docker's own strict form is a subset of that. */
function textConfig(name: string, text: string): Promise<LoadedConfig> {
  try {
    return Promise.resolve({ config: parseConfig(name, text) });
  } catch (error) {
    if (!(error instanceof ManifestToolError)) throw error;
    // Docker ignores it as well: the variable may be meant for another program.
    return Promise.resolve({ warnings: [`${name} is ignored: ${error.why}`] });
  }
}

async function namedAuthFile(
  file: string,
  { dockerConfig, signal }: CredentialOptions,
): Promise<LoadedConfig> {
  const config = await readConfig(file, { signal });
  if (config === undefined)
    throw configError(`reading ${file}`, 'the auth file does not exist', {
      hint: 'check the path of the auth file',
      reason: 'auth-file-missing',
    });
  const { warnings = [], ...loaded } = withoutStore(config);
  const ignored = given(dockerConfig);
  if (ignored === undefined) return { ...loaded, warnings };
  const warning = `${ignored} is ignored: credentials come only from ${file}`;
  return { ...loaded, warnings: [warning, ...warnings] };
}

async function registryAuthFile(
  file: string,
  signal: AbortSignal | undefined,
): Promise<LoadedConfig> {
  const config = await readConfig(file, { signal });
  if (config !== undefined) return withoutStore(config);
  throw configError(
    `reading ${file}`,
    'REGISTRY_AUTH_FILE is set to this file, which does not exist',
    {
      hint: 'correct REGISTRY_AUTH_FILE, or unset it to use the default files',
    },
  );
}

async function podmanConfig(place: Place, signal: AbortSignal | undefined): Promise<LoadedConfig> {
  const config = await readPlace(place, signal);
  return config === undefined ? {} : withoutStore(config);
}

/** `credsStore` is not podman's. */
function withoutStore(config: DockerConfig): LoadedConfig {
  if (config.credsStore === undefined) return { config };
  return {
    config: { ...config, credsStore: undefined },
    warnings: [
      `credsStore in ${config.name} is ignored: an auth file has only credHelpers and auths`,
    ],
  };
}

/** A file or a directory that the user has named. As in manifest-tool, it need not exist. */
async function namedDockerConfig(
  named: string,
  signal: AbortSignal | undefined,
): Promise<LoadedConfig> {
  const file = (await isDirectory(named)) ? path.join(named, 'config.json') : named;
  const config = await readConfig(file, { signal });
  if (config !== undefined) return { config };
  return { warnings: [`${file} does not exist, so no credentials are read from it`] };
}

/** If the config has no setting for credentials, docker asks the platform's helper. */
async function defaultDockerConfig(
  place: Place,
  { env, signal }: CredentialOptions,
): Promise<LoadedConfig> {
  const config = await readPlace(place, signal);
  if (config !== undefined && hasCredentials(config)) return { config };
  const credsStore = await detectHelper(env);
  if (credsStore === undefined) return {};
  const detected = { name: place.file, auths: new Map(), credHelpers: new Map(), isDetected: true };
  return { config: { ...detected, credsStore } };
}

/** The places of podman's auth.json; one if both directories are the same. */
function podmanPlaces(options: CredentialOptions): Place[] {
  const below = path.join('containers', 'auth.json');
  const config = placeOf(options, 'XDG_CONFIG_HOME', '.config', below);
  if (process.platform !== 'linux') return [config];
  const directory = given(options.env['XDG_RUNTIME_DIR']);
  const runtime: Place =
    directory === undefined
      ? { file: path.join('/run/containers', String(process.getuid?.() ?? 0), 'auth.json') }
      : { file: path.join(directory, below), variable: 'XDG_RUNTIME_DIR' };
  return runtime.file === config.file ? [runtime] : [runtime, config];
}

function homeOf(options: CredentialOptions): string {
  const variable = process.platform === 'win32' ? 'USERPROFILE' : 'HOME';
  return given(options.homeDir) ?? given(options.env[variable]) ?? homedir();
}

/** Replaces `~` alone or before a separator: a shell does not in `--option=~/file`. */
function expandHome(file: string, home: string): string {
  return /^~(?=$|[/\\])/.test(file) ? path.join(home, file.slice(1)) : file;
}

function isDirectory(file: string): Promise<boolean> {
  return promisify(stat)(file).then(
    (stats) => stats.isDirectory(),
    // Reading the file reports why.
    () => false,
  );
}

function given(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
