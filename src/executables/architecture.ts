import { properPlatform, type Platform } from '../oci/platform.js';
import type { Program } from './program.js';

/**
 * Whether a program runs on a platform: `same` architecture; `compatible`, one that most processors
 * of the platform run as well, as 386 on amd64; `other`, which needs emulation.
 */
export type Fit = 'same' | 'compatible' | 'other';

/** 32-bit architectures that processors of a 64-bit one run, if the kernel allows it. */
const COMPATIBLE: Readonly<Record<string, readonly string[]>> = {
  amd64: ['386', 'amd64p32'],
  arm64: ['arm', 'arm64p32'],
  arm64be: ['armbe', 'arm64bep32'],
  mips64: ['mips', 'mips64p32'],
  mips64le: ['mipsle', 'mips64p32le'],
  ppc64: ['ppc'],
  s390x: ['s390'],
  sparc64: ['sparc'],
};

/** Architectures whose images hold no native programs that can be compared. */
const WITHOUT_PROGRAMS = new Set(['', 'unknown', 'wasm']);

/** The format of the programs that an operating system starts; undefined if that is not known. */
const FORMATS: Readonly<Record<string, Program['format']>> = {
  android: 'ELF',
  darwin: 'Mach-O',
  dragonfly: 'ELF',
  freebsd: 'ELF',
  illumos: 'ELF',
  ios: 'Mach-O',
  linux: 'ELF',
  netbsd: 'ELF',
  openbsd: 'ELF',
  solaris: 'ELF',
  windows: 'PE',
};

/** Whether the programs of an image for this platform can be compared with it. */
export function isComparable(platform: Platform): boolean {
  return !WITHOUT_PROGRAMS.has(properPlatform(platform).architecture);
}

/** Compares the architectures of a program with that of a platform. */
export function fitOf({ architectures }: Program, platform: Platform): Fit {
  const { architecture } = properPlatform(platform);
  if (architectures.includes(architecture)) return 'same';
  const others = COMPATIBLE[architecture] ?? [];
  return architectures.some((each) => others.includes(each)) ? 'compatible' : 'other';
}

/** Whether the operating system of a platform starts programs of this format. */
export function isStartedOn({ format }: Program, platform: Platform): boolean {
  const expected = FORMATS[properPlatform(platform).os];
  return expected === undefined || expected === format;
}
