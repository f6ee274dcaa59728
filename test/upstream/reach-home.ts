import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { FaultReport } from '../../src/contract/faults.ts';
import type { Household, Said } from '../driver/household.ts';
import { until } from '../driver/until.ts';
import type { SshServer } from '../driver/ssh-server.ts';

/** No command may hang on an upstream for longer. */
const COMMAND_LIMIT_MS = 10_000;

export interface Asked extends Said {
  /** The fault, if it ended with one. */
  readonly fault: FaultReport | undefined;
}

/** A command as a user types it, with `--json` for its fault. It has to be over within ten seconds. */
export async function inTime(household: Household, ...words: string[]): Promise<Asked> {
  const startedAtMs = performance.now();
  const said = await household.takt(...words, '--json');
  const elapsedMs = performance.now() - startedAtMs;
  assert.ok(elapsedMs < COMMAND_LIMIT_MS, `takt ${words.join(' ')} took ${Math.round(elapsedMs)} ms`);
  const line = said.stderr
    .trim()
    .split('\n')
    .find((each) => each.startsWith('{"fault"'));
  return { ...said, fault: line === undefined ? undefined : (JSON.parse(line) as { fault: FaultReport }).fault };
}

/** Like `inTime`, and it has to go well. */
export async function inTimeAndWell(household: Household, ...words: string[]): Promise<void> {
  const { code, stdout, stderr } = await inTime(household, ...words);
  assert.equal(code, 0, `takt ${words.join(' ')}\n${stdout}\n${stderr}`);
}

/** Commits in the clone of a repo in the workspace `task`, with so many bytes that do not compress; gives the commit. */
export async function work(household: Household, repo: string, bytes = 10): Promise<string> {
  const clone = household.clone('task', repo);
  await writeFile(join(clone, 'work.bin'), randomBytes(bytes));
  await household.git(clone, 'add', '-A');
  await household.git(clone, 'commit', '-q', '-m', `work on ${repo}`);
  await household.git(clone, 'push', '-q');
  return household.git(clone, 'rev-parse', 'HEAD');
}

/** Where the branch `task` of a bare repository stands; empty if it has none. */
export const taskOf = (household: Household, bare: string): Promise<string> =>
  household.git(bare, 'for-each-ref', '--format=%(objectname)', 'refs/heads/task');

export const sshUser = userInfo().username;

/** An address over ssh of a bare repository on this disk. */
export const sshUrl = (port: number, bare: string): string => `ssh://${sshUser}@127.0.0.1:${port}${bare}`;

/**
 * Has the user's git run ssh with a configuration of the test's own: ssh takes the folder of its user from the system
 * and not from HOME. Gives the path of that known_hosts.
 */
export async function useSshConfig(
  household: Household,
  { knownHosts, lines = [] }: { knownHosts: string; lines?: readonly string[] },
): Promise<string> {
  const user = household.environment['HOME']!;
  const known = join(user, 'known_hosts');
  await writeFile(known, knownHosts);
  const common = ['Host *', `  UserKnownHostsFile ${known}`, '  GlobalKnownHostsFile none', '  IdentityFile none'];
  await writeFile(join(user, 'ssh_config'), [...lines, ...common, ''].join('\n'));
  await household.git(household.folder, 'config', '--global', 'core.sshCommand', `ssh -F ${join(user, 'ssh_config')}`);
  return known;
}

/** Lines of an ssh configuration by which a host is let in with the operator's key file. */
export const withKeyFile = ({ keyFile }: SshServer): string[] => [
  'Host 127.0.0.1',
  `  IdentityFile ${keyFile}`,
  '  IdentitiesOnly yes',
];

/**
 * Pushes `bytes` of work of the workspace `task` over a connection that `cut` breaks in the midst, then once more:
 * nothing half-made stays in the upstream `bare`, and the second push goes through.
 */
export async function cutAPush(
  household: Household,
  { bare, bytes, cut }: { bare: string; bytes: number; cut: () => void },
): Promise<void> {
  const commit = await work(household, 'app', bytes);
  const before = await household.git(bare, 'count-objects', '-v');
  cut();

  const broken = await inTime(household, 'push', 'task', '--yes');
  const between = await taskOf(household, bare);
  await household.git(bare, 'fsck', '--full');
  await until('upstream to have cleared what came', async () =>
    (await household.git(bare, 'count-objects', '-v')) === before ? true : undefined,
  );
  await inTimeAndWell(household, 'push', 'task', '--yes');

  assert.equal(broken.fault?.code, 'UPSTREAM_UNREACHABLE', broken.stderr);
  assert.match(broken.fault.message, /broke off/);
  assert.equal(between, '');
  assert.equal(await taskOf(household, bare), commit);
}
