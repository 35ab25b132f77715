const LINUX =
  'amd64 amd64/v2 amd64/v3 amd64/v4 386 arm64 arm64/v8 arm/v5 arm/v6 arm/v7 arm/v8 loong64 mips mipsle mips64 ' +
  'mips64le ppc64le riscv64 s390x';

const OTHERS =
  'windows/amd64 windows/arm64 windows/386 freebsd/amd64 freebsd/arm64 darwin/amd64 darwin/arm64 wasip1/wasm';

/** Platforms that images are built for, in their proper form; what else there is has to be typed. */
export const COMMON_PLATFORMS: readonly string[] = [
  ...LINUX.split(' ').map((platform) => `linux/${platform}`),
  ...OTHERS.split(' '),
];
