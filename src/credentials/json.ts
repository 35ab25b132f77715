import { configError, FORM_HINT } from './errors.js';

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Parses a config. Nothing but blanks is an empty one, as in docker and podman (`--authfile
 * /dev/null`).
 * @throws {ManifestToolError} CONFIG where it is no JSON, or JSON that is no object. The engine's
 * own error is neither shown nor kept as the cause: it quotes the text, which can be a password.
 */
export function parseObject(what: string, text: string): JsonObject {
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw configError(what, `it is not JSON${position(text, error)}`, {
      hint: 'a JSON file has no comments, no comma after the last member, and double quotes',
    });
  }
  if (!isObject(value))
    throw configError(what, 'it is JSON, but not an object', { hint: FORM_HINT });
  return value;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A member by its name, in any case where this very name is not there: so Go reads JSON, and with
 * it docker and its helpers.
 */
export function member(object: JsonObject, name: string): unknown {
  if (Object.hasOwn(object, name)) return object[name];
  const lower = name.toLowerCase();
  const key = Object.keys(object).find((each) => each.toLowerCase() === lower);
  return key === undefined ? undefined : object[key];
}

/**
 * Where the fault is, as far as the engine tells. The end of its message holds no text of the
 * config.
 */
function position(text: string, error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  const at = / at position (\d+)(?: \(line \d+ column \d+\))?$/.exec(message)?.[1];
  const isCutOff = message === 'Unexpected end of JSON input';
  if (at === undefined) return isCutOff ? ': it is cut off' : '';
  const lines = text.slice(0, Number(at)).split('\n');
  return ` at ${lines.length}:${(lines.at(-1) ?? '').length + 1}`;
}
