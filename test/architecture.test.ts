import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

/** Which folders of `src/` each folder may import, types included; `docs/ARCHITECTURE.md` says why. */
const mayImport: Record<string, readonly string[]> = {
  contract: [],
  platform: [],
  grammar: ['contract'],
  pipeline: ['contract'],
  client: ['contract'],
  store: ['contract', 'platform'],
  git: ['contract', 'platform'],
  github: ['contract', 'platform'],
  agents: ['contract', 'platform'],
  confinement: ['contract', 'platform'],
  targets: ['contract', 'platform'],
  config: ['contract', 'platform'],
  meta: ['contract', 'pipeline'],
  mcp: ['contract', 'client'],
  engine: ['contract', 'pipeline', 'store', 'platform'],
  steps: ['contract', 'platform', 'git', 'github', 'agents', 'confinement', 'targets', 'client'],
  cli: ['client', 'contract', 'grammar', 'config', 'platform'],
  surfaces: ['client', 'contract', 'grammar'],
};
const folders = [...Object.keys(mayImport), 'service', 'bin'];
mayImport.service = folders.filter((folder) => !['cli', 'bin', 'surfaces'].includes(folder));
mayImport.bin = folders.filter((folder) => folder !== 'surfaces');

/** Folders that have to work where there is no Node, such as in a browser, and the packages that they may use there. */
const worksAnywhere: Record<string, readonly string[]> = { contract: ['zod'], grammar: [], pipeline: ['zod'] };

const COMPUTED = 'a computed name (write the name out, so that this test can read it)';

/** What a source file imports, as written: static, dynamic and type imports, and `export … from`. */
function importsIn(source: string): string[] {
  const statements = source.matchAll(/^(?:import|export)\s+(?:type\s+)?[\w*{][^;'"]*?\sfrom\s+['"]([^'"]+)['"]/gm);
  const effects = source.matchAll(/^import\s+['"]([^'"]+)['"]/gm);
  const calls = source.matchAll(/\bimport\(\s*(?:\/\*[^*]*\*\/\s*)?(?:['"]([^'"]+)['"])?/g);
  return [...statements, ...effects, ...calls].map(([, target]) => target ?? COMPUTED);
}

/** `git` for `src/git/…`, `surfaces` for `surfaces/…`; what else the project has is named by its path. */
function folderOf(path: string): string {
  const [top, below] = path.split('/');
  return top === 'src' && path.split('/').length > 2 ? below! : top === 'surfaces' ? top : path;
}

/** The forbidden arrows of one file, whose path is relative to the project. */
function violationsOf(file: string, source: string): string[] {
  const from = folderOf(file);
  const allowed = mayImport[from];
  if (allowed === undefined) return [`${file}: ${from} has no row in this test; every folder of src/ needs one`];
  return importsIn(source).flatMap((target) => {
    if (!target.startsWith('.')) return isPackageAllowed(file, target) ? [] : [`${file} -> ${target}`];
    const path = join(dirname(file), target);
    const to = folderOf(path);
    return to === from || to === 'package.json' || allowed.includes(to) ? [] : [`${file} -> ${path}`];
  });
}

function isPackageAllowed(file: string, target: string): boolean {
  const allowed = worksAnywhere[folderOf(file)];
  if (target === COMPUTED) return false;
  if (allowed === undefined || file.endsWith('.test.ts')) return true;
  return allowed.includes(target.split('/')[0]!);
}

test('folders import only what the architecture allows', () => {
  const project = join(import.meta.dirname, '..');
  const files = globSync(['src/**/*.{ts,tsx,js}', 'surfaces/*/src/**/*.{ts,tsx}'], { cwd: project });

  const violations = files.flatMap((file) => violationsOf(file, readFileSync(join(project, file), 'utf8')));

  const advice = 'Move the code to where its imports are allowed, or change the law in docs/ARCHITECTURE.md and here.';
  assert.deepEqual(violations.toSorted(), [], `${advice}\n${violations.join('\n')}`);
});

test('a folder has a row only if the architecture page describes it', () => {
  const page = readFileSync(join(import.meta.dirname, '..', 'docs', 'ARCHITECTURE.md'), 'utf8');

  const undescribed = folders.filter((folder) => !page.includes(`\`${folder}/\``));

  assert.deepEqual(undescribed, [], 'Describe these folders in docs/ARCHITECTURE.md.');
});

test('the law finds every kind of forbidden import', () => {
  const forbidden: [file: string, source: string, violation: string][] = [
    ['src/client/a.ts', "import { x } from '../service/http/runs.ts';", 'src/client/a.ts -> src/service/http/runs.ts'],
    ['src/git/a.ts', "import type { X } from '../store/x.ts';", 'src/git/a.ts -> src/store/x.ts'],
    ['src/git/a.ts', "import {\n  a,\n  type B,\n} from '../engine/x.ts';", 'src/git/a.ts -> src/engine/x.ts'],
    ['src/git/a.ts', "import '../cli/x.ts';", 'src/git/a.ts -> src/cli/x.ts'],
    ['src/git/a.ts', "export * from '../cli/x.ts';", 'src/git/a.ts -> src/cli/x.ts'],
    ['src/git/a.ts', "export type { X } from '../cli/x.ts';", 'src/git/a.ts -> src/cli/x.ts'],
    ['src/git/a.ts', "const x = await import('../cli/x.ts');", 'src/git/a.ts -> src/cli/x.ts'],
    ['src/git/a.ts', "type X = import('../cli/x.ts').X;", 'src/git/a.ts -> src/cli/x.ts'],
    ['src/git/a.ts', 'const x = await import(`../${folder}/x.ts`);', `src/git/a.ts -> ${COMPUTED}`],
    ['src/git/a.ts', "import { x } from '../../bench/x.ts';", 'src/git/a.ts -> bench/x.ts'],
    ['src/service/a.ts', "import { x } from '../cli/x.ts';", 'src/service/a.ts -> src/cli/x.ts'],
    ['src/contract/a.ts', "import { join } from 'node:path';", 'src/contract/a.ts -> node:path'],
    ['src/contract/a.ts', "import { parse } from 'yaml';", 'src/contract/a.ts -> yaml'],
    ['surfaces/gui/src/a.ts', "import { x } from '../../../src/git/x.ts';", 'surfaces/gui/src/a.ts -> src/git/x.ts'],
  ];

  const found = forbidden.map(([file, source]) => violationsOf(file, source));

  assert.deepEqual(
    found,
    forbidden.map(([, , violation]) => [violation]),
  );
});

test('the law lets allowed imports pass and asks for a row of each folder', () => {
  const source = [
    "import { z } from 'zod';",
    "import { Run } from './run.ts';",
    '// import { x } from the service, as a comment says',
    "const words = 'taken from here';",
  ].join('\n');

  assert.deepEqual(violationsOf('src/contract/a.ts', source), []);
  assert.deepEqual(violationsOf('src/bin/a.ts', "import { x } from '../service/x.ts';"), []);
  assert.match(violationsOf('src/newcomer/a.ts', '').join(), /newcomer has no row/);
  assert.match(violationsOf('src/stray.ts', '').join(), /stray\.ts has no row/);
});
