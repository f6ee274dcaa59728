import { rm } from 'node:fs/promises';
import type { LocalCall } from '../../cli/local-call.ts';
import type { UnitFile } from '../../cli/service-unit/own-unit.ts';
import { isLoadedFrom, startByUnit } from '../../cli/service-unit/run-by-unit.ts';
import { systemdProgram, type UnitState, unitState } from '../../cli/service-unit/systemctl.ts';
import { answers, startService } from '../../cli/start-service.ts';
import { Fault } from '../../contract/faults.ts';
import { readTextIfThere, writeFileDurably } from '../../platform/files.ts';
import { disableLinger } from './linger.ts';
import { sayingTo } from './stop-service.ts';

/** Addresses of proxies and of agents are nobody else's business. */
export const UNIT_MODE = 0o600;
const UNDO_LIMIT_MS = 60_000;

/** How things were before an installation, and what it wrote. */
export interface Before {
  readonly unit: UnitFile;
  /** What it wrote. */
  readonly text: string;
  readonly state: UnitState | undefined;
  /** The service that ran outside the unit, once it was stopped for it. */
  readonly stopped: { pid: number | null; port: number };
  /** True once lingering, which was off, is to be enabled. */
  lingerWasOff: boolean;
}

type Cancellable = { readonly signal: AbortSignal };

/**
 * The unit as it was before, and somebody who serves the home if somebody did; with a signal of its own. Only what this
 * installation wrote is taken back, and the error that led here is the one to tell.
 */
export async function takeBack(call: LocalCall, before: Before): Promise<void> {
  const signal = AbortSignal.timeout(UNDO_LIMIT_MS);
  try {
    if (before.lingerWasOff) await disableLinger({ signal });
    if (before.unit.text === undefined) await removeUnit(before, { signal });
    else await restoreUnit(call, before, { signal });
    if (before.stopped.pid !== null) await serveAgain(call, before, signal);
  } catch (error) {
    if (!(error instanceof Fault) && !signal.aborted) throw error;
    sayingTo(call)(`not all was taken back: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function removeUnit({ unit: { name, path }, text }: Before, options: Cancellable): Promise<void> {
  // Another home may have it by now.
  if ((await readTextIfThere(path)) !== text) return;
  const state = await unitState(name, options);
  if (state !== undefined && (await isLoadedFrom(path, state))) await act(['disable', '--now', name], options);
  await rm(path, { force: true });
  await act(['daemon-reload'], options);
}

async function restoreUnit(call: LocalCall, { unit, state, text }: Before, options: Cancellable): Promise<void> {
  const there = await readTextIfThere(unit.path);
  if (there === text && text !== unit.text) await writeFileDurably(unit.path, unit.text ?? '', UNIT_MODE);
  await act(['daemon-reload'], options);
  if (state?.isEnabled === false) await act(['disable', unit.name], options);
  if (state?.isActive === true) {
    const { layout } = call.place;
    const isThere = (): Promise<boolean> => answers(layout.socket);
    if (!(await isThere())) await startByUnit(unit.name, layout, { verb: 'restart', answers: isThere, ...options });
  } else await act(['stop', unit.name], options);
}

/** What fails here fails beside the error that is told. */
const act = (args: string[], options: Cancellable): ReturnType<typeof systemdProgram> =>
  systemdProgram('systemctl', ['--user', ...args], options);

async function serveAgain(call: LocalCall, { stopped }: Before, signal: AbortSignal): Promise<void> {
  const { layout } = call.place;
  try {
    if (await answers(layout.socket)) return;
    // This process ends soon, and the service is to have the port that it had.
    process.env['TAKT_PORT'] = String(stopped.port);
    await startService(layout, { signal, say: () => undefined });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    sayingTo(call)(`the service that ran before was not started again: ${error.message}`);
  }
}
