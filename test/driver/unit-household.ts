import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openHousehold, type Household } from './household.ts';
import { openUserSystemd, type UserSystemd } from './user-systemd.ts';

export interface UnitHousehold extends AsyncDisposable {
  readonly house: Household;
  readonly systemd: UserSystemd;
  /** Where the first unit goes. */
  readonly path: string;
}

/** A household whose user has a systemd of their own; nothing is installed yet. */
export async function openUnitHousehold(extra: Record<string, string> = {}): Promise<UnitHousehold> {
  const folder = await mkdtemp(join(tmpdir(), 'takt-unit-'));
  const systemd = await openUserSystemd(join(folder, 'user'));
  const house = await openHousehold({ ...systemd.environment, ...extra }, { folder });
  return {
    house,
    systemd,
    path: join(systemd.userHome, '.config', 'systemd', 'user', 'takt-service.service'),
    async [Symbol.asyncDispose]() {
      await house[Symbol.asyncDispose]();
      await systemd[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
