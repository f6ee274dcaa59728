import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** As whom takt runs in a test: walls are built differently for root and for everybody else. */
export interface TestUser {
  readonly name: 'root' | 'an ordinary user';
  /** Why this machine cannot test it; false if it can. */
  readonly skip: string | false;
  /** The command line that runs a command as this user. */
  command(line: readonly string[]): string[];
  /** Gives a folder with all in it to this user. */
  own(folder: string): void;
}

/** A user id without an account or a file anywhere. */
const ORDINARY_ID = '61234';
const isRoot = process.getuid?.() === 0;
const asOrdinary = (line: readonly string[]): string[] => [
  'setpriv',
  '--reuid',
  ORDINARY_ID,
  '--regid',
  ORDINARY_ID,
  '--clear-groups',
  '--',
  ...line,
];
const asIs = (line: readonly string[]): string[] => [...line];

function ordinarySkip(): string | false {
  const source = join(import.meta.dirname, '..', '..', 'package.json');
  const [program, ...args] = asOrdinary([
    process.execPath,
    '-e',
    `require('fs').readFileSync(${JSON.stringify(source)})`,
  ]);
  return !isRoot || spawnSync(program!, args).status === 0 ? false : 'an ordinary user cannot read the project here';
}

const root: TestUser = {
  name: 'root',
  skip: isRoot ? false : 'not started as root',
  command: asIs,
  own: () => undefined,
};
const ordinary: TestUser = {
  name: 'an ordinary user',
  skip: ordinarySkip(),
  command: isRoot ? asOrdinary : asIs,
  own: (folder) => {
    if (isRoot) execFileSync('chown', ['-R', `${ORDINARY_ID}:${ORDINARY_ID}`, folder]);
  },
};

export const testUsers: readonly TestUser[] = [root, ordinary];

/** The user that runs the tests. */
export function ownUser(): TestUser {
  return isRoot ? root : ordinary;
}
