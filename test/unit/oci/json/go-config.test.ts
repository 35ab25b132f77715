import { describe, expect, test } from 'vitest';
import { configMembers } from '../../../../src/oci/json/go-config.js';
import { goMarshalIndent } from '../../../../src/oci/json/go-marshal.js';
import { parseJson, type JsonObject } from '../../../../src/oci/json/parse.js';

function expand(config: object | string): string {
  const text = typeof config === 'string' ? config : JSON.stringify(config);
  return goMarshalIndent(configMembers(parseJson(text) as JsonObject), '');
}

function keys(text: string): string[] {
  return Object.keys(JSON.parse(text) as object);
}

describe('an image configuration', () => {
  test('of nothing has what Go always writes', () => {
    const empty = { architecture: '', os: '', config: {}, rootfs: { type: '', diff_ids: null } };
    expect(expand({})).toBe(JSON.stringify(empty, null, 1).replaceAll(/^ +/gm, ''));
  });

  test('has its members in the order of the struct, whatever the order of the document', () => {
    const members = [
      'created',
      'author',
      'architecture',
      'os',
      'os.version',
      'os.features',
      'variant',
      'config',
      'rootfs',
      'history',
    ];
    const full = {
      history: [{ comment: 'c', created_by: 'b', created: '2026-01-01T00:00:00Z' }],
      rootfs: { diff_ids: ['sha256:x'], type: 'layers' },
      config: { StopSignal: 'TERM', Labels: { a: 'b' }, User: 'u' },
      variant: 'v8',
      'os.features': ['win32k'],
      'os.version': '10.0',
      os: 'linux',
      architecture: 'arm64',
      author: 'me',
      created: '2026-01-01T00:00:00Z',
    };
    const written = expand(full);
    expect(keys(written)).toEqual(members);
    expect(JSON.parse(written)).toEqual(full);
    expect(written).toMatch(/"User": "u",\n"Labels": \{\n"a": "b"\n\},\n"StopSignal": "TERM"/);
    expect(written).toMatch(/"type": "layers",\n"diff_ids": \[/);
    expect(written).toMatch(/"created": "[^"]+",\n"created_by": "b",\n"comment": "c"/);
  });

  test('has those that the struct does not know after the known ones, unchanged', () => {
    const written = expand(
      '{"container":"x","zeta":1.0,"os":"linux","config":{"OnBuild":null,"Healthcheck":{"b":1,"a":2},"User":"u"},' +
        '"rootfs":{"odd":9007199254740993,"type":"layers"},"history":[{"odd":[],"author":"me"}],"architecture":"arm"}',
    );
    expect(keys(written).slice(-2)).toEqual(['container', 'zeta']);
    expect(written).toContain('"zeta": 1.0');
    expect(written).toContain('"odd": 9007199254740993');
    expect(written).toMatch(
      /"User": "u",\n"OnBuild": null,\n"Healthcheck": \{\n"b": 1,\n"a": 2\n\}/,
    );
    expect(written).toMatch(/"author": "me",\n"odd": \[\]/);
  });

  test.each([
    ['null', null],
    ['an empty text', ''],
    ['an empty list', []],
    ['an empty map', {}],
    ['false', false],
  ])('has no optional member that is %s', (_what, value) => {
    const names = ['created', 'author', 'os.version', 'os.features', 'variant', 'history'];
    const run = ['User', 'ExposedPorts', 'Env', 'Entrypoint', 'Cmd', 'Volumes', 'ArgsEscaped'];
    const of = (list: string[]): object => Object.fromEntries(list.map((name) => [name, value]));
    expect(expand({ ...of(names), config: of(run) })).toBe(expand({}));
  });

  test('keeps what is not empty', () => {
    const run = { ArgsEscaped: true, Cmd: [''], ExposedPorts: { '80/tcp': {} } };
    expect(JSON.parse(expand({ config: run, history: [{ empty_layer: true }] }))).toMatchObject({
      config: run,
      history: [{ empty_layer: true }],
    });
  });

  test('has its maps sorted by their bytes', () => {
    const config = { Labels: { b: '', '10': '', '9': '', B: '' }, ExposedPorts: { z: {}, a: {} } };
    expect(expand({ config })).toMatch(
      /"a": \{\},\n"z": \{\}[^]*"10": [^]*"9": [^]*"B": [^]*"b": /,
    );
  });

  test.each([
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'],
    ['2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00Z'],
    ['2026-01-01T00:00:00.120Z', '2026-01-01T00:00:00.12Z'],
    ['2026-01-01T00:00:00.123456789Z', '2026-01-01T00:00:00.123456789Z'],
    ['2026-01-01T00:00:00.1234567899Z', '2026-01-01T00:00:00.123456789Z'],
    ['2026-01-01T00:00:00.0000000001Z', '2026-01-01T00:00:00Z'],
    ['2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00Z'],
    ['2026-01-01T00:00:00-00:00', '2026-01-01T00:00:00Z'],
    ['2026-01-01T02:00:00.50+02:00', '2026-01-01T02:00:00.5+02:00'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
    ['yesterday', 'yesterday'],
  ])('writes the time %s as %s', (created, written) => {
    const json = JSON.parse(expand({ created, history: [{ created }] })) as object;
    expect(json).toMatchObject({ created: written, history: [{ created: written }] });
  });

  test('shows a rootfs or a config that is none as Go shows an empty one', () => {
    expect(expand({ rootfs: null, config: null })).toBe(expand({}));
  });
});
