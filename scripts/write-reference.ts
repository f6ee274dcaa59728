/**
 * Writes the reference pages that are made from the code: `docs/reference/cli.md` and `docs/reference/faults.md`.
 * `node scripts/write-reference.ts`; a test compares the pages with what this would write.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { referencePages } from './reference-pages.ts';

const PROJECT = join(import.meta.dirname, '..');

for (const [path, text] of Object.entries(referencePages())) writeFileSync(join(PROJECT, path), text);
