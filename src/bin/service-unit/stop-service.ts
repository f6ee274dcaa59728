import type { LocalCall } from '../../cli/local-call.ts';
import { loadedUnit } from '../../cli/service-unit/run-by-unit.ts';
import { systemctl } from '../../cli/service-unit/systemctl.ts';
import { answers } from '../../cli/start-service.ts';
import { Fault } from '../../contract/faults.ts';
import type { serviceStop } from '../../contract/operations/service.ts';
import type { ReplyOf } from '../../contract/operation.ts';
import { commandNamed } from '../../grammar/command-table.ts';
import { identityOf, isAlive, type ProcessIdentity } from '../../platform/process-identity.ts';
import { pause } from '../../platform/wait.ts';

const STOP_LIMIT_MS = 60_000;
const LOOK_EVERY_MS = 20;

/** Another machine's service is not ours to start or stop. */
export function localHome({ place }: LocalCall): LocalCall['place'] {
  if (place.address.kind === 'socket') return place;
  throw new Fault(
    'INPUT_INVALID',
    `TAKT_URL leads to ${place.address.url}; its service is started and stopped on that machine.`,
    { hint: 'Unset TAKT_URL, or name a home with --home.' },
  );
}

/** Where a word goes that is no part of the reply. */
export function sayingTo({ terminal }: LocalCall): (text: string) => void {
  return (text) => terminal.writeError(`takt: ${text}\n`);
}

/**
 * Ends the service of a home, by systemd if its unit runs it, and else by asking it; then a try that systemd has still
 * in mind is given up too. Gives the pid of the one that was stopped and is gone, or undefined if none ran.
 */
export async function stopService(call: LocalCall): Promise<number | undefined> {
  const unit = await loadedUnit(call.place.layout, { signal: call.signal, say: sayingTo(call) });
  if (unit?.state.isActive === true) await systemctl(['stop', unit.file.name], call);
  const outside = await stopByAsking(call);
  return outside ?? (unit?.state.mainPid || undefined);
}

/** The same for a service that no unit runs. */
export async function stopByAsking({ place, table, signal, connect }: LocalCall): Promise<number | undefined> {
  if (!(await answers(place.layout.socket))) return undefined;
  const { pid } = (await connect({ start: false }).call(
    commandNamed(table, 'service.stop'),
    {},
    { signal },
  )) as ReplyOf<typeof serviceStop>;
  const process = identityOf(pid);
  if (process !== undefined) await waitForEnd(process, signal);
  return pid;
}

async function waitForEnd(service: ProcessIdentity, signal: AbortSignal): Promise<void> {
  const endsAtMs = Date.now() + STOP_LIMIT_MS;
  while (isAlive(service)) {
    if (Date.now() > endsAtMs)
      throw new Fault('SERVICE_LOCKED', `The service (process ${service.pid}) was told to stop and is still there.`, {
        hint: '`takt service logs` says what it waits for.',
      });
    await pause(LOOK_EVERY_MS, signal);
  }
}
