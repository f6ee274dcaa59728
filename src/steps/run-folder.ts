import {
  closeSync,
  constants,
  fchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  fstatSync,
} from 'node:fs';
import { join } from 'node:path';
import { randomHex } from '../platform/random-hex.ts';
import type { StageResult } from '../contract/stage-result.ts';

/**
 * The run's folder belongs to the work, so that every name in it may be a trap: a link that leads elsewhere, a pipe that
 * never answers. All that takt itself reads or writes there goes through these functions, which hold each folder open
 * and never follow a link.
 */
const OPEN_FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const OPEN_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** A link, a socket, a file where a folder should be, something that may not be opened. */
const TRAP_CODES = ['ELOOP', 'ENXIO', 'EACCES', 'ENOTDIR'];
const RESULTS_FOLDER = '.takt';
const NEWEST_RESULT = '.stage-result.json';
const RESULT_LIMIT_BYTES = 256 * 1024;

/** Who owns what takt makes for the work. */
interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Where a step's stage result lies, within the run's folder. */
export function stageResultPath(step: string, attempt: number): string {
  return `${RESULTS_FOLDER}/${step}-${attempt}.json`;
}

/** Makes a folder of the work if it is not there; the folder above it is takt's. */
export function makeWorkFolder(folder: string, owner: Owner): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const fd = openSync(folder, OPEN_FOLDER);
  try {
    if (fstatSync(fd).uid !== owner.uid) fchownSync(fd, owner.uid, owner.gid);
  } finally {
    closeSync(fd);
  }
}

/** Makes the place for the stage result of an attempt, and takes away what lies there from before. */
export function clearStageResult(runFolder: string, path: string, owner: Owner): void {
  inResultsFolder(runFolder, owner, (results) => rmSync(join(results, nameOf(path)), { force: true, recursive: true }));
}

/** What the work wrote as its result: undefined if nothing, null if it is not a regular file of at most 256 KiB. */
export function readStageResult(runFolder: string, path: string): string | null | undefined {
  return inFolder(runFolder, (run) =>
    inFolder(join(run, RESULTS_FOLDER), (results) => readRegularFile(join(results, nameOf(path)))),
  );
}

/** Puts the result of a step where the next steps and people find it: under its own name, and as the newest. */
export function writeStageResult(runFolder: string, path: string, result: StageResult, owner: Owner): void {
  const text = `${JSON.stringify(result, null, 2)}\n`;
  inResultsFolder(runFolder, owner, (results) => replaceFile(results, nameOf(path), text, owner));
  inFolder(runFolder, (run) => replaceFile(run, NEWEST_RESULT, text, owner));
}

const nameOf = (path: string): string => path.slice(RESULTS_FOLDER.length + 1);

/**
 * Calls `use` with a path that keeps leading to this very folder, whatever its name leads to meanwhile.
 * Undefined if there is none, null if it is something else or closed.
 */
function inFolder<Value>(folder: string, use: (folder: string) => Value): Value | null | undefined {
  return withOpen(folder, OPEN_FOLDER, (fd) => use(`/proc/self/fd/${fd}`));
}

/** Undefined if there is nothing under this name, null if it is a trap. */
function withOpen<Value>(path: string, flags: number, use: (fd: number) => Value): Value | null | undefined {
  let fd: number;
  try {
    fd = openSync(path, flags);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code === 'ENOENT') return undefined;
    if (TRAP_CODES.includes(code)) return null;
    throw error;
  }
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

function inResultsFolder(runFolder: string, owner: Owner, use: (folder: string) => void): void {
  inFolder(runFolder, (run) => {
    const results = join(run, RESULTS_FOLDER);
    const facts = lstatSync(results, { throwIfNoEntry: false });
    // Something else under this name is put aside: it may be work.
    if (facts?.isDirectory() === false) renameSync(results, `${results}-${randomHex(4)}`);
    makeWorkFolder(results, owner);
    inFolder(results, use);
  });
}

function readRegularFile(path: string): string | null | undefined {
  return withOpen(path, OPEN_FILE, (fd) => {
    const facts = fstatSync(fd);
    return facts.isFile() && facts.size <= RESULT_LIMIT_BYTES ? readFileSync(fd, 'utf8') : null;
  });
}

/** A rename replaces a link instead of following it. */
function replaceFile(folder: string, name: string, text: string, owner: Owner): void {
  const temporary = join(folder, `.${randomHex(6)}.tmp`);
  const fd = openSync(temporary, 'wx', 0o644);
  try {
    writeFileSync(fd, text);
    if (fstatSync(fd).uid !== owner.uid) fchownSync(fd, owner.uid, owner.gid);
  } finally {
    closeSync(fd);
  }
  const target = join(folder, name);
  if (lstatSync(target, { throwIfNoEntry: false })?.isDirectory() === true)
    renameSync(target, `${target}-${randomHex(4)}`);
  renameSync(temporary, target);
}
