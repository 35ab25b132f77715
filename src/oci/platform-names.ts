/** Values of `os`: the Go toolchain's, as image-spec says, and `wasi`, which runtimes use. */
export const OPERATING_SYSTEMS: ReadonlySet<string> = new Set(
  (
    'aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris ' +
    'wasi wasip1 wasip2 windows zos'
  ).split(' '),
);

/** Values of `architecture`: the Go toolchain's. */
export const ARCHITECTURES: ReadonlySet<string> = new Set(
  (
    '386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le ' +
    'ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm'
  ).split(' '),
);

/** Other names of operating systems, and what the Go toolchain calls them. */
export const OS_ALIASES: ReadonlyMap<string, string> = new Map([['macos', 'darwin']]);

/** Other names of architectures, and what image-spec calls them. */
export const ARCHITECTURE_ALIASES: ReadonlyMap<string, { architecture: string; variant?: string }> =
  new Map([
    ['x86_64', { architecture: 'amd64' }],
    ['x86-64', { architecture: 'amd64' }],
    ['x64', { architecture: 'amd64' }],
    ['i386', { architecture: '386' }],
    ['i486', { architecture: '386' }],
    ['i586', { architecture: '386' }],
    ['i686', { architecture: '386' }],
    ['x86', { architecture: '386' }],
    ['aarch64', { architecture: 'arm64' }],
    ['armhf', { architecture: 'arm', variant: 'v7' }],
    ['armv7l', { architecture: 'arm', variant: 'v7' }],
    ['armv7', { architecture: 'arm', variant: 'v7' }],
    ['armv6l', { architecture: 'arm', variant: 'v6' }],
    ['armv6', { architecture: 'arm', variant: 'v6' }],
    ['armel', { architecture: 'arm', variant: 'v6' }],
    ['armv5', { architecture: 'arm', variant: 'v5' }],
    ['powerpc64le', { architecture: 'ppc64le' }],
    ['ppc64el', { architecture: 'ppc64le' }],
    ['mips64el', { architecture: 'mips64le' }],
    ['mipsel', { architecture: 'mipsle' }],
    ['loongarch64', { architecture: 'loong64' }],
  ]);

/**
 * Variants of the architectures that have a fixed set (OCI image-spec, image-index.md, Platform
 * Variants; newer levels of the architectures).
 */
export const VARIANTS: ReadonlyMap<string, RegExp> = new Map([
  ['arm', /^v[5-8]$/],
  ['arm64', /^v(8(\.[0-9])?|9(\.[0-9])?)$/],
  ['amd64', /^v[1-4]$/],
]);
