import { expect, test } from 'vitest';
import { isDirect, proxyFor } from '../../../../src/http/connect/proxy-for.js';

const PROXY = 'http://proxy.example:3128/';

test.each<[env: Record<string, string>, url: string, proxy: string | undefined]>([
  [{}, 'https://a.example/', undefined],
  [{ HTTPS_PROXY: PROXY }, 'https://a.example/', PROXY],
  [{ https_proxy: PROXY }, 'https://a.example/', PROXY],
  [{ HTTPS_PROXY: PROXY, https_proxy: 'http://other/' }, 'https://a.example/', PROXY],
  [{ HTTPS_PROXY: '', https_proxy: PROXY }, 'https://a.example/', PROXY],
  [{ HTTPS_PROXY: PROXY, https_proxy: '' }, 'https://a.example/', PROXY],
  [{ HTTPS_PROXY: '' }, 'https://a.example/', undefined],
  [{ HTTP_PROXY: PROXY }, 'https://a.example/', undefined],
  [{ HTTPS_PROXY: PROXY }, 'http://a.example/', undefined],
  [{ HTTP_PROXY: PROXY }, 'http://a.example/', PROXY],
  [{ http_proxy: PROXY }, 'http://a.example/', PROXY],
  [{ ALL_PROXY: PROXY, all_proxy: PROXY }, 'http://a.example/', undefined],
  [{ HTTPS_PROXY: 'proxy.example:3128' }, 'https://a.example/', PROXY],
  [{ HTTPS_PROXY: '10.0.0.1:3128' }, 'https://a.example/', 'http://10.0.0.1:3128/'],
  [{ HTTPS_PROXY: 'u:p@proxy.example' }, 'https://a.example/', 'http://u:p@proxy.example/'],
  [{ HTTPS_PROXY: 'HTTPS://proxy.example' }, 'https://a.example/', 'https://proxy.example/'],
  [{ HTTPS_PROXY: PROXY, NO_PROXY: 'a.example' }, 'https://a.example/', undefined],
  [{ HTTPS_PROXY: PROXY, NO_PROXY: 'x', no_proxy: 'a.example' }, 'https://a.example/', PROXY],
  [{ HTTPS_PROXY: PROXY, NO_PROXY: '', no_proxy: '.example' }, 'https://a.example/', undefined],
  [{ HTTPS_PROXY: PROXY }, 'https://localhost:5000/', undefined],
  [{ HTTP_PROXY: PROXY }, 'http://127.0.0.1:5000/', undefined],
  // What is wrong and not needed does no harm.
  [{ HTTPS_PROXY: 'socks5://x' }, 'https://localhost/', undefined],
  [{ HTTPS_PROXY: PROXY, REQUEST_METHOD: 'GET' }, 'https://a.example/', PROXY],
])('%j, %s: %s', (env, url, proxy) => {
  expect(proxyFor(new URL(url), env)?.href).toBe(proxy);
});

test.each<[variable: string, value: string, why: RegExp]>([
  ['HTTPS_PROXY', 'socks5://u:canary@x:1080', /SOCKS/],
  ['https_proxy', 'SOCKS5h://u:canary@x', /SOCKS/],
  ['HTTPS_PROXY', 'ftp://u:canary@x', /neither/],
  ['HTTPS_PROXY', 'http://u:canary@x:port', /not a valid address/],
  ['HTTPS_PROXY', 'http://u:canary%@x', /not a valid address/],
  ['HTTPS_PROXY', 'http://u:canary#1@x', /not a valid address/],
  ['HTTPS_PROXY', 'http://u:1/canary@x', /not a valid address/],
  ['HTTPS_PROXY', 'canary canary', /not a valid address/],
])('%s=%s is an error that does not repeat it', (variable, value, why) => {
  const act = (): unknown => proxyFor(new URL('https://a.example/'), { [variable]: value });
  expect(act).toThrow(expect.objectContaining({ code: 'CONFIG', why: expect.stringMatching(why) }));
  expect(act).toThrow(`using the proxy of ${variable} failed`);
  expect(act).not.toThrow(/canary/);
});

test('HTTP_PROXY is not trusted in a CGI program', () => {
  const env = { http_proxy: PROXY, REQUEST_METHOD: 'GET' };
  expect(() => proxyFor(new URL('http://a.example/'), env)).toThrow(/http_proxy failed: .*CGI/);
});

// What Go's golang.org/x/net/http/httpproxy says to the same, its own tests among them.
test.each<[noProxy: string, url: string, isDirect: boolean]>([
  ['', 'https://example.com/', false],
  ['', 'https://localhost/', true],
  ['', 'https://LOCALHOST:5000/', true],
  ['', 'http://127.0.0.1:5000/', true],
  ['', 'http://127.9.9.9/', true],
  ['', 'http://[::1]:5000/', true],
  ['', 'http://[::ffff:127.0.0.1]/', true],
  ['', 'http://registry.localhost/', false],
  ['', 'http://128.0.0.1/', false],

  ['*', 'https://example.com/', true],
  ['a.b, * ,c.d', 'https://example.com/', true],
  ['*.org', 'https://example.com/', false],
  ['a*', 'https://ab/', false],

  ['example.com', 'https://example.com/', true],
  ['example.com', 'https://EXAMPLE.com:5000/', true],
  ['Example.COM', 'https://a.b.example.com/', true],
  ['example.com', 'https://badexample.com/', false],
  ['example.com', 'https://example.com.evil.org/', false],
  ['.example.com', 'https://example.com/', false],
  ['.example.com', 'https://a.example.com/', true],
  ['*.example.com', 'https://example.com/', false],
  ['*.example.com', 'https://a.b.example.com/', true],
  [' , x.org ,, example.com ,', 'https://example.com/', true],
  ['x.org example.com', 'https://example.com/', false],
  ['bücher.example', 'https://xn--bcher-kva.example/', true],
  ['.bücher.example', 'https://a.bücher.example/', true],

  ['example.com:5000', 'https://example.com:5000/', true],
  ['example.com:5000', 'https://example.com:5001/', false],
  ['example.com:443', 'https://example.com/', true],
  ['example.com:443', 'http://example.com/', false],
  ['example.com:80', 'http://example.com/', true],
  ['.example.com:80', 'http://a.example.com/', true],
  ['example.com:', 'https://example.com:5000/', true],
  [':443', 'https://example.com/', false],

  ['10.1.2.3', 'https://10.1.2.3:5000/', true],
  ['10.1.2.3', 'https://10.1.2.30/', false],
  ['10.1.2.3:5000', 'https://10.1.2.3:5000/', true],
  ['10.1.2.3:5000', 'https://10.1.2.3/', false],
  ['10.1.2.3', 'https://[::ffff:10.1.2.3]/', true],
  ['::ffff:10.1.2.3', 'https://10.1.2.3/', true],
  ['2001:DB8:0::1', 'https://[2001:db8::1]/', true],
  ['[2001:db8::1]', 'https://[2001:db8::1]/', true],
  ['[2001:db8::1]:5000', 'https://[2001:db8::1]:5000/', true],
  ['[2001:db8::1]:5000', 'https://[2001:db8::1]/', false],
  ['fe80::1%eth0', 'https://[fe80::1]/', false],

  ['10.0.0.0/8', 'https://10.255.0.1/', true],
  ['10.1.2.3/8', 'https://10.255.0.1/', true],
  ['10.0.0.0/8', 'https://11.0.0.1/', false],
  ['10.0.0.0/8', 'https://[::ffff:10.1.1.1]/', true],
  ['::ffff:10.0.0.0/104', 'https://10.1.1.1/', true],
  ['::ffff:10.0.0.0/104', 'https://11.1.1.1/', false],
  ['::ffff:10.0.0.0/90', 'https://10.0.0.0/', false],
  ['2001:db8::/32', 'https://[2001:db8:1::1]/', true],
  ['2001:db8::/32', 'https://[2001:db9::1]/', false],
  ['::/0', 'https://10.0.0.1/', false],
  ['0.0.0.0/0', 'https://10.0.0.1/', true],
  ['0.0.0.0/0', 'https://example.com/', false],
  ['10.0.0.0/33', 'https://10.0.0.0/', false],
  ['10.0.0.0/x', 'https://10.0.0.0/', false],
  ['10.0.0/8', 'https://10.0.0.1/', false],
])('NO_PROXY=%s, %s: %s', (noProxy, url, expected) => {
  expect(isDirect(new URL(url), noProxy)).toBe(expected);
});
