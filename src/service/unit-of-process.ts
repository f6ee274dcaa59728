import { readFileSync } from 'node:fs';

/** As `takt service install` names units. */
const UNIT = /\/(takt-service(?:-[0-9a-f]{8})?\.service)$/;

/**
 * The systemd unit that runs this process, or null. The kernel says it: systemd gives each unit a control group of its
 * own, whose last part is the unit's name, in the unified hierarchy or in the one called `systemd` (cgroups(7)).
 */
export function unitOfProcess(file = '/proc/self/cgroup'): string | null {
  for (const line of groupsIn(file)) {
    const unit = /^(0:|\d+:name=systemd):/.test(line) ? UNIT.exec(line)?.[1] : undefined;
    if (unit !== undefined) return unit;
  }
  return null;
}

function groupsIn(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch (error) {
    // A kernel without control groups has no such file.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
