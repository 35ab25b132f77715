/** A file with native code, as its header describes it. */
export interface Program {
  readonly format: 'ELF' | 'PE' | 'Mach-O';
  /**
   * Names of Go (`GOARCH`), as platforms have them; `machine 0x1234` if it has none. A fat Mach-O
   * file has several.
   */
  readonly architectures: readonly string[];
  /** Of a program for arm: the version of the architecture that it needs, if it says so. */
  readonly armVersion?: number;
}

/** How many bytes from the start of a file {@link parseProgram} needs at most. */
export const MAX_HEADER = 32 * 1024;

/**
 * Reads the header of a file with native code; undefined for anything else, and for what no kernel
 * starts or loads: object files and static libraries, core dumps and debug symbols, Java classes,
 * eBPF programs, .NET assemblies and PE files without code.
 * @param start the first {@link MAX_HEADER} bytes, or the whole file if it is shorter
 */
export function parseProgram(start: Buffer): Program | undefined {
  if (start.length < 4) return undefined;
  const magic = start.readUInt32BE(0);
  if (magic === 0x7f454c46) return parseElf(start);
  if (magic >>> 16 === 0x4d5a) return parsePe(start);
  if (MACH_O_MAGIC.has(magic)) return parseMachO(start, 0);
  if (FAT_MAGIC.has(magic)) return parseFat(start, magic === 0xcafebabf);
  return undefined;
}

/** Whether a file may be one for {@link parseProgram}, by its first four bytes. */
export function mayBeProgram(start: Buffer): boolean {
  const magic = start.readUInt32BE(0);
  return (
    magic === 0x7f454c46 ||
    magic >>> 16 === 0x4d5a ||
    MACH_O_MAGIC.has(magic) ||
    FAT_MAGIC.has(magic)
  );
}

/** The name of a machine that has none here. */
function unnamed(machine: number): string {
  return `machine 0x${machine.toString(16)}`;
}

/** Names of an ELF machine by the class and the byte order of the file. */
interface ElfMachine {
  readonly 64?: string;
  readonly 32?: string;
  readonly bigEndian64?: string;
  readonly bigEndian32?: string;
}

/** Registered numbers of `e_machine` (the gABI, chapter 4, and the Linux header elf-em.h). */
const ELF_MACHINES: Readonly<Record<number, ElfMachine>> = {
  2: { bigEndian32: 'sparc' },
  3: { 32: '386' },
  4: { bigEndian32: 'm68k' },
  8: { 64: 'mips64le', 32: 'mipsle', bigEndian64: 'mips64', bigEndian32: 'mips' },
  15: { bigEndian64: 'parisc64', bigEndian32: 'parisc' },
  18: { bigEndian32: 'sparc' },
  20: { bigEndian32: 'ppc', 32: 'ppcle' },
  21: { 64: 'ppc64le', bigEndian64: 'ppc64' },
  22: { bigEndian64: 's390x', bigEndian32: 's390' },
  40: { 32: 'arm', bigEndian32: 'armbe' },
  42: { 32: 'sh', bigEndian32: 'sheb' },
  43: { bigEndian64: 'sparc64' },
  50: { 64: 'ia64' },
  62: { 64: 'amd64', 32: 'amd64p32' },
  183: { 64: 'arm64', 32: 'arm64p32', bigEndian64: 'arm64be', bigEndian32: 'arm64bep32' },
  243: { 64: 'riscv64', 32: 'riscv' },
  258: { 64: 'loong64', 32: 'loong32' },
  0x9026: { 64: 'alpha' },
};

/** Runs in the kernel's virtual machine, whatever the processor is. */
const EM_BPF = 247;

/** `e_type` of what is started or loaded: ET_EXEC and ET_DYN. */
const ELF_TYPES = new Set([2, 3]);

/** The n32 ABI of MIPS: 64-bit code in a file of the 32-bit class. */
const EF_MIPS_ABI2 = 0x20;

/** Reads the ELF header (System V ABI, chapter 4, ELF Header). */
function parseElf(start: Buffer): Program | undefined {
  if (start.length < 20) return undefined;
  const isBigEndian = start[5] === 2;
  const is64 = start[4] === 2;
  const u16 = (at: number): number =>
    isBigEndian ? start.readUInt16BE(at) : start.readUInt16LE(at);
  const [type, machine] = [u16(16), u16(18)];
  if (!ELF_TYPES.has(type) || machine === EM_BPF) return undefined;
  const names = ELF_MACHINES[machine];
  const name = isBigEndian
    ? names?.[is64 ? 'bigEndian64' : 'bigEndian32']
    : names?.[is64 ? 64 : 32];
  const isN32 = machine === 8 && !is64 && (elfFlags(start, isBigEndian) & EF_MIPS_ABI2) !== 0;
  const architecture = isN32 ? `mips64p32${isBigEndian ? '' : 'le'}` : name;
  return { format: 'ELF', architectures: [architecture ?? unnamed(machine)] };
}

/** `e_flags` of a file of the 32-bit class. */
function elfFlags(start: Buffer, isBigEndian: boolean): number {
  if (start.length < 40) return 0;
  return isBigEndian ? start.readUInt32BE(36) : start.readUInt32LE(36);
}

/** `Machine` of the COFF header (Microsoft, PE Format, Machine Types). */
const PE_MACHINES: Readonly<Record<number, string>> = {
  0x14c: '386',
  0x1c0: 'arm',
  0x1c2: 'arm',
  0x1c4: 'arm',
  0x200: 'ia64',
  0x5032: 'riscv',
  0x5064: 'riscv64',
  0x6232: 'loong32',
  0x6264: 'loong64',
  0x8664: 'amd64',
  0xaa64: 'arm64',
};

/** EFI byte code, which firmware interprets on any processor. */
const PE_EFI_BYTE_CODE = 0xebc;

const PE_IS_DLL = 0x2000;

/** Reads the COFF header and the optional header of a PE file (Microsoft, PE Format). */
function parsePe(start: Buffer): Program | undefined {
  if (start.length < 64) return undefined;
  const at = start.readUInt32LE(60);
  if (at + 24 > start.length || start.readUInt32BE(at) !== 0x50450000) return undefined;
  const machine = start.readUInt16LE(at + 4);
  if (machine === PE_EFI_BYTE_CODE) return undefined;
  const size = start.readUInt16LE(at + 20);
  const isDll = (start.readUInt16LE(at + 22) & PE_IS_DLL) !== 0;
  const header = start.subarray(at + 24, at + 24 + size);
  if (isManaged(header) || (isDll && !hasCode(header))) return undefined;
  return { format: 'PE', architectures: [PE_MACHINES[machine] ?? unnamed(machine)] };
}

/** Whether a PE file has a CLI header (ECMA-335, II.25.3.3): a runtime compiles its code. */
function isManaged(header: Buffer): boolean {
  const directories = isPe32Plus(header) ? 112 : 96;
  const cliHeader = directories + 14 * 8;
  if (header.length < cliHeader + 8) return false;
  return header.readUInt32LE(directories - 4) > 14 && header.readUInt32LE(cliHeader) !== 0;
}

function isPe32Plus(header: Buffer): boolean {
  return header.length >= 2 && header.readUInt16LE(0) === 0x20b;
}

/** A library without code has resources only, as the `.mui` files of Windows. */
function hasCode(header: Buffer): boolean {
  if (header.length < 20) return true;
  return header.readUInt32LE(4) !== 0 || header.readUInt32LE(16) !== 0;
}

const MACH_O_MAGIC = new Set([0xfeedface, 0xfeedfacf, 0xcefaedfe, 0xcffaedfe]);
const FAT_MAGIC = new Set([0xcafebabe, 0xcafebabf]);

/** `cputype` of a Mach-O file (Apple, mach/machine.h). */
const MACH_O_MACHINES: Readonly<Record<number, string>> = {
  7: '386',
  12: 'arm',
  18: 'ppc',
  0x01000007: 'amd64',
  0x0100000c: 'arm64',
  0x01000012: 'ppc64',
  0x0200000c: 'arm64p32',
};

/** `filetype` of what is neither started nor loaded: objects, core dumps, debug symbols. */
const MACH_O_LEFT_OUT = new Set([1, 4, 10]);

/** Reads a Mach-O header (Apple, mach-o/loader.h) at an offset. */
function parseMachO(start: Buffer, at: number): Program | undefined {
  if (start.length < at + 16) return undefined;
  const isLittleEndian = start[at] !== 0xfe;
  const u32 = (offset: number): number =>
    isLittleEndian ? start.readUInt32LE(at + offset) : start.readUInt32BE(at + offset);
  if (MACH_O_LEFT_OUT.has(u32(12))) return undefined;
  return { format: 'Mach-O', architectures: [machOName(u32(4))] };
}

function machOName(cpuType: number): string {
  return MACH_O_MACHINES[cpuType] ?? unnamed(cpuType);
}

/**
 * The fewest that a Java class has in the place of the number of architectures: its version, at
 * least 45.0 (JVM specification, 4.1). No fat file has as many.
 */
const FIRST_JAVA_VERSION = 45;

/** Reads the header of a fat Mach-O file (Apple, mach-o/fat.h), and that of its first part. */
function parseFat(start: Buffer, is64: boolean): Program | undefined {
  if (start.length < 8) return undefined;
  const count = start.readUInt32BE(4);
  const size = is64 ? 32 : 20;
  if (count === 0 || count >= FIRST_JAVA_VERSION || start.length < 8 + count * size)
    return undefined;
  const part = is64 ? Number(start.readBigUInt64BE(16)) : start.readUInt32BE(16);
  // A static library, or another kind of content that is not started.
  if (start.length >= part + 16) {
    const isMachO = MACH_O_MAGIC.has(start.readUInt32BE(part));
    if (!isMachO || parseMachO(start, part) === undefined) return undefined;
  }
  const names = Array.from({ length: count }, (_, i) =>
    machOName(start.readUInt32BE(8 + i * size)),
  );
  return { format: 'Mach-O', architectures: [...new Set(names)] };
}
