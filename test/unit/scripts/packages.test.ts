import { describe, expect, test } from 'vitest';
import { faultsOf, packagesOf } from '../../../scripts/supply-chain/packages.mjs';

const INTEGRITY = `sha512-${'A'.repeat(86)}==`;
const SOUND = { version: '1.0.0', license: 'MIT', integrity: INTEGRITY };
const HOST = 'https://packages.example.com';

function faults(...entries: readonly object[]): string[] {
  const packages = Object.fromEntries(
    entries.map((entry, i) => [`node_modules/p${i}`, { ...SOUND, ...entry }]),
  );
  return faultsOf(packagesOf({ packages: { '': {}, ...packages } }), new Set(['node_modules/p1']));
}

test.each([
  [{}],
  [{ resolved: `${HOST}/p.tgz` }],
  [{ license: 'Apache-2.0' }],
  [{ license: '(MIT OR GPL-3.0-only)' }],
  [{ license: 'MIT AND ISC' }],
  [{ license: 'MPL-2.0', dev: true }],
])('%j is sound', (entry) => {
  expect(faults(entry)).toEqual([]);
});

describe('faults', () => {
  test.each([
    [{ integrity: undefined }, 'is not pinned by a SHA-512 sum'],
    [{ integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' }, 'is not pinned by a SHA-512 sum'],
    [{ resolved: 'git+ssh://git@example.com/p.git#1' }, 'does not come over https from a registry'],
    [{ resolved: 'http://packages.example.com/p.tgz' }, 'does not come over https from a registry'],
    [{ resolved: '../p', link: true }, 'does not come over https from a registry'],
    [{ license: undefined }, 'names no licence'],
    [{ license: 'GPL-3.0-only' }, 'its licence GPL-3.0-only is not allowed'],
    [{ license: 'MIT AND GPL-3.0-only' }, 'its licence MIT AND GPL-3.0-only is not allowed'],
    [{ license: 'SEE LICENSE IN x' }, 'its licence SEE LICENSE IN x is not allowed'],
    [{ license: 'GPL-3.0-only', dev: true }, 'its licence GPL-3.0-only is not allowed'],
    [{ license: 'MPL-2.0' }, 'its licence MPL-2.0 is not allowed'],
  ])('%j', (entry, fault) => {
    expect(faults(entry)).toEqual([`node_modules/p0 1.0.0: ${fault}`]);
  });

  test('a development dependency of which code is published', () => {
    const mpl = { license: 'MPL-2.0', dev: true };
    expect(faults(mpl, mpl)).toEqual(['node_modules/p1 1.0.0: its licence MPL-2.0 is not allowed']);
  });

  test('packages of two registries', () => {
    expect(
      faults({ resolved: `${HOST}/a.tgz` }, { resolved: 'https://other.example.com/b.tgz' }),
    ).toEqual(['packages come from 2 places, and not from one']);
  });
});

test('packages have the names that they are published by', () => {
  const packages = packagesOf({
    packages: {
      'node_modules/@a/b/node_modules/@c/d': SOUND,
      'node_modules/alias': { ...SOUND, name: 'real' },
    },
  });
  expect(packages.map(({ name }) => name)).toEqual(['@c/d', 'real']);
});
