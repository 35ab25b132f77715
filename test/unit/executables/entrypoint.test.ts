import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { startedBy } from '../../../src/executables/entrypoint.js';
import { FileTree } from '../../../src/executables/file-tree.js';
import { readLayer } from '../../../src/executables/layer.js';
import { parseConfig } from '../../../src/oci/image-config.js';
import { layerOf, programFor, type LayerFile } from '../../support/programs.js';

const { signal } = new AbortController();
const PROGRAM = programFor('linux/amd64');
const SHELL = { 'bin/sh': PROGRAM } as const;

type Files = Readonly<Record<string, LayerFile>>;

async function treeOf(layers: readonly Files[], isWindows = false): Promise<FileTree> {
  const tree = new FileTree(isWindows);
  for (const files of layers) {
    const bytes = gzipSync(layerOf(files));
    const content = async function* content() {
      yield bytes;
    };
    await tree.apply(await readLayer(content(), signal), signal);
  }
  return tree;
}

/** The paths of the programs that a container starts; notes follow them. */
async function started(
  config: object,
  layers: readonly Files[],
  isWindows = false,
): Promise<string[]> {
  const tree = await treeOf(layers, isWindows);
  const json = { os: 'linux', architecture: 'amd64', config };
  const { programs, notes } = startedBy(
    parseConfig(Buffer.from(JSON.stringify(json))),
    tree,
    isWindows,
  );
  return [...programs.map(({ path }) => path), ...notes];
}

describe('the layers of an image', () => {
  it.each<[string, readonly Files[], readonly string[]]>([
    ['a file replaces that of a lower layer', [{ app: PROGRAM }, { app: 'text' }], []],
    ['a whiteout removes a file', [{ 'a/app': PROGRAM }, { 'a/.wh.app': '' }], []],
    ['a whiteout removes a directory', [{ 'a/b/app': PROGRAM }, { '.wh.a': '' }], []],
    [
      'a whiteout is about lower layers, wherever it is in its own',
      [{ app: PROGRAM }, { app: PROGRAM, '.wh.app': '' }],
      ['/app'],
    ],
    [
      'an opaque whiteout removes what lower layers have in a directory',
      [{ 'a/old': PROGRAM }, { 'a/new': PROGRAM, 'a/.wh..wh..opq': '' }],
      ['/a/new'],
    ],
    [
      'the files of aufs are no whiteouts',
      [{ '.wh.plnk': PROGRAM, 'wh.plnk': PROGRAM }, { '.wh..wh.plnk': '' }],
      ['/wh.plnk'],
    ],
    ['a hard link is one file', [{ app: PROGRAM, other: { hardlink: 'app' } }], ['/app']],
    [
      'a hard link keeps a file that a later layer removes',
      [{ app: PROGRAM }, { other: { hardlink: '/app' } }, { '.wh.app': '' }],
      ['/other'],
    ],
    [
      'a directory that is a link is followed',
      [{ 'usr/bin/a': PROGRAM, bin: { symlink: 'usr/bin' } }, { 'bin/a': 'text' }],
      [],
    ],
    [
      'a directory replaces a link',
      [
        { 'usr/bin/a': PROGRAM, bin: { symlink: 'usr/bin' } },
        { bin: { isDirectory: true }, 'bin/a': 'text' },
      ],
      ['/usr/bin/a'],
    ],
    ['a file replaces a directory', [{ 'a/b': PROGRAM }, { a: 'text' }], []],
    [
      'a directory keeps what is in it',
      [{ 'a/b': PROGRAM }, { a: { isDirectory: true } }],
      ['/a/b'],
    ],
    ['a path cannot leave the image', [{ '../../app': PROGRAM }], ['/app']],
    [
      'links in a circle lead nowhere',
      [{ a: { symlink: 'b' }, b: { symlink: 'a' }, 'a/x': PROGRAM }],
      [],
    ],
  ])('%s', async (_, layers, expected) => {
    const tree = await treeOf(layers);
    expect([...tree.programs()].map(({ path }) => path)).toEqual(expected);
  });
});

describe('what a container starts', () => {
  it.each<[string, object, readonly Files[], readonly string[]]>([
    [
      'the entrypoint',
      { Entrypoint: ['/app'], Cmd: ['/other'] },
      [{ app: PROGRAM, other: PROGRAM }],
      ['/app'],
    ],
    ['the command, without an entrypoint', { Cmd: ['/app', 'x'] }, [{ app: PROGRAM }], ['/app']],
    ['nothing', {}, [{ app: PROGRAM }], ['has no entrypoint and no command']],
    ['what is missing', { Cmd: ['/app'] }, [{}], ['starts "/app", which is not in its layers']],
    [
      'data',
      { Cmd: ['/app'] },
      [{ app: 'text' }],
      ['starts "/app", which is neither a native program nor a script'],
    ],
    [
      'relative to the working directory',
      { Cmd: ['./app'], WorkingDir: '/srv' },
      [{ 'srv/app': PROGRAM }],
      ['/srv/app'],
    ],
    [
      'by PATH',
      { Cmd: ['app'], Env: ['PATH=/none:/opt/bin'] },
      [{ 'opt/bin/app': PROGRAM }],
      ['/opt/bin/app'],
    ],
    [
      'by the default PATH',
      { Cmd: ['app'] },
      [{ 'usr/local/bin/app': PROGRAM }],
      ['/usr/local/bin/app'],
    ],
    [
      'by PATH, past what is not executable',
      { Cmd: ['app'], Env: ['PATH=/a:/b'] },
      [{ 'a/app': { content: PROGRAM, mode: 0o644 }, 'b/app': PROGRAM }],
      ['/b/app'],
    ],
    [
      'through links across layers',
      { Cmd: ['app'] },
      [
        { 'usr/bin/app-1.0': PROGRAM, bin: { symlink: '/usr/bin' } },
        { 'usr/local/bin/app': { symlink: '../../../bin/app-1.0' } },
      ],
      ['/usr/bin/app-1.0'],
    ],
    [
      'busybox',
      { Cmd: ['sh'] },
      [{ 'bin/busybox': PROGRAM, 'bin/sh': { symlink: '/bin/busybox' } }],
      ['/bin/busybox'],
    ],
    [
      'busybox by a hard link',
      { Cmd: ['sh'] },
      [{ 'bin/busybox': PROGRAM, 'bin/sh': { hardlink: 'bin/busybox' } }],
      ['/bin/sh'],
    ],
    [
      'the first word of a shell form',
      { Cmd: ['/bin/sh', '-c', 'exec /app --port 80'] },
      [{ ...SHELL, app: PROGRAM }],
      ['/bin/sh', '/app'],
    ],
    [
      'a shell form with a directory, variables and assignments',
      {
        Cmd: ['/bin/sh', '-ec', 'cd /srv && export X=1; A=b "$HOME_DIR/app" >/dev/null 2>&1'],
        Env: ['HOME_DIR=bin'],
      },
      [{ ...SHELL, 'srv/bin/app': PROGRAM }],
      ['/bin/sh', '/srv/bin/app'],
    ],
    [
      'the interpreter of a script, and the command behind it',
      { Entrypoint: ['/entry.sh'], Cmd: ['app'] },
      [{ ...SHELL, 'entry.sh': '#!/bin/sh\nset -e\nexec "$@"\n', 'usr/bin/app': PROGRAM }],
      ['/bin/sh', '/usr/bin/app'],
    ],
    [
      'what a script executes',
      { Entrypoint: ['/entry.sh'] },
      [
        {
          ...SHELL,
          'entry.sh':
            '#!/bin/sh -e\n# exec /none\nDIR=/opt\nif [ -n "$X" ]; then\n  exec gosu app $DIR/app "$@"\nfi\n',
          'opt/app': PROGRAM,
        },
      ],
      ['/bin/sh', '/opt/app'],
    ],
    [
      'what a script with a here-document runs in the end',
      { Entrypoint: ['/entry.sh'] },
      [
        {
          ...SHELL,
          'entry.sh': '#!/bin/sh\ncat <<EOF\nexec /none\nEOF\n/app --x\n',
          app: PROGRAM,
          none: PROGRAM,
        },
      ],
      ['/bin/sh', '/app'],
    ],
    [
      'an interpreter by env',
      { Entrypoint: ['/app.py'] },
      [
        {
          'app.py': '#!/usr/bin/env -S python3 -u\n',
          'usr/bin/env': PROGRAM,
          'usr/local/bin/python3': PROGRAM,
        },
      ],
      ['/usr/bin/env', '/usr/local/bin/python3'],
    ],
    [
      'a script without an interpreter that exists',
      { Entrypoint: ['/entry.sh'] },
      [{ 'entry.sh': '#!/bin/bash\n' }],
      ['starts "/bin/bash", which is not in its layers'],
    ],
    [
      'what tini is given',
      { Entrypoint: ['/sbin/tini', '-g', '--'], Cmd: ['/app'] },
      [{ 'sbin/tini': PROGRAM, app: PROGRAM }],
      ['/sbin/tini', '/app'],
    ],
    [
      'a script of a shell that is named',
      { Entrypoint: ['/bin/sh', '-e', '/run.sh'] },
      [{ ...SHELL, 'run.sh': '#!/bin/sh\nexec /app\n', app: PROGRAM }],
      ['/bin/sh', '/app'],
    ],
    [
      'a script that starts itself',
      { Entrypoint: ['/a.sh'] },
      [{ ...SHELL, 'a.sh': '#!/bin/sh\nexec /a.sh "$@"\n' }],
      ['/bin/sh'],
    ],
    [
      'the program that a script puts before its arguments',
      { Entrypoint: ['/e.sh'], Cmd: ['server.js'] },
      [
        {
          ...SHELL,
          'e.sh': '#!/bin/sh\nif [ -z "$1" ]; then\n  set -- app "$@"\nfi\nexec "$@"\n',
          'bin/app': PROGRAM,
        },
      ],
      ['/bin/sh', '/bin/app'],
    ],
    [
      'the command behind -- in the arguments of a script',
      { Entrypoint: ['/wait-for.sh'], Cmd: ['db:5432', '-t', '5', '--', '/app'] },
      [{ ...SHELL, 'wait-for.sh': '#!/bin/sh\nshift 4\nexec "$@"\n', app: PROGRAM }],
      ['/bin/sh', '/app'],
    ],
    [
      'what a script runs in the background and waits for',
      { Entrypoint: ['/e.sh'] },
      [{ ...SHELL, 'e.sh': '#!/bin/sh\n/a &\n/b &\nwait\n', a: PROGRAM, b: PROGRAM }],
      ['/bin/sh', '/a', '/b'],
    ],
  ])('%s', async (_, config, layers, expected) => {
    expect(await started(config, layers)).toEqual(expected);
  });

  it.each<[string, object, readonly Files[], readonly string[]]>([
    [
      'a path, whatever its case is',
      { Entrypoint: ['C:\\App\\App.exe'] },
      [{ 'Files/app/APP.EXE': PROGRAM, 'UtilityVM/Files/app/app.exe': PROGRAM }],
      ['/app/app.exe'],
    ],
    [
      'PATHEXT and PATH',
      { Cmd: ['app'], Env: ['Path=C:\\bin'] },
      [{ 'Files/bin/app.exe': PROGRAM }],
      ['/bin/app.exe'],
    ],
    [
      'a shell form',
      { Cmd: ['cmd', '/S', '/C', '"C:\\my app\\app.exe" -x'] },
      [{ 'Files/Windows/System32/cmd.exe': PROGRAM, 'Files/my app/app.exe': PROGRAM }],
      ['/windows/system32/cmd.exe', '/my app/app.exe'],
    ],
    [
      'a command line in one string',
      { Entrypoint: ['cmd /S /C app.exe'], ArgsEscaped: true, WorkingDir: 'C:\\srv' },
      [{ 'Files/Windows/System32/cmd.exe': PROGRAM, 'Files/srv/app.exe': PROGRAM }],
      ['/windows/system32/cmd.exe', '/srv/app.exe'],
    ],
  ])('in Windows: %s', async (_, config, layers, expected) => {
    expect(await started(config, layers, true)).toEqual(expected);
  });

  it.each<[string, string, readonly string[][]]>([
    [
      'by uname',
      'case $(uname -m) in\n x86_64) exec /a ;;\n *) exec /b ;;\nesac\n',
      [['/a', '/b']],
    ],
    ['by dpkg', '[ `dpkg --print-architecture` = arm64 ] && exec /b\nexec /a\n', [['/b', '/a']]],
    ['through a wrapper', 'uname -m\nexec env X=1 /a\n', [['/a']]],
    ['not at all', '[ -f x ] && exec /b\nexec /a\n', []],
  ])('programs among which a script chooses %s', async (_, text, expected) => {
    const tree = await treeOf([
      { ...SHELL, 'usr/bin/env': PROGRAM, 'e.sh': `#!/bin/sh\n${text}`, a: PROGRAM, b: PROGRAM },
    ]);
    const json = { os: 'linux', architecture: 'amd64', config: { Entrypoint: ['/e.sh'] } };
    const { choices } = startedBy(parseConfig(Buffer.from(JSON.stringify(json))), tree, false);
    expect(choices.map((choice) => choice.map(({ path }) => path))).toEqual(expected);
  });

  it('a program that is started in any case is not one of a choice', async () => {
    const script = '#!/bin/sh\ncase $(uname -m) in x86_64) exec /a ;; *) exec /b ;; esac\n';
    const tree = await treeOf([{ ...SHELL, 'e.sh': script, a: PROGRAM, b: PROGRAM }]);
    const json = { os: 'linux', architecture: 'amd64', config: { Cmd: ['/e.sh', '/b'] } };
    const { choices } = startedBy(parseConfig(Buffer.from(JSON.stringify(json))), tree, false);
    expect(choices.map((choice) => choice.map(({ path }) => path))).toEqual([['/a']]);
  });
});
