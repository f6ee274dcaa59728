import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Check, CheckResult } from '../../src/bin/doctor/check.ts';
import { homeChecks } from '../../src/bin/doctor/home-checks.ts';
import { machineChecks } from '../../src/bin/doctor/machine-checks.ts';
import { initHome } from '../../src/config/init-home.ts';
import { homeLayout, type HomeLayout } from '../../src/platform/home-layout.ts';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { limit, newScratch, write } from '../git/scratch.ts';

/** A home that no service runs for, with single checks of doctor to carry out on it. */
export interface DoctorHome extends Disposable {
  readonly layout: HomeLayout;
  /** What checks take for the environment of the shell; HOME is an empty folder. */
  readonly environment: Record<string, string>;
  path(...parts: string[]): string;
  /** The check of this name alone. */
  look(name: string): Promise<CheckResult>;
  /** Its state, and what it found; tests compare what matters of it. */
  state(name: string): Promise<string>;
  /** Does what `--fix` would for the check, and says so. Fails if it would do nothing. */
  mend(name: string): Promise<string | undefined>;
  /** Changes the store, as a service that has ended by now. */
  store(change: (database: Database) => void): void;
}

export async function doctorHome(): Promise<DoctorHome> {
  const scratch = newScratch('takt-doctor-');
  const layout = homeLayout(scratch.path('home'));
  await initHome(layout.home);
  const environment = { PATH: process.env['PATH'] ?? '', HOME: scratch.path('user'), GIT_CONFIG_NOSYSTEM: '1' };
  mkdirSync(environment.HOME);
  writeFileSync(scratch.path('user', '.gitconfig'), '[user]\n\tname = Ada\n\temail = ada@example.org\n');
  const look = async (name: string): Promise<CheckResult> => checkNamed(layout, environment, name)();
  const home: DoctorHome = {
    layout,
    environment,
    path: (...parts) => scratch.path(...parts),
    look,
    state: async (name) => {
      const { state, found } = await look(name);
      return `${state}: ${found}`;
    },
    mend: async (name) => {
      const { repair, found } = await look(name);
      if (repair === undefined) throw new Error(`${name} cannot be mended: ${found}`);
      return repair(limit());
    },
    store(change) {
      const database = openDatabase(layout.database);
      try {
        change(database);
      } finally {
        database.close();
      }
    },
    [Symbol.dispose]: () => scratch[Symbol.dispose](),
  };
  home.store(() => undefined);
  return home;
}

function checkNamed(layout: HomeLayout, environment: Record<string, string>, name: string): Check {
  const signal = limit();
  const checks = [...homeChecks(layout, signal, environment), ...machineChecks(layout, signal)];
  const found = checks.find(({ label }) => label === name);
  if (found === undefined) throw new Error(`there is no check ${name}`);
  return found;
}

/** Makes it look as if nobody had touched it for so long. */
export function age(path: string, minutes: number): void {
  const then = new Date(Date.now() - minutes * 60_000);
  utimesSync(path, then, then);
}

/** A file that was left behind half an hour ago, and the folder that it lies in. */
export function left(folder: string, name = 'file'): void {
  write(join(folder, name), 'left\n');
  age(join(folder, name), 30);
  age(folder, 30);
  age(dirname(folder), 30);
}
