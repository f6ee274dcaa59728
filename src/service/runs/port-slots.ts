import type { RunId } from '../../contract/ids.ts';
import type { Desk } from './desk-parts.ts';

const FIRST_PORT = 20_000;
const PORTS_PER_RUN = 20;

/** The first of twenty ports that no other run at work uses. */
export function portBase(desk: Pick<Desk, 'portSlots'>, run: RunId): number {
  let slot = desk.portSlots.get(run);
  if (slot === undefined) {
    const taken = new Set(desk.portSlots.values());
    for (slot = 0; taken.has(slot);) slot += 1;
    desk.portSlots.set(run, slot);
  }
  return FIRST_PORT + PORTS_PER_RUN * slot;
}

/** Finds again which ports a run had before the service was started, from what its attempt was told. */
export function keepPorts(
  desk: Pick<Desk, 'portSlots'>,
  run: RunId,
  environment: Readonly<Record<string, string>>,
): void {
  const slot = (Number(environment['TAKT_PORT_BASE']) - FIRST_PORT) / PORTS_PER_RUN;
  if (Number.isInteger(slot) && slot >= 0) desk.portSlots.set(run, slot);
}
