/** Prints the table of commands that `dist/commands.json` holds; `scripts/bundle.js` writes the file. */
import { operations } from '../src/contract/operations.ts';
import { commandTable } from '../src/grammar/command-table.ts';

process.stdout.write(`${JSON.stringify(commandTable(operations))}\n`);
