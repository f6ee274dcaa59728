/**
 * Makes the project ready to run: the packages of package-lock.json, the bundle, and the stamp that tells the launcher
 * so. The launcher calls it under a lock, with the lock's descriptor as argument; calling it where all is well changes
 * nothing but the stamp. Plain JavaScript for the machine's own Node, since the pinned one is part of what it installs.
 *
 * A failed or interrupted installation leaves what was there before, so the next use tries again.
 */
import { execFileSync, spawn } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { missingPackages } from './missing-packages.js';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const MODULES = join(PROJECT, 'node_modules');
const MODULES_BEFORE = join(PROJECT, '.node_modules-before');
const PINNED_NODE = join(MODULES, 'node', 'bin', 'node');
const ENTRY = join(PROJECT, 'dist', 'takt.js');
const GIT_LOG = join(PROJECT, '.git', 'logs', 'HEAD');

const SHOWN_LINES = 15;
const TELL_EVERY_MS = 15_000;
const NODE_STARTS_WITHIN_MS = 20_000;

/** npm names what stopped it by a code; these are those that a user can do something about. */
const reasons = [
  {
    codes: ['ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'ECONNREFUSED', 'ECONNRESET', 'ENETUNREACH', 'ERR_SOCKET_TIMEOUT'],
    says: 'The package registry cannot be reached. Check the network, and the proxy settings of npm if you use one.',
  },
  { codes: ['ENOSPC'], says: 'The disk is full. About 1 GB has to be free.' },
  { codes: ['EACCES', 'EPERM', 'EROFS'], says: 'A file or folder may not be written. See below which.' },
  { codes: ['E401', 'E403'], says: 'The package registry refused access. Check the registry settings of npm.' },
  { codes: ['EUSAGE'], says: 'package.json and package-lock.json do not agree. Restore both as they were committed.' },
];

class InstallFailure extends Error {}

let child;
let stoppedBy;
const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };
for (const signal of Object.keys(signals)) {
  process.on(signal, () => {
    if (stoppedBy === undefined) say('stopping ...');
    stoppedBy = signal;
    // The whole group, since npm starts processes of its own; at once, since npm would go on for many seconds. What it
    // downloaded stays in its cache, and what it unpacked is removed here.
    if (child !== undefined) process.kill(-child.pid, 'SIGKILL');
  });
}

try {
  await prepare();
} catch (error) {
  if (!(error instanceof InstallFailure)) throw error;
  say(error.message);
  process.exitCode = stoppedBy === undefined ? 7 : signals[stoppedBy];
}

async function prepare() {
  if (!areModulesComplete()) await installModules();
  if (isBundleOld()) await bundle();
  try {
    writeFileSync(join(MODULES, '.takt-installed'), '');
  } catch (error) {
    throw new InstallFailure(`${MODULES} may not be written (${error.code}). Let its owner call takt once.`);
  }
}

function areModulesComplete() {
  const installed = join(MODULES, '.package-lock.json');
  return (
    existsSync(installed) &&
    existsSync(PINNED_NODE) &&
    missingPackages(readJson(join(PROJECT, 'package-lock.json')), readJson(installed)).length === 0
  );
}

function isBundleOld() {
  if (!existsSync(ENTRY)) return true;
  return existsSync(GIT_LOG) && statSync(GIT_LOG).mtimeMs > statSync(ENTRY).mtimeMs;
}

async function installModules() {
  try {
    accessSync(PROJECT, constants.W_OK);
  } catch (error) {
    throw new InstallFailure(`${PROJECT} may not be written (${error.code}). Let its owner call takt once.`);
  }
  const isUpdate = existsSync(MODULES);
  const what = 'Node 24, Claude Code and the libraries (about 300 MB to download)';
  say(isUpdate ? `installing what changed in ${what} ...` : `first use: installing ${what} ...`);

  const startedAtMs = Date.now();
  rmSync(MODULES_BEFORE, { recursive: true, force: true });
  if (isUpdate) renameSync(MODULES, MODULES_BEFORE);
  try {
    await run('npm', ['ci', '--include=optional', '--no-audit', '--no-fund'], 'Installing failed.');
    checkModules();
  } catch (error) {
    rmSync(MODULES, { recursive: true, force: true });
    if (isUpdate) renameSync(MODULES_BEFORE, MODULES);
    throw error;
  }
  rmSync(MODULES_BEFORE, { recursive: true, force: true });
  say(`installed in ${seconds(startedAtMs)} s.`);
}

async function bundle() {
  say('bundling the command line ...');
  await run(PINNED_NODE, [join('scripts', 'bundle.js')], 'Bundling the command line failed.');
}

/** What npm passes over without an error: packages it holds to be optional, and install scripts that were not to run. */
function checkModules() {
  const missing = missingPackages(
    readJson(join(PROJECT, 'package-lock.json')),
    readJson(join(MODULES, '.package-lock.json')),
  );
  if (missing.length > 0) {
    throw new InstallFailure(`npm could not bring ${missing.join(', ')}. Check the network, then call takt again.`);
  }
  if (!existsSync(PINNED_NODE)) {
    throw new InstallFailure(
      'npm ran no install scripts, and Node 24 comes by one. `npm config get ignore-scripts` has to say false.',
    );
  }
  try {
    execFileSync(PINNED_NODE, ['-e', '0'], { timeout: NODE_STARTS_WITHIN_MS, stdio: 'pipe' });
  } catch (error) {
    const words = String(error.stderr ?? error.message).trim();
    throw new InstallFailure(`The pinned Node (${PINNED_NODE}) does not start on this machine: ${words}`);
  }
}

/** Runs one program to its end, telling how long it takes; its last lines are shown only if it fails. */
async function run(program, args, failure) {
  if (stoppedBy !== undefined) throw new InstallFailure('stopped; nothing half-made was left.');
  const startedAtMs = Date.now();
  const lines = [];
  const telling = setInterval(() => say(`... ${seconds(startedAtMs)} s`), TELL_EVERY_MS);
  // The lock's descriptor goes along: should this process be killed, the lock lasts until npm is done, too.
  const lock = process.argv[2] === undefined ? [] : [Number(process.argv[2])];
  child = spawn(program, args, { cwd: PROJECT, detached: true, stdio: ['ignore', 'pipe', 'pipe', ...lock] });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      lines.push(...text.split('\n').filter((line) => line.trim() !== '' && !/^npm error +at /.test(line)));
      lines.splice(0, lines.length - 200);
    });
  }
  const exit = await new Promise((resolve) => {
    child.on('error', (error) => resolve(error.code));
    child.on('close', (code, signal) => resolve(code ?? signal));
  });
  child = undefined;
  clearInterval(telling);
  if (stoppedBy !== undefined) throw new InstallFailure('stopped; nothing half-made was left.');
  if (exit !== 0) throw new InstallFailure(explain(failure, exit, lines));
}

function explain(failure, exit, lines) {
  const codes = new Set(lines.flatMap((line) => /\bcode:? '?([A-Z0-9_]+)/.exec(line)?.[1] ?? []));
  const reason = reasons.find((known) => known.codes.some((code) => codes.has(code)));
  const says = reason === undefined ? '' : ` ${reason.says}`;
  // npm begins with what went wrong and may end with pages of usage; other programs end with what went wrong.
  const first = lines.findIndex((line) => line.startsWith('npm error'));
  const told = first === -1 ? lines.slice(-SHOWN_LINES) : lines.slice(first, first + SHOWN_LINES);
  return [`${failure} (${exit})${says} It said:`, ...told.map((line) => `  ${line}`)].join('\n');
}

function say(sentence) {
  process.stderr.write(`takt: ${sentence}\n`);
}

function seconds(sinceMs) {
  return Math.round((Date.now() - sinceMs) / 1000);
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
