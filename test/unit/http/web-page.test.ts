import { expect, test } from 'vitest';
import { HttpHeaders } from '../../../src/http/request.js';
import { isWebPage } from '../../../src/http/web-page.js';

const HTML = 'text/html; charset=utf-8';

test.each<[string, string, string | undefined, boolean]>([
  ['a type', '', HTML, true],
  ['a type and a text', 'not found', HTML, true],
  ['a doctype', ' \n<!DOCTYPE html>', undefined, true],
  ['an element', '<HTML lang="en">', 'text/plain', true],
  ['JSON', '{"a":"<html>"}', 'application/json', false],
  ['JSON that is typed as a page', '\ufeff {"a":1}', HTML, false],
  ['a list that is typed as a page', '[]', HTML, false],
  ['nothing', '', undefined, false],
  ['a text', 'Healthcheck requested', 'text/plain', false],
])('a web page or not: %s', (_, body, type, expected) => {
  const headers = new HttpHeaders(type === undefined ? {} : { 'content-type': type });
  const url = new URL('https://registry.test/v2/');
  expect(isWebPage({ status: 200, headers, body: Buffer.from(body), url })).toBe(expected);
});
