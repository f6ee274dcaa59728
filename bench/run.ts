import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Figure, Measured } from './figure.ts';
import { commandStep } from './figures/command-step.ts';
import { listCommand } from './figures/list-command.ts';
import { parallelOutput } from './figures/parallel-output.ts';
import { restingService } from './figures/resting-service.ts';
import { runWorktrees } from './figures/run-worktrees.ts';
import { triggerLatency } from './figures/trigger-latency.ts';
import { workspaceCreate } from './figures/workspace-create.ts';

const figures: readonly Figure[] = [
  workspaceCreate,
  runWorktrees,
  triggerLatency,
  listCommand,
  commandStep,
  restingService,
  parallelOutput,
];
const HELP = `npm run bench -- [NAME…] [--json] [--check]

Measures takt beside the plain tool that does the same work, prints a table and writes bench/results/.
  --json    print the results as JSON
  --check   exit 1 if a figure misses its bar

Figures:
${figures.map(({ name, about }) => `  ${name.padEnd(18)} ${about}`).join('\n')}`;

const words = process.argv.slice(2);
const flags = new Set(words.filter((word) => word.startsWith('--')));
const names = words.filter((word) => !word.startsWith('--'));
const unknown = [
  ...names.filter((name) => !figures.some((figure) => figure.name === name)),
  ...[...flags].filter((flag) => !['--json', '--check', '--help'].includes(flag)),
];

if (flags.has('--help') || unknown.length > 0) {
  console.log(unknown.length > 0 ? `Not known: ${unknown.join(', ')}\n\n${HELP}` : HELP);
  process.exit(unknown.length > 0 ? 2 : 0);
}

const results: { name: string; about: string; measured: Measured }[] = [];
for (const figure of figures.filter(({ name }) => names.length === 0 || names.includes(name))) {
  const measured = await figure.measure((text) => process.stderr.write(`${figure.name}: ${text}\n`));
  results.push({ name: figure.name, about: figure.about, measured });
  if (!flags.has('--json')) print(figure, measured);
}
await store(results);
if (flags.has('--json')) console.log(JSON.stringify(results, null, 2));

const missed = results.flatMap(({ name, measured }) =>
  measured.bars.filter(({ isKept }) => !isKept).map(({ rule }) => `${name}: ${rule}`),
);
if (missed.length > 0) console.error(`\nMissed:\n${missed.map((line) => `  ${line}`).join('\n')}`);
process.exit(flags.has('--check') && missed.length > 0 ? 1 : 0);

function print({ name, about }: Figure, { values, bars }: Measured): void {
  console.log(`\n${name}: ${about}`);
  for (const [key, value] of Object.entries(values))
    console.log(`  ${key.padEnd(28)} ${Number.isInteger(value) ? value : value.toFixed(2)}`);
  for (const { rule, isKept } of bars) console.log(`  ${isKept ? 'kept  ' : 'MISSED'} ${rule}`);
}

async function store(measured: typeof results): Promise<void> {
  const folder = join(import.meta.dirname, 'results');
  await mkdir(folder, { recursive: true });
  const machine = { cores: cpus().length, memoryBytes: totalmem(), node: process.version };
  for (const result of measured) {
    await writeFile(
      join(folder, `${result.name}.json`),
      `${JSON.stringify({ at: new Date().toISOString(), machine, ...result }, null, 2)}\n`,
    );
  }
}
