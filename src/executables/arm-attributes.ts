/** How much of the end of a file is searched: attributes are behind code and data. */
export const ARM_TAIL = 1024 * 1024;

const SHT_ARM_ATTRIBUTES = 0x70000003;
const TAG_CPU_NAMES = new Set([4, 5]);
const TAG_CPU_ARCH = 6;
const TAG_COMPATIBILITY = 32;

/** Versions of the architecture by the values of Tag_CPU_arch; profiles without an OS are left out. */
const VERSIONS: Readonly<Record<number, number>> = {
  1: 4,
  2: 4,
  3: 5,
  4: 5,
  5: 5,
  6: 6,
  7: 6,
  8: 6,
  9: 6,
  10: 7,
  14: 8,
  22: 9,
};

/**
 * The version of the Arm architecture that a 32-bit ELF file needs, by its build attributes (Arm,
 * ABI for the Arm Architecture, Addenda, section 3); undefined if it has none, or not in its tail.
 * @param header the beginning of the file
 * @param tail the end of the file
 * @param size of the file, in bytes
 */
export function armVersionOf(header: Buffer, tail: Buffer, size: number): number | undefined {
  try {
    const section = attributesSection(header, tail, size - tail.length);
    return section && VERSIONS[cpuArch(section) ?? 0];
  } catch (error) {
    // Reading behind the end: what is there is not what the headers say.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function attributesSection(header: Buffer, tail: Buffer, start: number): Buffer | undefined {
  const [table, entrySize, count] = [
    header.readUInt32LE(32) - start,
    header.readUInt16LE(46),
    header.readUInt16LE(48),
  ];
  if (table < 0) return undefined;
  for (let i = 0; i < count; i += 1) {
    const at = table + i * entrySize;
    if (tail.readUInt32LE(at + 4) !== SHT_ARM_ATTRIBUTES) continue;
    const offset = tail.readUInt32LE(at + 16) - start;
    return offset < 0 ? undefined : tail.subarray(offset, offset + tail.readUInt32LE(at + 20));
  }
  return undefined;
}

/** Tag_CPU_arch among the attributes of the file; undefined if it has none. */
function cpuArch(section: Buffer): number | undefined {
  // A format, a length, a vendor, the tag of the file and its length.
  const vendor = 'aeabi\0';
  if (section.toString('latin1', 0, 1) !== 'A') return undefined;
  if (section.toString('latin1', 5, 5 + vendor.length) !== vendor) return undefined;
  let at = 5 + vendor.length + 5;
  const number = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = section.readUInt8(at);
      at += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  const skipText = (): void => {
    while (section.readUInt8(at) !== 0) at += 1;
    at += 1;
  };
  while (at < section.length) {
    const tag = number();
    if (tag === TAG_CPU_ARCH) return number();
    if (tag === TAG_COMPATIBILITY) number();
    const isText = TAG_CPU_NAMES.has(tag) || (tag >= TAG_COMPATIBILITY && tag % 2 === 1);
    if (isText || tag === TAG_COMPATIBILITY) skipText();
    else number();
  }
  return undefined;
}
