import { ManifestToolError } from '../errors.js';
import type { Credential, CredentialStore } from '../http/auth/credential.js';
import { findInAuths, helperOf, type DockerConfig } from './docker-config.js';
import { createHelpers, type AskHelper } from './helper.js';
import { isSameHost } from './keys.js';
import { sourcesOf, type CredentialOptions } from './sources.js';

export type { CredentialOptions } from './sources.js';

/**
 * The credential store of the command line: the files and helpers of docker and podman, in the
 * order of docs/reference/credentials.md. The first place that has a credential for the repository is used.
 * Files are read when they are first needed, once; a helper runs once for a host.
 *
 * Its `get` throws a {@link ManifestToolError}: CONFIG if a place that it looks in is broken,
 * INTERRUPTED if the signal was aborted. Its `has` runs no helper, assumes that a helper has a
 * credential, and throws nothing.
 */
export function createCredentialStore(options: CredentialOptions): Required<CredentialStore> {
  const { given, env, helperTimeoutMs: timeoutMs, signal, onWarning } = options;
  const sources = sourcesOf(options);
  const ask = createHelpers({ env, timeoutMs, signal });
  const warn = onceEach(onWarning);
  return {
    async get(host, repository) {
      if (given !== undefined && isSameHost(host, given.host)) return given.credential;
      for (const load of sources) {
        const { config, warnings = [] } = await load();
        for (const warning of warnings) warn(warning);
        const found = config && (await findInConfig(config, host, repository, ask, warn));
        if (found !== undefined) return found;
      }
      return undefined;
    },
    async has(host, repository) {
      if (given !== undefined && isSameHost(host, given.host)) return true;
      try {
        for (const load of sources) {
          const { config } = await load();
          if (config === undefined) continue;
          if (helperOf(config, host) !== undefined) return true;
          if (findInAuths(config, host, repository) !== undefined) return true;
        }
      } catch {
        // Reported by `get`, if a credential is needed at all.
      }
      return false;
    },
  };
}

async function findInConfig(
  config: DockerConfig,
  host: string,
  repository: string,
  ask: AskHelper,
  warn: (text: string) => void,
): Promise<Credential | undefined> {
  const helper = helperOf(config, host);
  if (helper === undefined) return findInAuths(config, host, repository);
  try {
    return await ask(helper, host);
  } catch (error) {
    // Nobody has configured a helper that was detected, so its failure is not an error.
    const isFailure = error instanceof ManifestToolError && error.code === 'CONFIG';
    if (!isFailure || config.isDetected !== true) throw error;
    warn(`${error.message}; continuing without it`);
    return undefined;
  }
}

function onceEach(onWarning: CredentialOptions['onWarning']): (text: string) => void {
  const given = new Set<string>();
  return (text) => {
    if (!given.has(text)) onWarning?.(text);
    given.add(text);
  };
}
