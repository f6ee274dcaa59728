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
}

type Cancellable = { readonly signal: AbortSignal };

const LIMIT_MS = 60_000;
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

/** Runs systemctl or loginctl to its end; a failure is a result. */
export function systemdProgram(
  program: string,
  args: readonly string[],
  { signal }: Cancellable,
): Promise<ProcessResult> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]);
  return runProcess(program, args, { env: environment(), signal: limited });
}

/** Lets the user's systemd do something. Fault UNIT_FAILED with its words. */
export async function systemctl(args: readonly string[], options: Cancellable): Promise<void> {
  const result = await systemdProgram('systemctl', ['--user', ...args], options);
  if (result.exitCode === 0) return;
  throw new Fault(
    'UNIT_FAILED',
    `\`systemctl --user ${args.join(' ')}\` failed (exit code ${result.exitCode ?? result.signal}).`,
    {
      detail: result.stderr.trim(),
    },
  );
}

/** How the user's systemd knows a unit; undefined if no such systemd answers. */
export async function unitState(name: string, options: Cancellable): Promise<UnitState | undefined> {
  const properties = ['LoadState', 'ActiveState', 'SubState', 'MainPID', 'FragmentPath'];
  const args = ['--user', 'show', name, `--property=${properties.join(',')}`];
  const { exitCode, stdout } = await systemdProgram('systemctl', args, options);
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
  };
}

/** What systemd and the unit's own last lines say, for a fault. */
export async function unitWords(name: string, options: Cancellable): Promise<string> {
  const args = ['--user', 'status', name, '--no-pager', '--full', `--lines=${STATUS_LINES}`];
  const { stdout, stderr } = await systemdProgram('systemctl', args, options);
  return `${stdout.toString('utf8')}${stderr}`.trim();
}

/** Fault SYSTEMD_MISSING, with the other way, if no systemd of this user answers. */
export async function requireUserSystemd(layout: HomeLayout, options: Cancellable): Promise<void> {
  const result = await systemdProgram('systemctl', ['--user', 'show', '--property=Version'], options);
  if (result.exitCode === 0) return;
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
