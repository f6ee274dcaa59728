import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';

const PROJECT = join(import.meta.dirname, '..', '..');

/** What a file loads as soon as it is loaded itself: its static imports and theirs, types left out. */
function loadedWith(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const imports = readFileSync(join(PROJECT, file), 'utf8').matchAll(
    /^import (?!type )[\s\S]*?from '([^']+)'|getBuiltinModule\('([^']+)'\)/gm,
  );
  for (const [, target, builtin] of imports) {
    const name = (target ?? builtin)!;
    if (name.startsWith('.')) loadedWith(relative(PROJECT, join(PROJECT, dirname(file), name)), seen);
    else seen.add(name);
  }
  return seen;
}

test('help and the completion of words load neither schemas nor http', () => {
  const loaded = ['src/bin/cli.ts', 'src/cli/print/help.ts', 'src/cli/print-candidates.ts'].flatMap((file) => [
    ...loadedWith(file),
  ]);

  assert.deepEqual(
    loaded.filter((name) => ['zod', 'yaml', 'node:http', 'node:child_process'].includes(name)),
    [],
  );
});

test('a list loads no schemas, no YAML and no process starter', () => {
  const loaded = ['src/bin/cli.ts', 'src/cli/run-command.ts', 'src/cli/print/workspaces.ts'].flatMap((file) => [
    ...loadedWith(file),
  ]);

  assert.ok(loaded.includes('node:http'), 'the imports are read');
  assert.deepEqual(
    loaded.filter((name) => ['zod', 'yaml', 'node:child_process', 'node:sqlite'].includes(name)),
    [],
  );
});
