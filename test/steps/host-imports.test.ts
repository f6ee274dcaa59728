import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';

const SOURCE = join(import.meta.dirname, '..', '..', 'src');
/** Imports of values; those of types alone load nothing. */
const IMPORT = /^import (?!type )(?:[^']*? from )?'([^']+)';/gm;

/** What a module loads before it runs, by the ways that lead there; dynamic imports are not followed. */
function loadedBy(entry: string): Map<string, string> {
  const ways = new Map<string, string>([[entry, relative(SOURCE, entry)]]);
  for (const [file, way] of ways) {
    if (!file.endsWith('.ts')) continue;
    for (const [, name] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
      const target = name!.startsWith('.') ? join(dirname(file), name!) : name!;
      if (!ways.has(target)) ways.set(target, `${way} → ${name!.replace(/^(\.+\/)+/, '')}`);
    }
  }
  return ways;
}

test('what each short attempt runs through loads neither schemas nor crypto, which take longer than all of its work', () => {
  for (const entry of ['bin/step-host.ts', 'steps/collect-work.ts']) {
    const ways = loadedBy(join(SOURCE, entry));

    assert.ok(ways.size > 5, entry);
    for (const slow of ['zod', 'node:crypto', 'node:http']) assert.equal(ways.get(slow), undefined, entry);
  }
});
