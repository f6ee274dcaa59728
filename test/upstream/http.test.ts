import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { forwardTo, listenSilently } from '../driver/forwarder.ts';
import type { Run } from '../../src/contract/run.ts';
import { type GitHttp, serveGitHttp } from '../driver/git-http.ts';
import { type Household, openHousehold, PROJECT } from '../driver/household.ts';
import { until } from '../driver/until.ts';
import { cutAPush, inTime, inTimeAndWell, taskOf, work } from './reach-home.ts';

const ACCOUNT = { user: 'ada', password: 'sesame-9d1f' };

/** Larger than what git sends in one piece. */
const LARGE_BYTES = 4 * 1024 * 1024;

/** A bare repository `app` that takes pushes over HTTP, and its server. */
async function withApp(household: Household): Promise<{ bare: string; http: GitHttp }> {
  const bare = await household.upstream('app', { 'a.txt': 'a\n' });
  await household.git(bare, 'config', 'http.receivepack', 'true');
  return { bare, http: await serveGitHttp(join(household.folder, 'upstream'), ACCOUNT) };
}

async function useStore(household: Household, port: number, password = ACCOUNT.password): Promise<void> {
  const file = join(household.environment['HOME']!, '.git-credentials');
  await writeFile(file, `http://ada:${password}@127.0.0.1%3a${port}\n`, { mode: 0o600 });
  await household.git(household.folder, 'config', '--global', 'credential.helper', 'store');
}

async function pushesThrough(household: Household, bare: string): Promise<void> {
  await household.ok('workspace', 'create', 'task', 'app');
  const commit = await work(household, 'app');
  await inTimeAndWell(household, 'push', 'task', '--yes');
  assert.equal(await taskOf(household, bare), commit);
}

test('a credential helper lets takt in, and a wrong password is named with the helper that it came from', async () => {
  await using household = await openHousehold();
  const { bare, http: opened } = await withApp(household);
  await using http = opened;
  const add = ['repo', 'add', 'app', http.url('app')];

  const none = await inTime(household, ...add);
  const named = await inTime(household, 'repo', 'add', 'app', http.url('app').replace('//', '//ada@'));
  await useStore(household, http.port, 'wrong');
  const wrong = await inTime(household, ...add);
  await useStore(household, http.port);
  await inTimeAndWell(household, ...add);
  await pushesThrough(household, bare);

  assert.equal(none.fault?.code, 'UPSTREAM_DENIED', none.stderr);
  assert.match(none.fault.message, /asks for a name and a password \(HTTP 401\), and no credential\.helper is set/);
  assert.equal(named.fault?.code, 'UPSTREAM_DENIED', named.stderr);
  assert.match(named.fault.message, /git has no password for .*no credential\.helper is set/);
  assert.equal(wrong.fault?.code, 'UPSTREAM_DENIED', wrong.stderr);
  assert.match(wrong.fault.message, /did not take the name and password \(HTTP 401\), .*credential\.helper = store/);
});

test('.netrc lets takt in, and a wrong password is named with it', async () => {
  await using household = await openHousehold();
  const { bare, http: opened } = await withApp(household);
  await using http = opened;
  const netrc = (password: string): Promise<void> =>
    writeFile(join(household.environment['HOME']!, '.netrc'), `machine 127.0.0.1 login ada password ${password}\n`);

  await netrc('wrong');
  const wrong = await inTime(household, 'repo', 'add', 'app', http.url('app'));
  await netrc(ACCOUNT.password);
  await inTimeAndWell(household, 'repo', 'add', 'app', http.url('app'));
  await pushesThrough(household, bare);

  assert.equal(wrong.fault?.code, 'UPSTREAM_DENIED', wrong.stderr);
  assert.match(wrong.fault.message, /HTTP 401\), which came from ~\/\.netrc/);
});

test('settings that are given to git by variables hold for takt too', async () => {
  await using household = await openHousehold();
  const { http: opened } = await withApp(household);
  await using http = opened;
  const header = `Authorization: Basic ${Buffer.from(`ada:${ACCOUNT.password}`).toString('base64')}`;
  Object.assign(household.environment, {
    GIT_CONFIG_COUNT: '2',
    GIT_CONFIG_KEY_0: `http.http://127.0.0.1:${http.port}/.extraHeader`,
    GIT_CONFIG_VALUE_0: header,
    GIT_CONFIG_KEY_1: 'url.http://127.0.0.1.insteadOf',
    GIT_CONFIG_VALUE_1: 'forge://here',
  });

  await inTimeAndWell(household, 'repo', 'add', 'app', `forge://here:${http.port}/app.git`);
});

test('a password in an address is used and never shown', async () => {
  await using household = await openHousehold();
  const { bare, http: opened } = await withApp(household);
  await using http = opened;
  const address = http.url('app').replace('//', `//ada:${ACCOUNT.password}@`);
  const said: string[] = [];
  const take = async (...words: string[]): Promise<void> => {
    const { stdout, stderr } = await inTime(household, ...words);
    said.push(stdout, stderr);
  };

  await take('repo', 'add', 'gone', address.replace('app.git', 'gone.git'));
  await take('repo', 'add', 'app', address);
  for (const words of ['repo list', 'repo show app', 'repo fetch app', 'job list']) await take(...words.split(' '));
  said.push(await household.ok('repo', 'show', 'app'), await household.ok('repo', 'list'));
  await household.ok('workspace', 'create', 'task', 'app');
  const commit = await work(household, 'app');
  await take('push', 'task', '--dry-run');
  await take('push', 'task', '--yes');
  await http[Symbol.asyncDispose]();
  await work(household, 'app');
  for (const words of ['push task --yes', 'repo fetch app', 'doctor', 'service logs']) await take(...words.split(' '));
  said.push(await household.ok('repo', 'show', 'app'), (await household.takt('push', 'task', '--dry-run')).stdout);
  said.push(await eventsSoFar(household));

  const shown = said.join('\n');
  assert.doesNotMatch(shown, new RegExp(ACCOUNT.password));
  assert.match(shown, /http:\/\/ada:\*\*\*@127\.0\.0\.1/);
  assert.equal(await taskOf(household, bare), commit);
});

test('an address with a password that was edited since is not pushed to before a fetch took it in', async () => {
  await using household = await openHousehold();
  const { bare, http: opened } = await withApp(household);
  await using http = opened;
  const addressOf = (path: string): string => http.url(path).replace('//', `//ada:${ACCOUNT.password}@`);
  await household.ok('repo', 'add', 'app', addressOf('app'));
  await household.ok('workspace', 'create', 'task', 'app');
  await work(household, 'app');
  await household.git(household.folder, 'clone', '-q', '--bare', bare, join(household.folder, 'upstream', 'moved.git'));
  const file = join(household.home, 'config', 'repos.yaml');
  await writeFile(file, `repos:\n  - name: app\n    upstream: ${addressOf('moved')}\n`);

  const early = await inTime(household, 'push', 'task', '--yes');
  await household.ok('repo', 'fetch', 'app');
  const { repos } = await household.json<{ repos: { upstream: string }[] }>('push', 'task', '--dry-run');

  assert.equal(early.fault?.code, 'FILE_CHANGED', early.stderr);
  assert.match(early.fault.hint, /`takt repo fetch app`/);
  assert.match(repos[0]!.upstream, /ada:\*\*\*@127\.0\.0\.1:\d+\/moved\.git$/);
});

/** All events up to the push, which is the last that the test makes. */
async function eventsSoFar(household: Household): Promise<string> {
  const following = household.start('events', '--after', '0');
  let text = '';
  following.stdout!.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await until('the event of the push', () => (text.includes('push.update') ? true : undefined));
  following.kill('SIGINT');
  return text;
}

test('at a terminal a push may ask for what nothing else gives, and nowhere else', async () => {
  await using household = await openHousehold();
  const { bare, http: opened } = await withApp(household);
  await using http = opened;
  await useStore(household, http.port);
  await inTimeAndWell(household, 'repo', 'add', 'app', http.url('app'));
  await household.ok('workspace', 'create', 'task', 'app');
  const commit = await work(household, 'app');
  await household.git(household.folder, 'config', '--global', '--unset', 'credential.helper');

  const unasked = await inTime(household, 'push', 'task', '--yes');
  const { code, screen } = await inTerminal(household, 'push task --yes', [
    ['Username for', 'ada'],
    ['Password for', ACCOUNT.password],
  ]);

  assert.equal(unasked.fault?.code, 'UPSTREAM_DENIED', unasked.stderr);
  assert.equal(code, 0, screen);
  assert.equal(await taskOf(household, bare), commit);
});

/** Runs takt in a terminal of its own and answers each question once it is asked. */
async function inTerminal(
  household: Household,
  words: string,
  answers: [question: string, answer: string][],
): Promise<{ code: number | null; screen: string }> {
  const command = `${process.execPath} ${join(PROJECT, 'dist', 'takt.js')} ${words}`;
  // It gives its child a terminal, and with -e hands on the exit code.
  const child = spawn('/usr/bin/script', ['-qefc', command, '/dev/null'], { env: household.environment });
  let screen = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    screen += chunk;
    const [question, answer] = answers[0] ?? [];
    if (question === undefined || !screen.includes(question)) return;
    answers.shift();
    child.stdin.write(`${answer}\n`);
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, screen };
}

test('a push whose connection is cut leaves nothing half-made, and the next one goes through', async () => {
  await using household = await openHousehold();
  const { bare, http: opened } = await withApp(household);
  await using http = opened;
  await useStore(household, http.port);
  await inTimeAndWell(household, 'repo', 'add', 'app', http.url('app'));
  await household.ok('workspace', 'create', 'task', 'app');

  await cutAPush(household, { bare, bytes: LARGE_BYTES, cut: () => http.cutNextPush(LARGE_BYTES / 2) });
});

for (const scheme of ['http', 'https', 'git'])
  test(`an upstream that takes the connection and stays silent over ${scheme} is given up in time`, async () => {
    await using household = await openHousehold();
    await using silent = await listenSilently();
    await household.ok('service', 'start');

    const added = await inTime(household, 'repo', 'add', 'app', `${scheme}://127.0.0.1:${silent.port}/app.git`);

    assert.equal(added.fault?.code, 'UPSTREAM_UNREACHABLE', added.stderr);
    const { repos } = await household.json<{ repos: unknown[] }>('repo', 'list');
    assert.deepEqual(repos, []);
  });

test('an upstream that falls silent is a fault of fetching and pushing in time too', async () => {
  await using household = await openHousehold();
  const { http: opened } = await withApp(household);
  await using http = opened;
  await useStore(household, http.port);
  await inTimeAndWell(household, 'repo', 'add', 'app', http.url('app'));
  await household.ok('workspace', 'create', 'task', 'app');
  await work(household, 'app');
  http.fallSilent();

  const fetched = await inTime(household, 'repo', 'fetch', 'app');
  const pushed = await inTime(household, 'push', 'task', '--yes');

  assert.match(fetched.stdout, /"code": "UPSTREAM_UNREACHABLE"/);
  assert.equal(pushed.fault?.code, 'UPSTREAM_UNREACHABLE', pushed.stderr);
});

test('a fetch whose connection is cut has broken off, and its upstream is not called damaged', async () => {
  await using household = await openHousehold();
  const { bare, http: opened } = await withApp(household);
  await using http = opened;
  await using line = await forwardTo(http.port);
  await useStore(household, line.port);
  await inTimeAndWell(household, 'repo', 'add', 'app', `http://127.0.0.1:${line.port}/app.git`);
  await household.ok('workspace', 'create', 'task', 'app');
  await household.ok('workspace', 'pipeline-set', 'task', 'merge_upstream');
  await growBy(household, bare, LARGE_BYTES);

  line.cutAnswers(LARGE_BYTES / 2);
  const fetched = await inTime(household, 'repo', 'fetch', 'app', '--json');
  await household.takt('workspace', 'trigger', 'task', '--wait');
  const run = await household.json<Run>('run', 'show', 'task');
  line.cutAnswers(undefined);
  await inTimeAndWell(household, 'repo', 'fetch', 'app');

  const [result] = (JSON.parse(fetched.stdout) as { results: { fault: { code: string; message: string } }[] }).results;
  assert.equal(result?.fault.code, 'UPSTREAM_UNREACHABLE', fetched.stdout);
  assert.match(result.fault.message, /broke off/);
  assert.equal(run.reason?.class, 'upstream');
  assert.match(run.reason.sentence, /broke off/);
});

/** A commit on upstream's default branch that does not compress. */
async function growBy(household: Household, bare: string, bytes: number): Promise<void> {
  const work = join(household.folder, 'growing');
  await household.git(household.folder, 'clone', '-q', bare, work);
  await writeFile(join(work, 'large.bin'), randomBytes(bytes));
  await household.git(work, 'add', '-A');
  await household.git(work, 'commit', '-qm', 'large');
  await household.git(work, 'push', '-q');
}
