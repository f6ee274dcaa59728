import { writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Fault } from '../../contract/faults.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import { pause } from '../../platform/wait.ts';
import { ownUnit, realPathIfThere, type UnitFile } from './own-unit.ts';
import { askSystemd, systemctl, type UnitState, unitState, unitWords } from './systemctl.ts';

type Cancellable = { readonly signal: AbortSignal };

const START_LIMIT_MS = 20_000;
const LOOK_EVERY_MS = 20;
const ASK_SYSTEMD_EVERY_MS = 500;
const START_HINT = '`takt service install` writes the unit anew; `takt doctor` says what is wrong with it.';

/**
 * This home's unit, if it has one and the user's systemd has loaded that very file; else the service goes without. So it
 * does too, and `say` gets a sentence, where the unit cannot be read or systemd is silent.
 */
export async function loadedUnit(
  layout: HomeLayout,
  { signal, say }: Cancellable & { say(text: string): void },
): Promise<{ file: UnitFile; state: UnitState } | undefined> {
  try {
    const file = await ownUnit(layout);
    if (file === undefined) return undefined;
    const state = await unitState(file.name, { signal });
    return state !== undefined && (await isLoadedFrom(file.path, state)) ? { file, state } : undefined;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    say(`${error.message} takt goes on without a unit.`);
    return undefined;
  }
}

/** True if that file is what the user's systemd took the unit from: it may look for units in another folder. */
export async function isLoadedFrom(path: string, { isLoaded, path: loaded }: UnitState): Promise<boolean> {
  return isLoaded && loaded !== '' && (await realPlace(loaded)) === (await realPlace(path));
}

/** Where a path leads; of a file that is not there, or no longer, the folder counts. */
async function realPlace(path: string): Promise<string> {
  return (await realPathIfThere(path)) ?? join((await realPathIfThere(dirname(path))) ?? dirname(path), basename(path));
}

/**
 * Lets systemd start (or restart) the service, and waits until it `answers`. Faults: UNIT_FAILED, and
 * SERVICE_UNREACHABLE with systemd's words if it does not come up.
 */
export async function startByUnit(
  name: string,
  layout: HomeLayout,
  {
    answers,
    verb,
    signal,
  }: Cancellable & { readonly answers: () => Promise<boolean>; readonly verb: 'start' | 'restart' },
): Promise<void> {
  // What an earlier start in the background printed is not about this one.
  await writeFile(layout.serviceStartLog, '', { mode: 0o600 });
  // Too many failures in a row must not stand against a start that somebody asks for; without one this says no.
  await askSystemd('systemctl', ['--user', 'reset-failed', name], { signal });
  await systemctl([verb, name], { signal, hint: START_HINT });
  const endsAtMs = Date.now() + START_LIMIT_MS;
  let asksAtMs = Date.now() + ASK_SYSTEMD_EVERY_MS;
  while (!(await answers())) {
    const isOver = Date.now() > endsAtMs || (Date.now() > asksAtMs && (await hasEnded(name, { signal })));
    if (isOver && !(await answers()))
      throw new Fault('SERVICE_UNREACHABLE', `The service did not start as ${name}.`, {
        detail: await unitWords(name, { signal }),
        hint: `\`takt service logs\` and \`journalctl --user --unit ${name}\` may say why; \`takt service install\` writes the unit anew.`,
      });
    if (Date.now() > asksAtMs) asksAtMs = Date.now() + ASK_SYSTEMD_EVERY_MS;
    await pause(LOOK_EVERY_MS, signal);
  }
}

async function hasEnded(name: string, options: Cancellable): Promise<boolean> {
  const state = await unitState(name, options);
  return state === undefined || !state.isActive || state.isBetweenTries;
}
