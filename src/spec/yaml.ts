import { Composer, isScalar, LineCounter, Parser, visit, type Document } from 'yaml';
import type { Environment } from '../core/client-options.js';
import { ManifestToolError } from '../errors.js';
import { quoteAt, ROOT, SpecNode, withSpaceAfterColon, type SpecSource } from './node.js';

/** Values of `${VAR}` in strings of a spec; undefined leaves the strings as they are. */
export type Variables = Environment | undefined;

/**
 * Parses the documents of a YAML file, each of which is a spec.
 * @throws {ManifestToolError} USAGE if it is not YAML or has no document, with file, line, column
 * and the line itself.
 */
export function specDocuments(text: string, file: string, env: Variables): SpecNode[] {
  const lines = new LineCounter();
  const documents = readDocuments(text, file, lines);
  // A warning is about a directive or tag that is not understood, and would be ignored.
  const error = documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])[0];
  if (error !== undefined) {
    const [offset] = error.pos;
    const { line, col } = lines.linePos(offset);
    const why = `it is not valid YAML: ${error.message}${quoteAt(text, offset)}`;
    throw new ManifestToolError('USAGE', `reading ${file}:${line}:${col}`, why, {
      cause: error,
      hint: yamlHint(error.code, lineAt(text, offset)),
    });
  }
  // A separator at the beginning or end of a file makes an empty document.
  const roots = documents.flatMap((document) => {
    const { contents } = document;
    const isEmpty = isScalar(contents) && contents.value === null;
    if (contents === null || (isEmpty && documents.length > 1)) return [];
    const source = { file, text, document, lines, ...(env && { env }) };
    refuseTags(source);
    return [new SpecNode(source, contents, ROOT)];
  });
  if (roots.length === 0) {
    throw new ManifestToolError('USAGE', `reading ${file}`, 'it is empty', {
      reason: 'spec-empty',
    });
  }
  return roots;
}

/** How to write a line with a common mistake; otherwise where to look. */
function yamlHint(code: string, line: string): string {
  if (code === 'TAB_AS_INDENT') return 'indent with spaces: YAML does not allow tabs';
  const spaced = withSpaceAfterColon(line);
  if ((code === 'MULTILINE_IMPLICIT_KEY' || code === 'MISSING_CHAR') && spaced !== undefined) {
    return `add a space after the colon: ${spaced}`;
  }
  if (code === 'BLOCK_AS_IMPLICIT_KEY')
    return 'align the next line with this key, or quote the value';
  return 'check indentation, brackets and quotes there and in the lines before it';
}

/** The line of a text that contains an offset. */
function lineAt(text: string, offset: number): string {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  return /^[^\r\n]*/.exec(text.slice(start))?.[0] ?? '';
}

/** The YAML tags that specs may use; a value with another tag could be misread. */
const TAGS = new Set([
  '!',
  ...'str int float bool null seq map merge'.split(' ').map((name) => `tag:yaml.org,2002:${name}`),
]);

/** @throws {ManifestToolError} USAGE for a tag, such as `!!binary`, that no value of a spec has. */
function refuseTags(source: SpecSource): void {
  visit(source.document, {
    Node(_, node) {
      const { tag } = node;
      if (tag === undefined || TAGS.has(tag)) return;
      throw new SpecNode(source, node, 'it').error(
        `the tag ${JSON.stringify(tag)} is not supported`,
        {
          hint: 'remove the tag, or quote a value that begins with !',
        },
      );
    },
  });
}

/** Far deeper than any spec, in the parser's count: two for each level. */
const MAX_DEPTH = 200;

class TooDeep extends Error {}

/** A parser with a bound: composing recurses for each level, and would overflow the stack. */
class BoundedParser extends Parser {
  override *next(source: string): ReturnType<Parser['next']> {
    yield* super.next(source);
    if (this.stack.length > MAX_DEPTH) throw new TooDeep();
  }
}

function readDocuments(text: string, file: string, lineCounter: LineCounter): Document[] {
  const composer = new Composer({ merge: true, prettyErrors: false, logLevel: 'error' });
  try {
    return [...composer.compose(new BoundedParser(lineCounter.addNewLine).parse(text))];
  } catch (error) {
    if (!(error instanceof TooDeep)) throw error;
  }
  throw new ManifestToolError('USAGE', `reading ${file}`, 'it is nested too deeply', {
    hint: 'check that it is the right file: a spec is a few levels deep',
  });
}
