import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../../contract/faults.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import { type ProcessResult, runProcess } from '../../platform/run-process.ts';
import { projectFolder } from '../project-folder.ts';

/** A unit as the user's systemd has it. */
export interface UnitState {
  readonly isLoaded: boolean;
  /** True while it runs, starts, stops, or waits for its next try. */
  readonly isActive: boolean;
  /** True if its last try failed and the next one is due in a while. */
  readonly isBetweenTries: boolean;
  /** 0 if no process of it runs. */
  readonly mainPid: number;
  /** The file that it was loaded from; empty if there is none. */
  readonly path: string;
  /** What systemd starts by it: the file may say otherwise, if it was not read since or another one adds to it. */
  readonly program: string;
  /** True if it starts with the user's systemd. */
  readonly isEnabled: boolean;
  /** True if its file has changed since systemd read it. */
  readonly isOutdated: boolean;
}

type Cancellable = { readonly signal: AbortSignal };

/** Stopping a service may take it half a minute. */
const ACT_LIMIT_MS = 60_000;
/** Whoever only asks must not hang: a restart asks twice, and is to be over within ten seconds. */
const ASK_LIMIT_MS = 4_000;
const STATUS_LINES = '20';

/** The user's systemd is asked in English and without a pager; where its socket is, the environment may have forgotten. */
function environment(): Record<string, string> {
  const runtime = `/run/user/${process.getuid?.() ?? 0}`;
  const isThere = process.env['XDG_RUNTIME_DIR'] === undefined && existsSync(runtime);
  const own = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    ...(isThere ? { XDG_RUNTIME_DIR: runtime } : {}),
    ...Object.fromEntries(own),
    LC_ALL: 'C',
    SYSTEMD_PAGER: '',
    SYSTEMD_COLORS: '0',
  };
}

/** What such a program said; one that did not end in time has said nothing. */
export interface SystemdResult extends ProcessResult {
  readonly isLate: boolean;
}

const LATE: SystemdResult = {
  exitCode: null,
  signal: null,
  stdout: Buffer.alloc(0),
  stderr: '',
  startError: null,
  isOverLimit: false,
  isLate: true,
};

/** Runs systemctl or loginctl to its end, or to its limit; a failure is a result. */
export async function systemdProgram(
  program: string,
  args: readonly string[],
  { signal, limitMs = ACT_LIMIT_MS }: Cancellable & { readonly limitMs?: number },
): Promise<SystemdResult> {
  const limit = AbortSignal.timeout(limitMs);
  try {
    const options = { env: environment(), signal: AbortSignal.any([signal, limit]), hasOwnGroup: true };
    return { ...(await runProcess(program, args, options)), isLate: false };
  } catch (error) {
    signal.throwIfAborted();
    if (limit.aborted) return LATE;
    throw error;
  }
}

/** The same for what only asks, and so has to be there at once. */
export function askSystemd(program: string, args: readonly string[], { signal }: Cancellable): Promise<SystemdResult> {
  return systemdProgram(program, args, { signal, limitMs: ASK_LIMIT_MS });
}

/** Lets the user's systemd do something. Fault UNIT_FAILED with its words, and a `hint` if they are not all there is. */
export async function systemctl(
  args: readonly string[],
  { signal, hint }: Cancellable & { readonly hint?: string },
): Promise<void> {
  const result = await systemdProgram('systemctl', ['--user', ...args], { signal });
  if (result.exitCode === 0) return;
  const command = `\`systemctl --user ${args.join(' ')}\``;
  if (result.isLate)
    throw new Fault('UNIT_FAILED', `${command} did not end within ${ACT_LIMIT_MS / 1000} s.`, { hint: SILENT_HINT });
  throw new Fault('UNIT_FAILED', `${command} failed (exit code ${result.exitCode ?? result.signal}).`, {
    detail: result.stderr.trim(),
    ...(hint === undefined ? {} : { hint }),
  });
}

const SILENT_HINT =
  'See whether `systemctl --user status` answers; a new login, or a restart of the machine, mends it.';

function silent(): Fault {
  return new Fault('UNIT_FAILED', `The user's systemd did not answer within ${ASK_LIMIT_MS / 1000} s.`, {
    hint: SILENT_HINT,
  });
}

/** How the user's systemd knows a unit; undefined if there is no such systemd. Fault UNIT_FAILED if it is silent. */
export async function unitState(name: string, options: Cancellable): Promise<UnitState | undefined> {
  const properties = 'LoadState,ActiveState,SubState,MainPID,FragmentPath,ExecStart,UnitFileState,NeedDaemonReload';
  const args = ['--user', 'show', name, `--property=${properties}`];
  const { exitCode, stdout, isLate } = await askSystemd('systemctl', args, options);
  if (isLate) throw silent();
  if (exitCode !== 0) return undefined;
  const valueOf = new Map(
    stdout
      .toString('utf8')
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  const active = valueOf.get('ActiveState') ?? '';
  return {
    isLoaded: valueOf.get('LoadState') === 'loaded',
    isActive: !['inactive', 'failed', ''].includes(active),
    isBetweenTries: valueOf.get('SubState') === 'auto-restart',
    mainPid: Number(valueOf.get('MainPID') ?? 0),
    path: valueOf.get('FragmentPath') ?? '',
    program: /^\{ path=(.*?) ; argv\[\]=/.exec(valueOf.get('ExecStart') ?? '')?.[1] ?? '',
    isEnabled: valueOf.get('UnitFileState')?.startsWith('enabled') === true,
    isOutdated: valueOf.get('NeedDaemonReload') === 'yes',
  };
}

/** What systemd and the unit's own last lines say, for a fault. */
export async function unitWords(name: string, options: Cancellable): Promise<string> {
  const args = ['--user', 'status', name, '--no-pager', '--full', `--lines=${STATUS_LINES}`];
  const { stdout, stderr } = await askSystemd('systemctl', args, options);
  return `${stdout.toString('utf8')}${stderr}`.trim();
}

/** Fault SYSTEMD_MISSING, with the other way, if this user has no systemd; UNIT_FAILED if it is silent. */
export async function requireUserSystemd(layout: HomeLayout, options: Cancellable): Promise<void> {
  const result = await askSystemd('systemctl', ['--user', 'show', '--property=Version'], options);
  if (result.exitCode === 0) return;
  if (result.isLate) throw silent();
  const message =
    result.startError === null
      ? 'No systemd of this user answers, so the service cannot be a unit here.'
      : `systemctl could not be started (${result.startError}), so the service cannot be a unit here.`;
  const line = `@reboot TAKT_HOME=${cronWord(layout.home)} ${cronWord(join(projectFolder(), 'takt'))} service start`;
  throw new Fault('SYSTEMD_MISSING', message, {
    hint: `\`takt service start\` runs it without systemd; this line in \`crontab -e\` starts it with the machine: ${line}`,
    detail: result.stderr.trim(),
  });
}

/** One word in a line of a crontab, where a shell reads it and a percent sign is a line break unless it is escaped. */
function cronWord(text: string): string {
  const word = /^[\w/%+:,.-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
  return word.replaceAll('%', String.raw`\%`);
}
