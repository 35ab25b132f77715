import { Composer, isScalar, LineCounter, Parser, type Document } from 'yaml';
import { ManifestToolError } from '../errors.js';
import type { Environment } from '../core/client-options.js';
import { SpecNode } from './node.js';
import { quoteAt } from './quote.js';

/** Where `${VAR}` and `${VAR:-default}` in texts are replaced from; left as they are where it is undefined. */
export type Variables = Environment | undefined;

/**
 * The documents of a YAML file: each is a spec.
 * @throws {ManifestToolError} USAGE with file, line, column and what stands there, where it is no YAML.
 */
export function specDocuments(text: string, file: string, env: Variables): SpecNode[] {
  const lines = new LineCounter();
  const documents = readDocuments(text, file, lines);
  const error = documents.flatMap(({ errors }) => errors)[0];
  if (error !== undefined) {
    const [offset] = error.pos;
    const { line, col } = lines.linePos(offset);
    const why = `it is no YAML: ${error.message}${quoteAt(text, offset)}`;
    throw new ManifestToolError('USAGE', `reading ${file}:${line}:${col}`, why, {
      cause: error,
      hint: 'check indentation, brackets and quotes there and in the lines before it',
    });
  }
  // A separator at the beginning or the end of a file makes a document of nothing.
  const roots = documents.flatMap((document) => {
    const { contents } = document;
    const isNothing = isScalar(contents) && contents.value === null;
    if (contents === null || (isNothing && documents.length > 1)) return [];
    return [
      new SpecNode({ file, text, document, lines, ...(env && { env }) }, contents, 'the spec'),
    ];
  });
  if (roots.length === 0) {
    throw new ManifestToolError('USAGE', `reading ${file}`, 'it is empty', {
      hint: 'spec from REF writes a spec of what is published, for example',
    });
  }
  return roots;
}

/** Far more than a spec has, counted as the parser does: two for each level. */
const MAX_DEPTH = 200;

class TooDeep extends Error {}

/** What is made of its tokens calls itself for each level of a document: one without end would leave the process without room. */
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
    hint: 'check that it is the file that is meant: a spec is a few levels deep',
  });
}
