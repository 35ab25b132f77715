import { spawnSync } from 'node:child_process';
import { find } from './path.mjs';

/** @typedef {import('./tools/index.mjs').Tool} Tool */

/**
 * The tools on this machine with their versions, and those that are missing.
 * @param {readonly Tool[]} tools
 * @returns {{ present: { tool: Tool, version: string }[], missing: string[] }}
 */
export function findTools(tools) {
  const present = [];
  const missing = [];
  for (const tool of tools) {
    const version = versionOf(tool);
    if (version === undefined) missing.push(tool.name);
    else present.push({ tool, version });
  }
  return { present, missing };
}

/** The version of a tool; undefined if it is missing, or if another program has its name. @param {Tool} tool */
function versionOf({ command, version, versionPattern }) {
  const [program = '', ...first] = command;
  const file = program.includes('/') ? program : find(program);
  if (file === undefined) return undefined;
  const { status, stdout, stderr } = spawnSync(file, [...first, ...version], { encoding: 'utf8' });
  const match = status === 0 ? versionPattern.exec(`${stdout}${stderr}`) : null;
  return match === null ? undefined : (match[1] ?? '');
}
