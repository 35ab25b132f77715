/** The part of picomatch that is used; the package has no types of its own. */
declare module 'picomatch' {
  interface Options {
    /** Whether `*` and `?` match slashes as well, as in a shell's `case`. */
    readonly bash?: boolean;
    /** Whether they match a dot at the beginning. */
    readonly dot?: boolean;
    /** Whether backslashes are separators. */
    readonly windows?: boolean;
  }
  /** @throws {TypeError | SyntaxError} if the pattern is empty or too long. */
  export default function picomatch(pattern: string, options: Options): (text: string) => boolean;
}
