import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AttemptHost } from '../../src/contract/attempt.ts';
import { isAlive, startTicksOf } from '../../src/platform/process-identity.ts';
import { findAttemptProcesses } from '../../src/platform/attempt-processes.ts';
import { writeFileDurably } from '../../src/platform/files.ts';
import { watchUntil } from '../../src/platform/wait.ts';
import { newAttemptHome, type AttemptHome, type AttemptOfTest } from './attempt-home.ts';
import { testNeeding } from '../driver/machine.ts';

const test = testNeeding('bwrap');

/** Runs until it is ended, and says so when it is asked to. */
const STUBBORN = `trap 'echo asked' TERM; echo ready; touch begun; while :; do sleep 0.1; done`;
const POLITE = 'trap "echo bye; exit 0" TERM; echo work > begun; echo ready; sleep 1000 & wait';
const ENDED_LIMIT_MS = 3_000;

const command = (run: string) => ({ kind: 'command' as const, run, shell: '/bin/sh' });

async function started(
  home: AttemptHome,
  run: string,
  change = {},
): Promise<AttemptOfTest & { host: ReturnType<AttemptOfTest['startHost']> }> {
  const attempt = home.attempt({ work: command(run), ...change });
  const host = attempt.startHost();
  await attempt.untilOutput(/^ready$/m);
  return { ...attempt, host };
}

test('the host says who it is before it works, and `taken` says the same', async (t) => {
  const home = newAttemptHome(t);
  await home.setUp();
  const attempt = await started(home, POLITE);

  const host = AttemptHost.parse(JSON.parse(readFileSync(join(attempt.folder, 'host.json'), 'utf8')));
  const taken = readFileSync(join(attempt.folder, 'taken'), 'utf8');
  const work = await attempt.untilWork();

  assert.equal(host.pid, attempt.host.pid);
  assert.ok(isAlive(host));
  assert.deepEqual(JSON.parse(taken), host);
  assert.equal(startTicksOf(work.pid), work.startTicks);
  writeFileSync(join(attempt.folder, 'cancel.json'), '{"reason":"cancelled"}');
  await attempt.untilOutcome();
});

test('a revoked attempt is not carried out', async (t) => {
  const home = newAttemptHome(t);
  const attempt = home.attempt();
  writeFileSync(join(attempt.folder, 'revocation'), '{"revoked":true}');
  linkSync(join(attempt.folder, 'revocation'), join(attempt.folder, 'taken'));

  const [code] = await once(attempt.startHost(), 'exit');

  assert.equal(code, 0);
  assert.equal(existsSync(join(attempt.folder, 'outcome.json')), false);
  assert.equal(existsSync(join(attempt.folder, 'host.json')), false);
  assert.equal(readFileSync(join(attempt.folder, 'taken'), 'utf8'), '{"revoked":true}');
});

test('of several hosts that start at once, one carries the attempt out', async (t) => {
  const home = newAttemptHome(t);
  await home.setUp();
  const attempt = home.attempt({ work: command('echo once >> count.txt') });

  const hosts = [1, 2, 3, 4].map(() => attempt.startHost());
  const exits = await Promise.all(hosts.map((host) => once(host, 'exit')));

  assert.deepEqual(
    exits.map(([code]) => code),
    [0, 0, 0, 0],
  );
  const outcome = await attempt.untilOutcome();
  assert.equal(home.git('app', 'show', `${outcome.repos[0]?.head}:count.txt`), 'once');
});

for (const reason of ['cancelled', 'superseded'] as const) {
  test(`an attempt is ${reason} within three seconds, and its uncommitted work is pinned`, async (t) => {
    const home = newAttemptHome(t);
    await home.setUp();
    const attempt = await started(home, STUBBORN);

    const askedAtMs = Date.now();
    await writeFileDurably(join(attempt.folder, 'cancel.json'), JSON.stringify({ reason }));
    const work = await attempt.untilWork();
    await watchUntil(attempt.folder, () => Promise.resolve(startTicksOf(work.pid) === undefined || undefined), {
      signal: AbortSignal.timeout(10_000),
      everyMs: 20,
    });
    const endedAfterMs = Date.now() - askedAtMs;
    const outcome = await attempt.untilOutcome();

    assert.ok(endedAfterMs < ENDED_LIMIT_MS, `${endedAfterMs} ms`);
    assert.equal(outcome.state, reason);
    assert.equal(outcome.reason?.class, reason);
    assert.match(attempt.text(), /^asked$/m);
    const { head, leftover } = outcome.repos[0]!;
    assert.equal(head, null);
    assert.equal(home.git('app', 'rev-parse', `refs/takt/runs/${home.run}/${attempt.id}/leftover`), leftover);
    assert.ok(home.git('app', 'ls-tree', '--name-only', leftover!).includes('begun'));
    assert.deepEqual(findAttemptProcesses(attempt.id), []);
  });
}

test('SIGTERM makes the host look for a cancellation; work that ends when asked is not killed', async (t) => {
  const home = newAttemptHome(t);
  await home.setUp();
  const attempt = await started(home, POLITE);

  await writeFileDurably(join(attempt.folder, 'cancel.json'), '{"reason":"superseded"}');
  attempt.host.kill('SIGTERM');
  const outcome = await attempt.untilOutcome();

  assert.equal(outcome.state, 'superseded');
  assert.match(attempt.text(), /^bye$/m);
});

test('SIGTERM without a cancellation, as at shutdown, ends the work and leaves no outcome', async (t) => {
  const home = newAttemptHome(t);
  await home.setUp();
  const attempt = await started(home, POLITE);

  attempt.host.kill('SIGTERM');
  const [code] = await once(attempt.host, 'exit');

  assert.equal(code, 143);
  assert.equal(existsSync(join(attempt.folder, 'outcome.json')), false);
  assert.ok(existsSync(join(home.runFolder, 'app', 'begun')));
  assert.deepEqual(findAttemptProcesses(attempt.id), []);
});

const limits: [name: string, run: string, change: object, state: string, reason: string][] = [
  ['work that takes too long is timed out', STUBBORN, { timeoutMs: 1_000 }, 'timed_out', 'timeout'],
  [
    'work that chatters is timed out all the same',
    'while :; do echo x; sleep 0.05; done',
    { timeoutMs: 1_000, silenceMs: 500 },
    'timed_out',
    'timeout',
  ],
  ['work that prints nothing is ended as silent', 'touch begun; sleep 1000', { silenceMs: 500 }, 'silent', 'silence'],
  ['work that prints without end is ended', 'yes', { outputLimitBytes: 200_000 }, 'failed', 'output_limit'],
];
for (const [name, run, change, state, reason] of limits) {
  test(name, async (t) => {
    const home = newAttemptHome(t);
    await home.setUp();

    const { outcome, folder } = await home.command(run, change);

    assert.equal(outcome.state, state);
    assert.equal(outcome.reason?.class, reason);
    assert.equal(outcome.outputBytes, statSync(join(folder, 'output.ndjson')).size);
    assert.ok(outcome.outputBytes < 210_000);
  });
}

test('when the host is killed, the whole tree of its work goes, and no outcome is left', async (t) => {
  const home = newAttemptHome(t);
  await home.setUp();
  const attempt = await started(
    home,
    `setsid sh -c 'trap "" TERM HUP; while :; do sleep 0.1; done' < /dev/null > /dev/null 2>&1 & ${STUBBORN}`,
  );
  assert.ok(findAttemptProcesses(attempt.id).length >= 2);

  attempt.host.kill('SIGKILL');
  await watchUntil(attempt.folder, () => Promise.resolve(findAttemptProcesses(attempt.id).length === 0 || undefined), {
    signal: AbortSignal.timeout(10_000),
    everyMs: 20,
  });

  assert.equal(existsSync(join(attempt.folder, 'outcome.json')), false);
});

for (const confinement of ['strict', 'off'] as const) {
  test(`a daemon that the command left is gone before its commits are taken (confinement ${confinement})`, async (t) => {
    const home = newAttemptHome(t, { confinement });
    await home.setUp();

    const { outcome, id, text } = await home.command(
      'setsid sh -c "while :; do echo x >> daemon.txt; sleep 0.01; done" & sleep 0.1; echo started',
    );

    assert.equal(outcome.state, 'passed', text());
    assert.deepEqual(findAttemptProcesses(id), []);
  });
}

test('without walls an attempt is cancelled with all that it started, and says that it was not confined', async (t) => {
  const home = newAttemptHome(t, { confinement: 'off' });
  await home.setUp();
  const attempt = await started(home, `setsid sh -c 'trap "" TERM; while :; do sleep 0.1; done' & ${STUBBORN}`);

  writeFileSync(join(attempt.folder, 'cancel.json'), '{"reason":"cancelled"}');
  const outcome = await attempt.untilOutcome();

  assert.equal(outcome.state, 'cancelled');
  assert.deepEqual(outcome.confinement, { filesystem: 'none', network: 'open', user: 'own' });
  assert.match(attempt.text(), /not confined/);
  assert.deepEqual(findAttemptProcesses(attempt.id), []);
});

test('without walls a daemon that dropped its environment and still could print is gone as well', async (t) => {
  const home = newAttemptHome(t, { confinement: 'off' });
  await home.setUp();
  const daemon = `env -i setsid -f /bin/sh -c 'trap "" TERM; echo "$$" > daemon.pid; while :; do /bin/sleep 0.1; done'`;
  const attempt = await started(home, `${daemon}; until test -s daemon.pid; do sleep 0.01; done; ${STUBBORN}`);
  const pid = Number(readFileSync(join(home.runFolder, 'app', 'daemon.pid'), 'utf8'));
  assert.notEqual(startTicksOf(pid), undefined);

  const askedAtMs = Date.now();
  writeFileSync(join(attempt.folder, 'cancel.json'), '{"reason":"cancelled"}');
  const outcome = await attempt.untilOutcome();

  assert.equal(outcome.state, 'cancelled');
  assert.equal(startTicksOf(pid), undefined);
  assert.ok(outcome.endedAtMs - askedAtMs < ENDED_LIMIT_MS);
});

test('a folder that whoever started the host had open is not open for the work', async (t) => {
  const home = newAttemptHome(t);
  await home.setUp();
  const attempt = home.attempt({ work: command('ls -l /proc/self/fd; ls /proc/self/fd/200/') });
  const host = join(import.meta.dirname, '..', '..', 'src', 'bin', 'step-host.ts');
  const opened = `exec 200< ${home.layout.state}; ls /proc/self/fd/200/ > /dev/null && exec "$0" "$@"`;

  // The shell's own look is the control: there it is open.
  const [code] = await once(
    spawn('bash', ['-c', opened, process.execPath, host, attempt.folder], { stdio: 'ignore' }),
    'exit',
  );

  assert.equal(code, 0);
  assert.equal((await attempt.untilOutcome()).state, 'failed');
  assert.doesNotMatch(attempt.text(), / 200 ->/);
});

const unreadable: [name: string, text: string | undefined][] = [
  ['a request that is no JSON', '{"protocol":1,'],
  ['a request of another protocol', '{"protocol":99}'],
  ['no request at all', undefined],
];
for (const [name, text] of unreadable) {
  test(`${name} gives a broken attempt`, async (t) => {
    const home = newAttemptHome(t);
    const attempt = home.attempt();
    rmSync(join(attempt.folder, 'request.json'));
    if (text !== undefined) writeFileSync(join(attempt.folder, 'request.json'), text);

    attempt.startHost();
    const outcome = await attempt.untilOutcome();

    assert.equal(outcome.state, 'broken');
    assert.equal(outcome.reason?.class, 'internal');
  });
}
