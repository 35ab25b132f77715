import { describe, expect, test } from 'vitest';
import { checkedRealm } from '../../../../src/http/auth/realm.js';

const REGISTRY = 'https://registry.example.com/v2/a/manifests/1';

describe('a realm', () => {
  test.each([
    ['of the registry itself', 'https://registry.example.com/token', REGISTRY],
    ['on another host', 'https://auth.example.org/token?a=b', REGISTRY],
    ['relative', '/token', REGISTRY, 'https://registry.example.com/token'],
    ['without scheme', '//auth.example.org/t', REGISTRY, 'https://auth.example.org/t'],
    [
      'in https, of a registry in plain http',
      'https://auth.example.org/t',
      'http://r.example.com/v2/',
    ],
    [
      'in plain http, of one in plain http',
      'http://auth.example.org/t',
      'http://r.example.com/v2/',
    ],
    [
      'at the internal address of the registry',
      'https://10.0.0.5:5000/t',
      'https://10.0.0.5:5000/v2/',
    ],
    ['on localhost, of a registry there', 'http://localhost:5001/t', 'http://localhost:5000/v2/'],
    ['on this machine by another name', 'http://127.0.0.1:5001/t', 'http://localhost:5000/v2/'],
    ['on this machine by its IPv6 address', 'http://[::1]:5001/t', 'http://127.0.0.1:5000/v2/'],
    ['at a public address', 'https://8.8.8.8/t', REGISTRY],
    ['at an address beside the private ones', 'https://172.32.0.1/t', REGISTRY],
    ['at a public IPv6 address', 'https://[2606:4700::1111]/t', REGISTRY],
  ])('%s is used', (_what, realm, registry, url = realm) => {
    expect(checkedRealm(realm, new URL(registry)).href).toBe(url);
  });

  test.each([
    ['none', undefined],
    ['empty', ''],
    ['no URL', 'https://['],
    ['of another scheme', 'ftp://auth.example.org/t'],
    ['a file', 'file:///etc/passwd'],
    ['a script', 'javascript:1'],
    ['in plain http', 'http://auth.example.org/t'],
    ['of the registry in plain http', 'http://registry.example.com/token'],
    ['with a user', 'https://user@auth.example.org/t'],
    ['with a password', 'https://:secret@auth.example.org/t'],
    ['that looks like another host', 'https://registry.example.com@evil.example/t'],
  ])('%s is refused', (_what, realm) => {
    expect(() => checkedRealm(realm, new URL(REGISTRY))).toThrow(
      expect.objectContaining({ code: 'DENIED', what: 'authentication at registry.example.com' }),
    );
  });

  test.each([
    'localhost',
    'LOCALHOST',
    'localhost.',
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '[::]',
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:a9fe:a9fe]',
    '[::ffff:8.8.8.8]',
    '[fc00::1]',
    '[fd12:3456::1]',
    '[fe80::1]',
    '[64:ff9b::7f00:1]',
  ])('at the internal address %s is refused', (host) => {
    for (const port of ['', ':8443']) {
      expect(() => checkedRealm(`https://${host}${port}/token`, new URL(REGISTRY))).toThrow(
        /is an internal address/,
      );
    }
  });

  test.each([
    ['https://10.0.0.6/t', 'https://10.0.0.5/v2/'],
    ['http://169.254.169.254/t', 'http://localhost:5000/v2/'],
    ['http://10.0.0.5/t', 'http://localhost:5000/v2/'],
    ['http://127.0.0.1/t', 'http://10.0.0.5/v2/'],
  ])('%s is refused to the registry %s', (realm, registry) => {
    expect(() => checkedRealm(realm, new URL(registry))).toThrow(/is an internal address/);
  });

  test('is not shown with the credentials in it', () => {
    const bad = (): URL => checkedRealm('https://u:hunter2@a.example/t', new URL(REGISTRY));
    expect(bad).toThrow(/contains credentials/);
    expect(bad).not.toThrow(/hunter2/);
  });
});
