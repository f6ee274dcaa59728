/**
 * Everything that can be said about the project without running it: `npm run check [-- PART…]`. The parts run side by
 * side; what a failing part printed is shown when it ends, and the last lines are one per part.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const PROJECT = join(import.meta.dirname, '..');
const LIMIT_MS = 5 * 60_000;

const tests = (...patterns) => ['node', '--test', '--test-reporter=spec', ...patterns];

const parts = {
  types: ['tsc', '--project', 'tsconfig.json'],
  lint: ['oxlint'],
  format: ['oxfmt', '--check'],
  'dead code': ['knip', '--no-progress'],
  house: tests('test/architecture.test.ts', 'test/tidy.test.ts'),
  docs: tests('test/docs*.test.ts'),
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(parts, name));
if (unknown.length > 0) {
  process.stderr.write(`check: no part is called ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}\n`);
  process.exit(2);
}

const results = await Promise.all(
  Object.entries(parts)
    .filter(([name]) => wanted.length === 0 || wanted.includes(name))
    .map(([name, command]) => check(name, command)),
);
process.stdout.write('\n');
for (const { name, isPassed, elapsedMs } of results) {
  process.stdout.write(`${isPassed ? 'pass' : 'FAIL'}  ${name.padEnd(10)} ${(elapsedMs / 1000).toFixed(1)} s\n`);
}
const failed = results.filter(({ isPassed }) => !isPassed);
process.stdout.write(
  failed.length === 0 ? 'check passed\n' : `check failed: ${failed.map(({ name }) => name).join(', ')}\n`,
);
process.exitCode = failed.length === 0 ? 0 : 1;

async function check(name, [program, ...args]) {
  const startedAtMs = Date.now();
  const { exit, output } = await run(join(PROJECT, 'node_modules', '.bin', program), args);
  const isPassed = exit === 0;
  if (!isPassed) process.stdout.write(`\n── ${name} (${exit})\n${output.trimEnd()}\n`);
  return { name, isPassed, elapsedMs: Date.now() - startedAtMs };
}

function run(program, args) {
  return new Promise((resolve) => {
    let output = '';
    // A test file started by another test run would report to that run instead of printing.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const child = spawn(program, args, { cwd: PROJECT, env, timeout: LIMIT_MS, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    }
    child.on('error', (error) => resolve({ exit: error.code, output: error.message }));
    child.on('close', (code, signal) => resolve({ exit: code ?? signal, output }));
  });
}
