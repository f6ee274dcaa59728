import { realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { jsonText } from '../../cli/clean-text.ts';
import type { LocalCall } from '../../cli/local-call.ts';
import { installedText } from '../../cli/print/service-unit.ts';
import { requireUserSystemd } from '../../cli/service-unit/systemctl.ts';
import { UNIT_MARK, type UnitFacts, unitText } from '../../cli/service-unit/unit-text.ts';
import { requireHome, serviceCommand } from '../../cli/start-service.ts';
import { Fault } from '../../contract/faults.ts';
import type { InstalledUnit } from '../../contract/service-unit.ts';
import { sha256 } from '../../platform/sha256.ts';
import { servicePort } from '../../platform/service-port.ts';
import { readLinger } from './linger.ts';
import { putInPlace } from './put-in-place.ts';
import { shellEnvironment } from './shell-environment.ts';
import { localHome } from './stop-service.ts';

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
  const { unit, ...done } = await putInPlace(call, text);
  const reply: InstalledUnit = {
    unit: unit.name,
    path: unit.path,
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
    currentFolder: currentFolder(),
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
  const facts = { home, program, args, environment: { ...own, ...environment } };
  return { text: markedText(facts), environment, left };
}

/** The text with a mark of it among its variables, which changes with whatever else does. */
function markedText(facts: UnitFacts): string {
  const mark = sha256(unitText(facts)).slice(0, 12);
  return unitText({ ...facts, environment: { ...facts.environment, [UNIT_MARK]: mark } });
}

function currentFolder(): string | undefined {
  try {
    return process.cwd();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
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
