import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { LocalCall } from '../../cli/local-call.ts';
import { placeForUnit, type UnitFile, unreadableFault } from '../../cli/service-unit/own-unit.ts';
import { isLoadedFrom, startByUnit } from '../../cli/service-unit/run-by-unit.ts';
import { systemctl, type UnitState, unitState, unitWords } from '../../cli/service-unit/systemctl.ts';
import { isSameUnit, markOf, withMark } from '../../cli/service-unit/unit-text.ts';
import { answers } from '../../cli/start-service.ts';
import { Fault } from '../../contract/faults.ts';
import type { InstalledUnit } from '../../contract/service-unit.ts';
import { createFileDurably, makeFolder, writeFileDurably } from '../../platform/files.ts';
import { randomHex } from '../../platform/random-hex.ts';
import { readServiceFile } from '../../service/service-file.ts';
import { enableLinger, readLinger } from './linger.ts';
import { stopByAsking } from './stop-service.ts';
import { type Before, takeBack, UNIT_MODE } from './take-back.ts';

/** Each name is lost once at most to another home that installs at the same time. */
const TRIES = 4;

type Done = Pick<InstalledUnit, 'file' | 'service' | 'stoppedPid' | 'isEnabled' | 'isActive' | 'isStale'> & {
  unit: UnitFile;
};

/**
 * Writes the unit of a home, loads, enables and starts it. What fails is undone: the unit is as it was, and a service that
 * ran before runs again. Faults: UNIT_TAKEN, UNIT_FAILED, and those of a start.
 */
export async function putInPlace(call: LocalCall, wanted: string): Promise<Done> {
  const before = await writeUnit(call, wanted);
  const { unit, text } = before;
  const file = unit.text === undefined ? 'written' : unit.text === text ? 'unchanged' : 'replaced';
  try {
    await systemctl(['daemon-reload'], call);
    await requireLoaded(call, unit);
    if (call.params['linger'] === true) {
      before.lingerWasOff = (await readLinger(call)) === 'off';
      await enableLinger(call);
    }
    if (call.params['start'] !== false) await systemctl(['enable', unit.name], call);
    const service = call.params['start'] === false ? 'left' : await handOver(call, before);
    const { isEnabled, isActive, mainPid } = await requireLoaded(call, unit);
    const isStale = mainPid !== 0 && !(await runsBy(mainPid, text));
    return { unit, file, service, stoppedPid: before.stopped.pid, isEnabled, isActive, isStale };
  } catch (error) {
    await takeBack(call, before);
    throw error;
  }
}

/** Takes the first free name, or writes over the home's own unit; whoever is faster has a name. */
async function writeUnit(call: LocalCall, wanted: string): Promise<Before> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const unit = await placeForUnit(call.place.layout);
    if (unit.isEdited && call.params['force'] !== true)
      throw new Fault('UNIT_TAKEN', `${unit.path} was edited since takt wrote it.`, {
        hint: `\`takt service install --force\` writes over it; \`systemctl --user edit ${unit.name}\` keeps changes beside it.`,
      });
    const state = await unitState(unit.name, call);
    await refuseForeign(unit, state);
    const text = textFor(unit, wanted);
    if (await isWritten(unit, text)) return { unit, text, state, stopped: { pid: null, port: 0 }, lingerWasOff: false };
  }
  throw new Fault('UNIT_TAKEN', `Other homes take each name for a unit of ${call.place.layout.home}.`, {
    hint: 'Install once more when they are done.',
  });
}

/** An edited text keeps its mark, and so does the service that runs by it: what is written over it gets another. */
function textFor({ text, isEdited }: UnitFile, wanted: string): string {
  return text !== undefined && !isEdited && isSameUnit(text, wanted) ? text : withMark(wanted, randomHex(6));
}

/** False if another home has taken the name meanwhile. */
async function isWritten({ path, text: there }: UnitFile, text: string): Promise<boolean> {
  if (there === text) return true;
  const folder = dirname(path);
  try {
    await makeFolder(folder);
    if (there === undefined) return await createFileDurably(path, text, UNIT_MODE);
    await writeFileDurably(path, text, UNIT_MODE);
    return true;
  } catch (error) {
    throw unreadableFault(folder, error);
  }
}

/** What systemd has under that name from elsewhere may be the unit of another home: it is not touched. */
async function refuseForeign({ name, path }: UnitFile, state: UnitState | undefined): Promise<void> {
  if (state === undefined || !state.isLoaded || (await isLoadedFrom(path, state))) return;
  throw new Fault('UNIT_TAKEN', `The user's systemd has ${name} from ${state.path}, and would not take ${path}.`, {
    hint: 'Set HOME and XDG_CONFIG_HOME as they are for systemd (`systemctl --user show-environment`), and install again.',
  });
}

async function requireLoaded(call: LocalCall, { name, path }: UnitFile): Promise<UnitState> {
  const state = await unitState(name, call);
  if (state !== undefined && (await isLoadedFrom(path, state))) return state;
  throw new Fault('UNIT_FAILED', `The user's systemd does not take ${path}.`, {
    detail: await unitWords(name, call),
    hint: '`systemctl --user show --property=UnitPath` says where it looks; XDG_CONFIG_HOME has to be the same for it.',
  });
}

/** A service outside the unit holds the home's lock, so that it has to end before the unit's can begin. */
async function handOver(call: LocalCall, { unit: { name }, text, stopped }: Before): Promise<InstalledUnit['service']> {
  const { layout } = call.place;
  const isThere = (): Promise<boolean> => answers(layout.socket);
  const { mainPid = 0 } = (await unitState(name, call)) ?? {};
  if (mainPid !== 0 && (await runsBy(mainPid, text)) && (await isThere())) return 'running';
  if (mainPid === 0) {
    stopped.port = (await readServiceFile(layout))?.port ?? 0;
    stopped.pid = (await stopByAsking(call)) ?? null;
  }
  const verb = mainPid === 0 ? 'start' : 'restart';
  await startByUnit(name, layout, { verb, answers: isThere, signal: call.signal });
  return verb === 'start' ? 'started' : 'restarted';
}

/** True if a process was started by the unit as it was written last: after `--no-start` another one may still run. */
async function runsBy(pid: number, text: string): Promise<boolean> {
  const mark = markOf(text);
  try {
    const variables = (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0');
    return mark !== undefined && variables.includes(mark);
  } catch (error) {
    // It has just ended, or is not this user's: then it is none of this text.
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}
