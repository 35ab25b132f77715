import { ManifestToolError } from '../../errors.js';
import type { Verification } from '../../core/read/verify.js';

/** @throws {ManifestToolError} REFUSED with each defect, where there is one. */
export function refuseDefects(name: string, { defects }: Verification): void {
  if (defects.length === 0) return;
  const count = defects.length === 1 ? 'a defect' : `${defects.length} defects`;
  const each = defects.map(({ where, what }) => `${where} ${what}`);
  throw new ManifestToolError('REFUSED', `verifying ${name}`, `${count}: ${each.join('; ')}`, {
    hint: 'push or copy again what is missing or damaged; add and remove change the entries of a list',
  });
}
