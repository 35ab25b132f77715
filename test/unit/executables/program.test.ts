import { describe, expect, it } from 'vitest';
import { fitOf, isStartedOn } from '../../../src/executables/architecture.js';
import { armVersionOf } from '../../../src/executables/arm-attributes.js';
import { readLayer } from '../../../src/executables/layer.js';
import { parseProgram } from '../../../src/executables/program.js';
import { parsePlatform } from '../../../src/oci/platform.js';
import { armFile, fatFile, layerOf, programFor, type Target } from '../../support/programs.js';

const ELF: readonly Target[] = [
  'linux/amd64',
  'linux/386',
  'linux/arm',
  'linux/arm64',
  'linux/ppc64',
  'linux/ppc64le',
  'linux/s390x',
  'linux/riscv64',
  'linux/loong64',
  'linux/mips',
  'linux/mipsle',
  'linux/mips64',
  'linux/mips64le',
];

describe('parseProgram', () => {
  it.each(ELF)('reads the ELF header of %s', (target) => {
    const architectures = [target.split('/')[1]];
    expect(parseProgram(programFor(target))).toEqual({ format: 'ELF', architectures });
  });
  it.each(['windows/386', 'windows/amd64', 'windows/arm64'] as const)(
    'reads the PE header of %s',
    (target) => {
      const architectures = [target.split('/')[1]];
      expect(parseProgram(programFor(target))).toEqual({ format: 'PE', architectures });
    },
  );
  it.each(['darwin/amd64', 'darwin/arm64'] as const)('reads the Mach-O header of %s', (target) => {
    const architectures = [target.split('/')[1]];
    expect(parseProgram(programFor(target))).toEqual({ format: 'Mach-O', architectures });
  });
  it('reads all architectures of a fat Mach-O file', () => {
    const fat = fatFile(programFor('darwin/amd64'), programFor('darwin/arm64'));
    expect(parseProgram(fat)).toEqual({ format: 'Mach-O', architectures: ['amd64', 'arm64'] });
  });
  it('leaves out a fat file of static libraries', () => {
    const fat = fatFile(programFor('darwin/amd64'), programFor('darwin/arm64'));
    fat.write('!<arch>\n', 4096);
    expect(parseProgram(fat)).toBeUndefined();
  });

  /** A real header with a few bytes changed. */
  const changed = (target: Target, change: (header: Buffer) => void): Buffer => {
    const header = Buffer.from(programFor(target));
    change(header);
    return header;
  };
  const peAt = (header: Buffer): number => header.readUInt32LE(60);

  it.each([
    ['a relocatable object (ET_REL)', changed('linux/amd64', (h) => h.writeUInt16LE(1, 16))],
    ['a core dump (ET_CORE)', changed('linux/amd64', (h) => h.writeUInt16LE(4, 16))],
    ['an eBPF program (EM_BPF)', changed('linux/amd64', (h) => h.writeUInt16LE(247, 18))],
    ['a Mach-O object (MH_OBJECT)', changed('darwin/arm64', (h) => h.writeUInt32LE(1, 12))],
    ['Mach-O debug symbols (MH_DSYM)', changed('darwin/arm64', (h) => h.writeUInt32LE(10, 12))],
    [
      'a .NET assembly (CLI header)',
      changed('windows/amd64', (h) => {
        h.writeUInt32LE(0x2008, peAt(h) + 24 + 112 + 14 * 8);
        h.writeUInt32LE(72, peAt(h) + 24 + 112 + 14 * 8 + 4);
      }),
    ],
    [
      'a 32-bit .NET assembly',
      changed('windows/386', (h) => h.writeUInt32LE(0x2008, peAt(h) + 24 + 96 + 14 * 8)),
    ],
    [
      'a library of resources',
      changed('windows/amd64', (h) => {
        h.writeUInt16LE(0x2022, peAt(h) + 22);
        h.writeUInt32LE(0, peAt(h) + 24 + 4);
        h.writeUInt32LE(0, peAt(h) + 24 + 16);
      }),
    ],
    ['a program for DOS', changed('windows/386', (h) => h.write('NE', peAt(h)))],
    ['a static library', Buffer.from('!<arch>\ndebian-binary   ')],
    ['a Java 8 class', Buffer.from('cafebabe000000340016', 'hex')],
    ['a Java 1.1 class', Buffer.from('cafebabe0003002d0016', 'hex')],
    ['a Java 21 class with preview features', Buffer.from('cafebabeffff00410016', 'hex')],
    ['a script', Buffer.from('#!/bin/sh\n')],
    ['a few bytes', Buffer.from('7f45', 'hex')],
    ['an ELF file that is cut short', programFor('linux/amd64').subarray(0, 18)],
    ['a PE file that is cut short', programFor('windows/amd64').subarray(0, 70)],
    ['a Mach-O file that is cut short', programFor('darwin/arm64').subarray(0, 12)],
    ['a fat file that is cut short', Buffer.from('cafebabe00000002', 'hex')],
  ])('leaves out %s', (_, start) => {
    expect(parseProgram(start)).toBeUndefined();
  });

  it.each([
    ['x32', 'linux/amd64', (h: Buffer) => h.writeUInt8(1, 4), 'amd64p32'],
    ['s390 with 31 bits', 'linux/s390x', (h: Buffer) => h.writeUInt8(1, 4), 's390'],
    ['32-bit RISC-V', 'linux/riscv64', (h: Buffer) => h.writeUInt8(1, 4), 'riscv'],
    ['MIPS n32', 'linux/mips', (h: Buffer) => h.writeUInt32BE(0x20, 36), 'mips64p32'],
    [
      'little-endian MIPS n32',
      'linux/mipsle',
      (h: Buffer) => h.writeUInt32LE(0x20, 36),
      'mips64p32le',
    ],
    ['big-endian arm64', 'linux/s390x', (h: Buffer) => h.writeUInt16BE(183, 18), 'arm64be'],
    [
      'a machine without a name',
      'linux/amd64',
      (h: Buffer) => h.writeUInt16LE(0x1234, 18),
      'machine 0x1234',
    ],
  ] as const)('tells %s apart', (_, target, change, architecture) => {
    expect(parseProgram(changed(target, change))?.architectures).toEqual([architecture]);
  });
});

describe('armVersionOf', () => {
  it.each([
    [4, 5],
    [9, 6],
    [10, 7],
    [14, 8],
    [13, undefined],
  ])('reads Tag_CPU_arch %i', (cpuArch, version) => {
    const file = armFile(cpuArch);
    expect(armVersionOf(file, file, file.length)).toBe(version);
    expect(armVersionOf(file, file.subarray(1500), file.length)).toBe(version);
  });
  it('finds nothing if the section is cut off, missing or damaged', () => {
    const file = armFile(10);
    expect(armVersionOf(file, file.subarray(-90), file.length)).toBeUndefined();
    expect(armVersionOf(file, file.subarray(-10), file.length)).toBeUndefined();
    const plain = programFor('linux/arm');
    expect(armVersionOf(plain, plain, plain.length)).toBeUndefined();
    file.fill(0x85, 2016, 2023);
    expect(armVersionOf(file, file, file.length)).toBeUndefined();
  });
  it('is found in a layer, in a large file as well', async () => {
    const files = {
      small: armFile(10),
      large: armFile(9, 3_000_000),
      none: programFor('linux/arm'),
    };
    const content = async function* content() {
      yield layerOf(files);
    };
    const { entries } = await readLayer(content(), new AbortController().signal);
    const versions = entries.map((entry) =>
      entry.kind === 'file' && entry.file.kind === 'program' ? entry.file.program.armVersion : null,
    );
    expect(versions).toEqual([7, 6, undefined]);
  });
});

describe('fitOf', () => {
  const fit = (target: Target, platform: string): string =>
    fitOf(parseProgram(programFor(target))!, parsePlatform(platform));
  it.each([...ELF, 'windows/amd64', 'darwin/arm64'] as const)(
    'finds that %s fits itself',
    (target) => {
      expect(fit(target, target)).toBe('same');
    },
  );
  it.each([
    ['linux/386', 'linux/amd64', 'compatible'],
    ['linux/arm', 'linux/arm64', 'compatible'],
    ['linux/mipsle', 'linux/mips64le', 'compatible'],
    ['windows/386', 'windows/amd64', 'compatible'],
    ['linux/arm64', 'linux/arm64/v8', 'same'],
    ['linux/arm', 'linux/arm/v6', 'same'],
    ['linux/amd64', 'linux/386', 'other'],
    ['linux/arm64', 'linux/arm/v7', 'other'],
    ['linux/ppc64', 'linux/ppc64le', 'other'],
    ['linux/mips', 'linux/mipsle', 'other'],
    ['linux/amd64', 'linux/arm64', 'other'],
  ] as const)('compares %s with %s', (target, platform, expected) => {
    expect(fit(target, platform)).toBe(expected);
  });
  it('takes any part of a fat file', () => {
    const fat = parseProgram(fatFile(programFor('darwin/amd64'), programFor('darwin/arm64')))!;
    expect(fitOf(fat, parsePlatform('darwin/arm64'))).toBe('same');
    expect(isStartedOn(fat, parsePlatform('linux/arm64'))).toBe(false);
    expect(isStartedOn(fat, parsePlatform('darwin/arm64'))).toBe(true);
  });
});
