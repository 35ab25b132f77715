/** What expressions may speak of: `inputs`, `steps` and so on. */
export type Contexts = Readonly<Record<string, unknown>>;

const TOKEN = /\s*(?:'((?:[^']|'')*)'|(==|!=|\|\|)|([A-Za-z_][\w-]*(?:\.[\w-]+)*))/y;

/** A text with its `${{ }}` filled in, as the runner does it: what an expression gives is text, and is not looked at again. */
export function fillIn(text: string, contexts: Contexts): string {
  return text.replaceAll(/\$\{\{(.*?)\}\}/g, (_, expression: string) =>
    evaluate(expression, contexts),
  );
}

/** Whether an `if:` holds. */
export function holds(condition: string, contexts: Contexts): boolean {
  return !['', 'false'].includes(evaluate(condition.replace(/^\$\{\{(.*)\}\}$/, '$1'), contexts));
}

/**
 * The part of the language that the Action and the examples need: properties, texts, `==`, `!=`, and `||`, which binds least.
 * @throws {Error} for anything else, so that no expression is taken for what it is not.
 */
function evaluate(expression: string, contexts: Contexts): string {
  const values: string[] = [];
  const operators: string[] = [];
  TOKEN.lastIndex = 0;
  for (let end = 0; end < expression.trimEnd().length; end = TOKEN.lastIndex) {
    const [, quoted, operator, path] = TOKEN.exec(expression) ?? [];
    const isValue = values.length === operators.length;
    if (operator === undefined && quoted === undefined && path === undefined)
      throw new Error(`the test does not understand the expression ${expression}`);
    if (isValue !== (operator === undefined)) throw new Error(`bad expression ${expression}`);
    if (operator !== undefined) operators.push(operator);
    else values.push(quoted?.replaceAll("''", "'") ?? property(path!, contexts));
  }
  if (values.length !== operators.length + 1) throw new Error(`bad expression ${expression}`);
  const alternatives = [values[0]!];
  for (const [i, operator] of operators.entries()) {
    const right = values[i + 1]!;
    if (operator === '||') alternatives.push(right);
    else {
      // GitHub compares texts without regard to case.
      const isEqual = alternatives.pop()!.toLowerCase() === right.toLowerCase();
      alternatives.push(String(isEqual === (operator === '==')));
    }
  }
  return alternatives.find((value) => value !== '' && value !== 'false') ?? alternatives.at(-1)!;
}

function property(path: string, contexts: Contexts): string {
  const [context, ...names] = path.split('.');
  if (!Object.hasOwn(contexts, context!)) throw new Error(`there is no context ${context} here`);
  let value: unknown = contexts[context!];
  for (const name of names) value = (value as Record<string, unknown> | undefined)?.[name];
  if (value !== undefined && typeof value !== 'string') throw new Error(`${path} is no text`);
  return value ?? '';
}
