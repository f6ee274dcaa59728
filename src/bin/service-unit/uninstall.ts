import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { userInfo } from 'node:os';
import { jsonText } from '../../cli/clean-text.ts';
import type { LocalCall } from '../../cli/local-call.ts';
import { removedText } from '../../cli/print/service-unit.ts';
import { ownUnit, realPathIfThere, type UnitFile } from '../../cli/service-unit/own-unit.ts';
import { isLoadedFrom } from '../../cli/service-unit/run-by-unit.ts';
import { requireUserSystemd, systemctl, systemdProgram, unitState } from '../../cli/service-unit/systemctl.ts';
import { Fault } from '../../contract/faults.ts';
import type { RemovedUnit } from '../../contract/service-unit.ts';
import { shellWord } from '../../git/shell-word.ts';
import { isThere } from '../../platform/files.ts';
import { readLinger } from './linger.ts';
import { localHome } from './stop-service.ts';

/** Stops the service of this home if its unit runs it, and removes the unit; whatever else there is stays, and is named. */
export async function uninstall(call: LocalCall): Promise<number> {
  const { params, flags, terminal } = call;
  const { layout } = localHome(call);
  const file = await ownUnit(layout);
  const reply = file === undefined ? noUnit() : await remove(call, file, params['force'] === true);
  await terminal.write(flags.json ? `${jsonText(reply, 2)}\n` : removedText(reply, layout.home, terminal.page));
  return 0;
}

const noUnit = (): RemovedUnit => ({ unit: null, path: null, isStopped: false, left: [] });

async function remove(call: LocalCall, { name, path, isEdited }: UnitFile, isForced: boolean): Promise<RemovedUnit> {
  if (isEdited && !isForced)
    throw new Fault('UNIT_TAKEN', `${path} was edited since takt wrote it.`, {
      hint: '`takt service uninstall --force` removes it all the same.',
    });
  await requireSystemdFor(call, path);
  const state = await unitState(name, call);
  const isOurs = state !== undefined && (await isLoadedFrom(path, state));
  // Under the same name systemd may have the unit of another home, which is not to be stopped.
  if (isOurs) await systemctl(['disable', '--now', name], call);
  else await removeOwnLink(path);
  await rm(path, { force: true });
  await systemctl(['daemon-reload'], call);
  if (!isOurs) return { unit: name, path, isStopped: false, left: await whatIsLeft(call, path) };
  // A unit that failed is kept in mind until then; one that did not makes this fail, which is as well.
  await systemdProgram('systemctl', ['--user', 'reset-failed', name], call);
  return { unit: name, path, isStopped: state.isActive, left: await whatIsLeft(call, path) };
}

/** The link that enables it. */
const linkOf = (path: string): string => join(dirname(path), 'default.target.wants', basename(path));

async function removeOwnLink(path: string): Promise<void> {
  const [link, file] = [await realPathIfThere(linkOf(path)), await realPathIfThere(path)];
  if (link !== undefined && link === file) await rm(linkOf(path), { force: true });
}

async function requireSystemdFor(call: LocalCall, path: string): Promise<void> {
  try {
    await requireUserSystemd(call.place.layout, call);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const link = linkOf(path);
    throw new Fault(error.code, 'No systemd of this user answers, so it cannot be told to forget the unit.', {
      hint: `By hand: rm -f ${shellWord(path)} ${shellWord(link)}`,
      cause: error,
      ...(error.detail === undefined ? {} : { detail: error.detail }),
    });
  }
}

async function whatIsLeft(call: LocalCall, path: string): Promise<string[]> {
  const dropIns = `${path}.d`;
  return [
    ...((await isThere(dropIns)) ? [`${dropIns} holds changes of yours to the unit.`] : []),
    ...((await readLinger(call)) === 'on'
      ? [`Lingering is still on for all your services: \`loginctl disable-linger ${userInfo().username}\` ends it.`]
      : []),
    `The home ${call.place.layout.home} is as it was; \`takt service start\` starts its service without a unit.`,
  ];
}
