import { realpathSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { jsonText } from '../../cli/clean-text.ts';
import type { LocalCall } from '../../cli/local-call.ts';
import { installedText } from '../../cli/print/service-unit.ts';
import { placeForUnit, type UnitFile } from '../../cli/service-unit/own-unit.ts';
import { isLoadedFrom, startByUnit } from '../../cli/service-unit/run-by-unit.ts';
import {
  requireUserSystemd,
  systemctl,
  systemdProgram,
  unitState,
  unitWords,
} from '../../cli/service-unit/systemctl.ts';
import { unitText } from '../../cli/service-unit/unit-text.ts';
import { answers, requireHome, serviceCommand, startService } from '../../cli/start-service.ts';
import { Fault } from '../../contract/faults.ts';
import type { InstalledUnit } from '../../contract/service-unit.ts';
import { makeFolder, writeFileDurably } from '../../platform/files.ts';
import { servicePort } from '../../platform/service-port.ts';
import { readServiceFile } from '../../service/service-file.ts';
import { enableLinger, readLinger } from './linger.ts';
import { shellEnvironment } from './shell-environment.ts';
import { localHome, stopByAsking } from './stop-service.ts';

const UNDO_LIMIT_MS = 60_000;
/** Addresses of proxies and of agents are nobody else's business. */
const UNIT_MODE = 0o600;

/**
 * Writes the unit of this home, loads, enables and starts it. What fails is undone: the unit is as it was, and a service
 * that ran before runs again.
 */
export async function install(call: LocalCall): Promise<number> {
  const { params, flags, terminal } = call;
  const { layout } = localHome(call);
  await requireHome(layout);
  const { text, environment, left } = newUnit(call);
  if (params['print'] === true) return printUnit(call, text);
  await requireUserSystemd(layout, call);
  const file = await placeForUnit(layout);
  if (file.isEdited && file.text !== text && params['force'] !== true)
    throw new Fault('UNIT_TAKEN', `${file.path} was edited since takt wrote it.`, {
      hint: `\`takt service install --force\` writes over it; \`systemctl --user edit ${file.name}\` keeps changes beside it.`,
    });
  if (params['linger'] === true) await enableLinger(call);
  const done = await putInPlace(call, file, text);
  const reply: InstalledUnit = {
    unit: file.name,
    path: file.path,
    home: layout.home,
    ...done,
    linger: await readLinger(call),
    environment,
    left,
  };
  await terminal.write(flags.json ? `${jsonText(reply, 2)}\n` : installedText(reply, terminal.page));
  return 0;
}

function newUnit(call: LocalCall): Pick<InstalledUnit, 'environment' | 'left'> & { text: string } {
  const { home } = call.place.layout;
  const runtime = process.env['XDG_RUNTIME_DIR'] ?? `/run/user/${process.getuid?.() ?? 0}`;
  const { environment, left } = shellEnvironment(process.env, {
    folders: ['/tmp', '/var/tmp', tmpdir(), runtime],
    realPath,
  });
  const port = process.env['TAKT_PORT'] ?? '';
  if (servicePort(process.env) === undefined)
    throw new Fault('INPUT_INVALID', `TAKT_PORT is ${port}, which is no port.`, {
      hint: 'Set it to a number from 1 to 65535.',
    });
  const [program, args] = serviceCommand();
  const own = { TAKT_HOME: home, ...(port === '' ? {} : { TAKT_PORT: port }) };
  return { text: unitText({ home, program, args, environment: { ...own, ...environment } }), environment, left };
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined;
    throw error;
  }
}

async function printUnit({ flags, terminal, place }: LocalCall, text: string): Promise<number> {
  await terminal.write(flags.json ? `${jsonText({ home: place.layout.home, text }, 2)}\n` : text);
  return 0;
}

/** The service that ran outside the unit, once it was stopped for it. */
interface Stopped {
  pid: number | null;
  port: number;
}

type Done = Pick<InstalledUnit, 'file' | 'service' | 'stoppedPid'>;

async function putInPlace(call: LocalCall, unit: UnitFile, text: string): Promise<Done> {
  const file = unit.text === undefined ? 'written' : unit.text === text ? 'unchanged' : 'replaced';
  const stopped: Stopped = { pid: null, port: 0 };
  try {
    if (file !== 'unchanged') {
      await makeFolder(dirname(unit.path));
      await writeFileDurably(unit.path, text, UNIT_MODE);
    }
    await systemctl(['daemon-reload'], call);
    await requireLoaded(call, unit);
    if (call.params['start'] === false) return { file, service: 'left', stoppedPid: null };
    await systemctl(['enable', unit.name], call);
    const service = await handOver(call, unit, { isNew: file !== 'unchanged', stopped });
    return { file, service, stoppedPid: stopped.pid };
  } catch (error) {
    await undo(call, unit, stopped);
    throw error;
  }
}

async function requireLoaded(call: LocalCall, { name, path }: UnitFile): Promise<void> {
  const state = await unitState(name, call);
  if (state !== undefined && (await isLoadedFrom(path, state))) return;
  throw new Fault('UNIT_FAILED', `The user's systemd does not take ${path}.`, {
    detail: await unitWords(name, call),
    hint: '`systemctl --user show --property=UnitPath` says where it looks; XDG_CONFIG_HOME has to be the same for it.',
  });
}

/** A service outside the unit holds the home's lock, so that it has to end before the unit's can begin. */
async function handOver(
  call: LocalCall,
  { name }: UnitFile,
  { isNew, stopped }: { isNew: boolean; stopped: Stopped },
): Promise<InstalledUnit['service']> {
  const { layout } = call.place;
  const isThere = (): Promise<boolean> => answers(layout.socket);
  const { mainPid = 0 } = (await unitState(name, call)) ?? {};
  if (mainPid !== 0 && !isNew && (await isThere())) return 'running';
  if (mainPid === 0) {
    stopped.port = (await readServiceFile(layout))?.port ?? 0;
    stopped.pid = (await stopByAsking(call)) ?? null;
  }
  const verb = mainPid === 0 ? 'start' : 'restart';
  await startByUnit(name, layout, { verb, answers: isThere, signal: call.signal });
  return verb === 'start' ? 'started' : 'restarted';
}

/** The unit as it was before, and somebody who serves the home if somebody did; with a signal of its own. */
async function undo(call: LocalCall, { name, path, text }: UnitFile, stopped: Stopped): Promise<void> {
  const signal = AbortSignal.timeout(UNDO_LIMIT_MS);
  if (text === undefined) {
    // It may not even be loaded; the error that led here is the one to tell.
    await systemdProgram('systemctl', ['--user', 'disable', '--now', name], { signal });
    await rm(path, { force: true });
  } else await writeFileDurably(path, text, UNIT_MODE);
  await systemdProgram('systemctl', ['--user', 'daemon-reload'], { signal });
  if (stopped.pid !== null) await serveAgain(call, stopped, signal);
}

async function serveAgain({ place, terminal }: LocalCall, { port }: Stopped, signal: AbortSignal): Promise<void> {
  try {
    if (await answers(place.layout.socket)) return;
    // This process ends soon, and the service is to have the port that it had.
    process.env['TAKT_PORT'] = String(port);
    await startService(place.layout, { signal, say: () => undefined });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    terminal.writeError(`takt: the service that ran before was not started again: ${error.message}\n`);
  }
}
