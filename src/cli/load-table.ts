import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandTable } from '../grammar/command-table.ts';

/** The commands as data: from the file beside the bundle, or made from the contract where this runs from source. */
export async function loadTable(): Promise<CommandTable> {
  try {
    return JSON.parse(readFileSync(join(import.meta.dirname, 'commands.json'), 'utf8')) as CommandTable;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const [{ operations }, { commandTable }] = await Promise.all([
    import('../contract/operations.ts'),
    import('../grammar/command-table.ts'),
  ]);
  return commandTable(operations);
}
