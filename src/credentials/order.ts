import { homedir } from 'node:os';
import path from 'node:path';
import type { CredentialLookup } from '../http/auth/credential.js';
import type { AskHelper } from './helper.js';
import type { CredentialOptions } from './options.js';
import {
  dockerSource,
  flatSource,
  namedAuthFile,
  namedDockerConfig,
  podmanSource,
  textSource,
} from './sources.js';

/**
 * The sources that are asked, in this order; the first that has something for the host is taken.
 *
 * | what is given                  | the sources                                            |
 * | ------------------------------ | ------------------------------------------------------ |
 * | --authfile                     | that file alone; it must exist                         |
 * | --docker-cfg                   | DOCKER_AUTH_CONFIG, then that file                     |
 * | REGISTRY_AUTH_FILE             | that file alone; it must exist                         |
 * | none of these                  | 1 to 5                                                 |
 * | 1. DOCKER_AUTH_CONFIG          | the text of a config.json                              |
 * | 2. $DOCKER_CONFIG or ~/.docker | config.json; without any setting, the platform's store |
 * | 3. $XDG_RUNTIME_DIR/containers | auth.json, on Linux; else in /run/containers/$UID      |
 * | 4. $XDG_CONFIG_HOME/containers | auth.json; else in ~/.config/containers                |
 * | 5. ~                           | the .dockercfg of docker before 1.7                    |
 *
 * REGISTRY_AUTH_FILE must exist because another file in its place would be another identity.
 */
export function sourcesOf(
  options: CredentialOptions,
  ask: AskHelper,
  warn: (text: string) => void,
): CredentialLookup[] {
  const { env, authFile, dockerCfg } = options;
  const home = homeOf(options);
  if (isGiven(authFile)) {
    if (isGiven(dockerCfg)) warn('--docker-cfg is not used: with --authfile, only that file is');
    return [namedAuthFile(expandHome(authFile, home), '--authfile', ask, warn)];
  }
  const text = env['DOCKER_AUTH_CONFIG'];
  const fromText = isGiven(text) ? [textSource('DOCKER_AUTH_CONFIG', text, ask, warn)] : [];
  if (isGiven(dockerCfg))
    return [...fromText, namedDockerConfig(expandHome(dockerCfg, home), ask, warn)];
  const named = env['REGISTRY_AUTH_FILE'];
  if (isGiven(named)) return [namedAuthFile(named, 'REGISTRY_AUTH_FILE', ask, warn)];
  const dockerDirectory = given(env['DOCKER_CONFIG']) ?? path.join(home, '.docker');
  return [
    ...fromText,
    dockerSource(path.join(dockerDirectory, 'config.json'), env, ask, warn),
    ...podmanFiles(env, home).map((file) => podmanSource(file, ask, warn)),
    flatSource(path.join(home, '.dockercfg'), ask),
  ];
}

/**
 * Where podman keeps its auth.json; a Set, so that no file is read twice where both directories
 * are the same.
 */
function podmanFiles(env: CredentialOptions['env'], home: string): string[] {
  const directories = new Set<string>();
  if (process.platform === 'linux') directories.add(runtimeDirectory(env));
  directories.add(
    path.join(given(env['XDG_CONFIG_HOME']) ?? path.join(home, '.config'), 'containers'),
  );
  return [...directories].map((directory) => path.join(directory, 'auth.json'));
}

function runtimeDirectory(env: CredentialOptions['env']): string {
  const runtime = given(env['XDG_RUNTIME_DIR']);
  if (runtime !== undefined) return path.join(runtime, 'containers');
  return path.join('/run/containers', String(process.getuid?.() ?? 0));
}

function homeOf(options: CredentialOptions): string {
  const variable = process.platform === 'win32' ? 'USERPROFILE' : 'HOME';
  return given(options.homeDir) ?? given(options.env[variable]) ?? homedir();
}

/** `~` alone or before a separator: a shell leaves it alone behind `--option=`. */
function expandHome(file: string, home: string): string {
  return /^~(?=$|[/\\])/.test(file) ? path.join(home, file.slice(1)) : file;
}

function given(text: string | undefined): string | undefined {
  return isGiven(text) ? text : undefined;
}

function isGiven(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}
