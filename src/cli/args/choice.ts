import { suggestion } from '../../text.js';
import type { Parsed } from '../command.js';
import { OPTIONS, type Choice, type OptionName } from './options.js';
import { usageError } from './usage.js';

/**
 * The value of an option that has a closed set of them.
 * @throws {ManifestToolError} USAGE where it is given another one.
 */
export function choice<N extends OptionName>(parsed: Parsed, name: N): Choice<N> | undefined {
  const given = parsed.values.get(name)?.[0];
  const values: readonly string[] = OPTIONS[name]!.values ?? [];
  if (given === undefined || values.includes(given)) return given as Choice<N> | undefined;
  const known =
    values.length === 2
      ? `neither ${values.join(' nor ')}`
      : `none of ${values.slice(0, -1).join(', ')} and ${values.at(-1)}`;
  throw usageError(`--${name} ${JSON.stringify(given)} is ${known}${suggestion(given, values)}`);
}
