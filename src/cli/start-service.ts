import { spawn, type ChildProcess } from 'node:child_process';
import { connect } from 'node:net';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault, faults } from '../contract/faults.ts';
import { checkHome } from '../config/init-home.ts';
import { readTextIfThere } from '../platform/files.ts';
import type { HomeLayout } from '../platform/home-layout.ts';
import { pause } from '../platform/wait.ts';
import { isNobodyThere } from './connect.ts';
import { projectFolder } from './project-folder.ts';

const START_LIMIT_MS = 15_000;
const LOOK_EVERY_MS = 20;
/** A start shorter than this is not worth a word. */
const SAY_AFTER_MS = 500;
/** After another process of this home was faster, its socket has to appear within this. */
const OTHER_STARTER_MS = 5_000;
const TAIL_CHARS = 4_000;

export interface StartOptions {
  readonly signal: AbortSignal;
  say(text: string): void;
}

/** Faults if the folder is no home of this takt. */
export async function requireHome(layout: HomeLayout): Promise<void> {
  await checkHome(layout);
}

/** The program and arguments that run the service from source, with the Node that runs this. */
export function serviceCommand(): [program: string, args: string[]] {
  return [process.execPath, [join(projectFolder(), 'src', 'bin', 'service.ts')]];
}

/**
 * Starts the service of a home in the background and waits until it answers: by its systemd unit if it has one that is
 * loaded, so that systemd knows of it. Two starts at once are one service: the second finds the home locked and ends,
 * and the first one's socket answers both.
 */
export async function startService(layout: HomeLayout, { signal, say }: StartOptions): Promise<void> {
  const noteTimer = setTimeout(() => say('starting the service…'), SAY_AFTER_MS);
  try {
    const { loadedUnit, startByUnit } = await import('./service-unit/run-by-unit.ts');
    const unit = await loadedUnit(layout, { signal, say });
    if (unit === undefined) await startInBackground(layout, signal);
    else await startByUnit(unit.file.name, layout, { verb: 'start', answers: () => answers(layout.socket), signal });
  } finally {
    clearTimeout(noteTimer);
  }
}

async function startInBackground(layout: HomeLayout, signal: AbortSignal): Promise<void> {
  const log = await open(layout.serviceStartLog, 'w', 0o600);
  const [program, args] = serviceCommand();
  const child = spawn(program, args, {
    cwd: layout.home,
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: { ...process.env, TAKT_HOME: layout.home },
  });
  await log.close();
  child.unref();
  try {
    await waitForAnswer(layout.socket, child, signal);
  } catch (error) {
    signal.throwIfAborted();
    const detail = ((await readTextIfThere(layout.serviceStartLog)) ?? '').trimEnd().slice(-TAIL_CHARS);
    const hint =
      detail === '' ? '`takt service logs` may say why.' : 'What it said is above; `takt service logs` has the rest.';
    throw new Fault('SERVICE_UNREACHABLE', 'The service did not start.', { detail, hint, cause: error });
  }
}

async function waitForAnswer(socket: string, child: ChildProcess, signal: AbortSignal): Promise<void> {
  let endsAtMs = Date.now() + START_LIMIT_MS;
  let failure: Error | undefined;
  child.once('error', (error) => (failure = error));
  child.once('exit', (code) => {
    if (code === faults.SERVICE_LOCKED.exitCode) endsAtMs = Math.min(endsAtMs, Date.now() + OTHER_STARTER_MS);
    else failure = new Error(`It ended with exit code ${code}.`);
  });
  while (!(await answers(socket))) {
    if (failure !== undefined) throw failure;
    if (Date.now() > endsAtMs) throw new Error('Its socket did not answer in time.');
    await pause(LOOK_EVERY_MS, signal);
  }
}

/** True if somebody takes connections at the socket. */
export function answers(socket: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const connection = connect(socket);
    connection.once('connect', () => {
      connection.destroy();
      resolve(true);
    });
    connection.once('error', (error) => (isNobodyThere(error) ? resolve(false) : reject(error)));
  });
}
