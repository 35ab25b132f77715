import { createCredentialLookup } from '../credentials/lookup.js';
import { openStores, type Stores } from '../plan/stores.js';
import type { Parsed } from './command.js';
import type { Io } from './io.js';
import type { OptionName } from './options.js';
import type { Reporter } from './reporter.js';
import { usageError } from './usage.js';

/** The stores of a command, with the settings of authentication and transport that its options give. */
export function storesFor(parsed: Parsed, io: Io, reporter: Reporter): Stores {
  const { env, signal } = io;
  const credentials = createCredentialLookup({
    ...optional('username', value(parsed, 'username')),
    ...optional('password', value(parsed, 'password')),
    ...optional('dockerCfg', value(parsed, 'docker-cfg')),
    env,
    signal,
    onWarning: (text) => reporter.warning(text),
  });
  return openStores({
    credentials,
    credentialsFirst: parsed.values.has('docker-cfg'),
    plainHttp: hostRule(parsed, 'plain-http'),
    insecure: hostRule(parsed, 'insecure'),
    signal,
    ...(parsed.switches.has('debug') ? { onRequest: (record) => reporter.request(record) } : {}),
  });
}

/** The value of an option that is given at most once. */
export function value(parsed: Parsed, name: OptionName): string | undefined {
  return parsed.values.get(name)?.[0];
}

/** The items of an option that takes a comma-separated list, again and again; blanks around an item are not part of it. */
export function items(parsed: Parsed, name: OptionName): string[] {
  const list = (parsed.values.get(name) ?? [])
    .flatMap((each) => each.split(','))
    .map((item) => item.trim());
  if (list.includes('')) throw usageError(`option --${name} has an empty item`);
  return list;
}

function hostRule(parsed: Parsed, name: OptionName): (host: string) => boolean {
  const given = new Set(parsed.values.get(name) ?? []);
  if (given.has('')) throw usageError(`option --${name}= names no host`);
  return (host) => given.has('true') || given.has(host);
}

function optional<K extends string>(key: K, text: string | undefined): { [P in K]?: string } {
  return text === undefined ? {} : ({ [key]: text } as { [P in K]?: string });
}
