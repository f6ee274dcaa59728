import { userInfo } from 'node:os';
import { Fault } from '../../contract/faults.ts';
import type { Linger } from '../../contract/service-unit.ts';
import { askSystemd, systemdProgram } from '../../cli/service-unit/systemctl.ts';

type Cancellable = { readonly signal: AbortSignal };

/** Whether the services of this user go on after the last session. */
export async function readLinger(options: Cancellable): Promise<Linger> {
  const shown = await askSystemd('loginctl', ['show-user', userInfo().username, '--property=Linger'], options);
  if (shown.isLate) return 'unknown';
  if (shown.exitCode === 0) return shown.stdout.toString('utf8').trim() === 'Linger=yes' ? 'on' : 'off';
  // logind knows no user who neither has a session nor lingers; without a logind there is no answer at all.
  const listed = await askSystemd('loginctl', ['list-sessions', '--no-legend'], options);
  return listed.exitCode === 0 ? 'off' : 'unknown';
}

/** Takes back what was enabled; where that fails, it is for the fault that led here to be told. */
export async function disableLinger(options: Cancellable): Promise<void> {
  await askSystemd('loginctl', ['disable-linger', userInfo().username], options);
}

/** Fault UNIT_FAILED if it may not be switched on; then nothing has changed. */
export async function enableLinger(options: Cancellable): Promise<void> {
  const user = userInfo().username;
  const result = await systemdProgram('loginctl', ['enable-linger', user], options);
  if (result.exitCode === 0) return;
  throw new Fault('UNIT_FAILED', `Lingering could not be enabled for ${user}; nothing was installed.`, {
    detail: result.stderr.trim(),
    hint: `\`sudo loginctl enable-linger ${user}\` may, or install without --linger.`,
  });
}
