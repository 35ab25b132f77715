import { Header } from 'tar/header';
import { Pax } from 'tar/pax';

/** Size of a header, and what content is padded to a multiple of. */
export const BLOCK = 512;

/** Upper bound of an extended header or a long name, in bytes. */
export const MAX_METADATA = 1024 * 1024;

const EXTENDED = ['ExtendedHeader', 'OldExtendedHeader'];
const GLOBAL = ['GlobalExtendedHeader'];
const LONG_PATH = ['NextFileHasLongPath', 'OldGnuLongPath'];
const LONG_TARGET = ['NextFileHasLongLinkpath'];

/** Name of a member, and what it points to if it is a link. */
export interface MemberNames {
  readonly name: string;
  readonly target: string;
  /** Stored as a map and fragments, in one of the forms of GNU tar. */
  readonly isSparse: boolean;
}

/**
 * The headers of a tar archive (ustar, pax and GNU) in their order: those with metadata are applied
 * to the member that follows.
 */
export class TarHeaders {
  private extended: Pax | undefined;
  private globals: Pax | undefined;
  private longPath: string | undefined;
  private longTarget: string | undefined;
  private isSparse = false;

  /** @throws the error of the tar library for a header that is invalid. */
  decode(block: Buffer): Header {
    return new Header(block, 0, this.extended, this.globals);
  }

  /** Whether the content of a header is metadata for {@link TarHeaders.add}. */
  isMetadata({ type }: Header): boolean {
    return [EXTENDED, GLOBAL, LONG_PATH, LONG_TARGET].some((types) => types.includes(type));
  }

  add({ type }: Header, content: Buffer): void {
    const text = content.toString('utf8');
    if (EXTENDED.includes(type)) {
      this.extended = Pax.parse(text, this.extended);
      this.isSparse ||= /^[0-9]+ GNU\.sparse\./m.test(text);
    } else if (GLOBAL.includes(type)) this.globals = Pax.parse(text, this.globals, true);
    else if (LONG_PATH.includes(type)) this.longPath = withoutNul(text);
    else this.longTarget = withoutNul(text);
  }

  /** The names of a member; what was added before is for this one only. */
  take(header: Header): MemberNames {
    const name = this.longPath ?? this.extended?.path ?? header.path ?? '';
    const target = this.longTarget ?? this.extended?.linkpath ?? header.linkpath ?? '';
    const isSparse = this.isSparse || header.type === 'SparseFile';
    [this.extended, this.longPath, this.longTarget] = [undefined, undefined, undefined];
    this.isSparse = false;
    return { name, target, isSparse };
  }
}

function withoutNul(text: string): string {
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}
