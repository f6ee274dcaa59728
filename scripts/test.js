/**
 * Runs the tests: `npm test [-- FILE-OR-OPTION…]`, all of them if no file is named. Options go to `node --test`, such
 * as `--test-name-pattern=…`. `test-reporter.js` names what was skipped; with `CI=true` a skip is a failure.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const PROJECT = join(import.meta.dirname, '..');
const NODE = join(PROJECT, 'node_modules', '.bin', 'node');
const FILES_AT_ONCE = 2;
const TEST_LIMIT_MS = 15 * 60_000;

const args = process.argv.slice(2);
const options = args.filter((arg) => arg.startsWith('-'));
const files = args.filter((arg) => !arg.startsWith('-'));

const bundling = spawnSync(NODE, [join('scripts', 'bundle.js')], { cwd: PROJECT, stdio: 'inherit' });
if (bundling.status !== 0) process.exit(1);

// The tests make homes of their own; what the caller's shell says about a home must not reach them.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TAKT_')));
delete env.NODE_TEST_CONTEXT;
const run = spawnSync(
  NODE,
  [
    '--test',
    `--test-concurrency=${FILES_AT_ONCE}`,
    `--test-timeout=${TEST_LIMIT_MS}`,
    '--test-reporter=./scripts/test-reporter.js',
    '--test-reporter-destination=stdout',
    ...options,
    ...(files.length > 0 ? files : ['test/**/*.test.ts', 'src/**/*.test.ts']),
  ],
  { cwd: PROJECT, env, stdio: 'inherit' },
);
process.exitCode = run.status ?? 1;
