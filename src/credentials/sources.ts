import path from 'node:path';
import { ManifestToolError, systemCode } from '../errors.js';
import type { CredentialLookup } from '../http/auth/credential.js';
import { detectStore } from './default-store.js';
import { parseConfig, readConfig, type DockerConfig } from './docker-config.js';
import { configError } from './errors.js';
import { files } from './files.js';
import { findInConfig } from './find-in-config.js';
import type { AskHelper } from './helper.js';

type Load = () => Promise<DockerConfig | undefined>;
type Warn = (text: string) => void;

/** A source of credentials: a config that is loaded once, when it is first asked. */
function configSource(ask: AskHelper, load: Load): CredentialLookup {
  let loaded: Promise<DockerConfig | undefined> | undefined;
  return async (host, repository) => {
    loaded ??= load();
    const config = await loaded;
    return config === undefined ? undefined : findInConfig(config, host, repository, ask);
  };
}

/**
 * The text of DOCKER_AUTH_CONFIG: a whole config.json, as GitLab CI has it; docker's own strict
 * form is a part of that.
 */
export function textSource(
  name: string,
  text: string,
  ask: AskHelper,
  warn: Warn,
): CredentialLookup {
  return configSource(ask, async () => {
    try {
      return parseConfig(name, text);
    } catch (error) {
      if (!(error instanceof ManifestToolError)) throw error;
      // Docker goes on as well: the variable may be meant for another program.
      warn(`${name} is not used: ${error.why}`);
      return undefined;
    }
  });
}

/**
 * A file that the user has named, by an option or a variable: it must be there. `credsStore` is
 * not podman's.
 */
export function namedAuthFile(
  file: string,
  namedBy: string,
  ask: AskHelper,
  warn: Warn,
): CredentialLookup {
  return configSource(ask, async () => {
    const config = await readConfig(file);
    if (config !== undefined) return withoutStore(config, warn);
    throw configError(`reading ${file}`, `${namedBy} names this file, and it does not exist`, {
      hint: `correct ${namedBy}, or leave it out to have the usual files read`,
    });
  });
}

/** An auth.json where podman keeps it. */
export function podmanSource(file: string, ask: AskHelper, warn: Warn): CredentialLookup {
  return configSource(ask, async () => {
    const config = await readConfig(file);
    return config === undefined ? undefined : withoutStore(config, warn);
  });
}

/** ~/.dockercfg. */
export function flatSource(file: string, ask: AskHelper): CredentialLookup {
  return configSource(ask, async () => readConfig(file, 'flat'));
}

/** What --docker-cfg names, a file or a directory. As in manifest-tool, it may be absent. */
export function namedDockerConfig(named: string, ask: AskHelper, warn: Warn): CredentialLookup {
  return configSource(ask, async () => {
    const file = (await isDirectory(named)) ? path.join(named, 'config.json') : named;
    const config = await readConfig(file);
    if (config === undefined)
      warn(
        `--docker-cfg: ${file} does not exist, so that registries are asked without credentials`,
      );
    return config;
  });
}

/**
 * The docker config where docker keeps it. Where it has no setting for credentials, the platform's
 * store is asked, as docker does; nobody has configured that, so that its failure is only a
 * warning.
 */
export function dockerSource(
  file: string,
  env: Readonly<Record<string, string | undefined>>,
  ask: AskHelper,
  warn: Warn,
): CredentialLookup {
  return configSource(leniently(ask, warn), async () => {
    const config = await readConfig(file);
    if (config !== undefined && hasCredentials(config)) return config;
    const credsStore = await detectStore(env);
    if (credsStore === undefined) return undefined;
    return { name: file, auths: new Map(), credHelpers: new Map(), credsStore, isDetected: true };
  });
}

function hasCredentials(config: DockerConfig): boolean {
  return config.credsStore !== undefined || config.credHelpers.size > 0 || config.auths.size > 0;
}

function leniently(ask: AskHelper, warn: Warn): AskHelper {
  return async (helper, host) => {
    try {
      return await ask(helper, host);
    } catch (error) {
      const isFailure = error instanceof ManifestToolError && error.code === 'CONFIG';
      if (!isFailure || helper.isDetected !== true) throw error;
      warn(`${error.message}; going on without it`);
      return undefined;
    }
  };
}

async function isDirectory(file: string): Promise<boolean> {
  try {
    return (await files.stat(file)).isDirectory();
  } catch (error) {
    if (systemCode(error) !== undefined) return false;
    throw error;
  }
}

function withoutStore(config: DockerConfig, warn: Warn): DockerConfig {
  if (config.credsStore !== undefined)
    warn(`credsStore in ${config.name} is not used: an auth file has credHelpers and auths alone`);
  return { ...config, credsStore: undefined };
}
