/**
 * Bundles the CLI and the step host into `dist/`, since a process that loads dozens of source files starts four times
 * as slowly as one that loads a bundle. Runs after every `npm ci` and as `npm run bundle`; plain JavaScript, because
 * npm may start it with whatever Node the machine has.
 *
 * Takes place beside running commands and beside other bundlings: every file is written aside and renamed, chunks (named
 * after their content) come before the entries that import them, and old chunks stay for a day.
 */
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';

const PROJECT = join(import.meta.dirname, '..');
const DIST = join(PROJECT, 'dist');
const PINNED_NODE = join(PROJECT, 'node_modules', 'node', 'bin', 'node');
const OLD_CHUNK_MS = 24 * 60 * 60 * 1000;
const TABLE_TIMEOUT_MS = 60_000;

/**
 * What `dist/` starts: the file to run, the bundle that it loads, and the source of the bundle. What `core` imports is
 * kept in one piece; without it, in as many as there are sets of parts that share something.
 */
const entries = [
  { file: 'takt.js', bundle: 'cli', source: 'src/bin/cli.ts' },
  {
    file: 'step-host.js',
    bundle: 'step-host-main',
    source: 'src/bin/step-host.ts',
    core: 'src/steps/carry-out-attempt.ts',
  },
];

const startedAtMs = Date.now();
const [chunks, table] = await Promise.all([bundledFiles(), commandTable()]);
const launchers = entries.map(({ file, bundle }) => ({ name: file, text: launcherOf(bundle) }));
const loads = entries.map(({ bundle }) => `${bundle}.js`);
const files = [
  ...chunks.filter(({ name }) => !loads.includes(name)),
  ...chunks.filter(({ name }) => loads.includes(name)),
  { name: 'commands.json', text: table },
  ...launchers,
];

await writeAside(files);
await removeOldChunks(new Set(files.map(({ name }) => name)));
process.stdout.write(`bundle: ${files.length} files in dist/ after ${Date.now() - startedAtMs} ms\n`);

async function bundledFiles() {
  const bundles = await Promise.all(entries.map(bundledEntry));
  // Parts of two bundles that are the same have the same name.
  return [...new Map(bundles.flat().map((file) => [file.name, file])).values()];
}

async function bundledEntry({ bundle, source, core }) {
  const { outputFiles } = await build({
    absWorkingDir: PROJECT,
    entryPoints: { [bundle]: source },
    outdir: DIST,
    bundle: true,
    splitting: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    minifyWhitespace: true,
    sourcemap: 'linked',
    chunkNames: 'chunk-[hash]',
    // The package's ES module: bundled CommonJS would have only a default export where it is imported dynamically.
    alias: { yaml: join(PROJECT, 'node_modules', 'yaml', 'browser', 'index.js') },
    // Both are large and loaded only where they are needed, by dynamic import.
    external: ['fastify', '@anthropic-ai/claude-agent-sdk'],
    // CommonJS packages ask for Node's own modules by `require`, which an ES module does not have.
    banner: {
      js: "import {createRequire as taktCreateRequire} from 'node:module';const require=taktCreateRequire(import.meta.url);",
    },
    logLevel: 'warning',
    plugins: core === undefined ? [] : [inOnePiece(core)],
  });
  return outputFiles.map(({ path, contents }) => ({ name: path.slice(DIST.length + 1), text: contents }));
}

/**
 * Keeps a module and all that it imports in one chunk: the fewer files a start loads, the faster it is. Modules share a
 * chunk if the same entries and dynamic imports reach them, so that each module is made to reach this one.
 */
function inOnePiece(core) {
  const path = join(PROJECT, core);
  return {
    name: 'in-one-piece',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, async ({ path: source }) => ({
        contents: `${await readFile(source, 'utf8')}\nimport ${JSON.stringify(path)};\n`,
        loader: 'ts',
      }));
    },
  };
}

/** Help and completion read the commands as data, so that they need not load the schemas. */
async function commandTable() {
  const script = join(PROJECT, 'scripts', 'write-command-table.ts');
  const options = { maxBuffer: 16 * 1024 * 1024, timeout: TABLE_TIMEOUT_MS };
  const { stdout } = await promisify(execFile)(PINNED_NODE, [script], options);
  return stdout;
}

/** The cache keeps compiled code beside the bundle. Where that folder cannot be written, Node goes on without a cache. */
function launcherOf(bundle) {
  return [
    "import { enableCompileCache } from 'node:module';",
    "enableCompileCache(import.meta.dirname + '/.cache');",
    `await import('./${bundle}.js');`,
    '',
  ].join('\n');
}

async function writeAside(filesToWrite) {
  const aside = join(DIST, `.writing-${process.pid}`);
  await mkdir(aside, { recursive: true });
  try {
    await Promise.all(filesToWrite.map(({ name, text }) => writeFile(join(aside, name), text)));
    for (const { name } of filesToWrite) await rename(join(aside, name), join(DIST, name));
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

async function removeOldChunks(current) {
  for (const name of await readdir(DIST)) {
    if (!name.startsWith('chunk-') || current.has(name)) continue;
    // Another bundling may have removed it since the listing.
    const found = await stat(join(DIST, name)).catch(() => undefined);
    if (found !== undefined && found.mtimeMs < startedAtMs - OLD_CHUNK_MS) await rm(join(DIST, name), { force: true });
  }
}
