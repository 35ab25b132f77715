/** A command line of the examples in lines that can be copied, of at most `width` columns where its words allow it. */
export function exampleLines(example: string, width: number): string[] {
  // An option stays with its value.
  const parts = example
    .replace('$0', 'manifest-tool')
    .split(/ (?=-)|(?<! --?[\w-]+) /)
    .filter((part) => part !== '');
  const lines: string[] = [];
  let line = parts[0]!;
  for (const part of parts.slice(1)) {
    // Two columns for ` \`.
    if (line.length + part.length + 3 > width) {
      lines.push(`${line} \\`);
      line = `    ${part}`;
    } else {
      line = `${line} ${part}`;
    }
  }
  return [...lines, line];
}
