import type { Credential } from '../http/auth/credential.js';
import { credentialOf } from './auth-entry.js';
import type { DockerConfig } from './docker-config.js';
import { oneLine, quoted } from './errors.js';
import type { AskHelper, HelperSetting } from './helper.js';
import { hostNames, hostOfKey, namespaceKeys } from './keys.js';

/**
 * What one config has for a host: `credHelpers`, else `credsStore`, else `auths`. Where a helper
 * is in force, an entry of `auths` is not used: it is a leftover that `docker login` would not
 * write. (docker/cli, configfile/file.go and native_store.go)
 * @throws {ManifestToolError} CONFIG where the helper fails, or the entry of this host is
 * malformed.
 */
export async function findInConfig(
  config: DockerConfig,
  host: string,
  repository: string,
  ask: AskHelper,
): Promise<Credential | undefined> {
  const helper = helperOf(config, host);
  if (helper !== undefined) return ask(helper, host);
  return findInAuths(config, host, repository);
}

/**
 * The helper in force for a host. As in docker, an empty name in `credHelpers` takes a host out of
 * `credsStore`.
 */
function helperOf(config: DockerConfig, host: string): HelperSetting | undefined {
  const key = hostNames(host).find((name) => config.credHelpers.has(name));
  const suffix = key === undefined ? config.credsStore : config.credHelpers.get(key);
  if (suffix === undefined || suffix === '') return undefined;
  if (config.isDetected === true) return { suffix, setting: 'found on PATH', isDetected: true };
  const member = key === undefined ? 'credsStore' : `credHelpers[${quoted(key)}]`;
  return { suffix, setting: oneLine(`${member} in ${config.name}`) };
}

function findInAuths(
  config: DockerConfig,
  host: string,
  repository: string,
): Credential | undefined {
  for (const key of authKeys(config, host, repository)) {
    const entry = { name: config.name, key, value: config.auths.get(key) };
    const credential = credentialOf(entry, sourceOf(config, key));
    if (credential !== undefined) return credential;
  }
  return undefined;
}

/** The keys of `auths` that are for this repository, the nearest first. */
function authKeys(config: DockerConfig, host: string, repository: string): Set<string> {
  const names = hostNames(host);
  const legacy = [...config.auths.keys()].filter((key) => names.includes(hostOfKey(key)));
  const keys = [...namespaceKeys(host, repository), ...names, ...legacy];
  return new Set(keys.filter((key) => config.auths.has(key)));
}

function sourceOf(config: DockerConfig, key: string): string {
  return oneLine(`${config.name} (auths[${quoted(key)}])`);
}
