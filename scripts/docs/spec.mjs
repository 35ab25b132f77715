/**
 * Writes the tables of keys in docs/reference/spec.md from specs/spec.schema.json.
 *
 *     node scripts/docs/spec.mjs           writes them
 *     node scripts/docs/spec.mjs --check   exits 1 if the committed page differs
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { withSection } from '../bench/section.mjs';
import { ROOT } from '../project.mjs';

/**
 * @typedef {object} Schema
 * @property {string} [description]
 * @property {string | string[]} [type]
 * @property {string[]} [required]
 * @property {Record<string, Schema>} [properties]
 * @property {Record<string, Schema>} [definitions]
 */

const PAGE = path.join(ROOT, 'docs/reference/spec.md');
/** @type {Schema} */
const schema = JSON.parse(readFileSync(path.join(ROOT, 'specs/spec.schema.json'), 'utf8'));

/** The keys of a mapping, one row each. @param {Schema | undefined} mapping */
function table(mapping) {
  const { properties = {}, required = [] } = mapping ?? {};
  const rows = Object.entries(properties).map(([key, { description = '' }]) => {
    const name = required.includes(key) ? `\`${key}\` (required)` : `\`${key}\``;
    return `| ${name} | ${description.replaceAll('|', String.raw`\|`)} |`;
  });
  return ['| key | value |', '| --- | --- |', ...rows].join('\n');
}

const committed = readFileSync(PAGE, 'utf8');
const made = [
  { name: 'keys-spec', mapping: schema },
  { name: 'keys-entry', mapping: schema.definitions?.['entry'] },
  { name: 'keys-platform', mapping: schema.definitions?.['platform'] },
].reduce((page, { name, mapping }) => withSection(page, name, table(mapping)), committed);
if (made !== committed && process.argv.includes('--check')) {
  console.error('docs/reference/spec.md differs from specs/spec.schema.json: run make docs');
  process.exitCode = 1;
} else if (made !== committed) {
  writeFileSync(PAGE, made);
  console.log('docs/reference/spec.md written');
}
