import assert from 'node:assert/strict';
import { giveResult, type ScriptedScenario } from '../../src/agents/scripted-scenario.ts';
import { startScriptedModel } from '../../src/agents/scripted-model.ts';
import type { PullRequest } from '../../src/contract/pull-request.ts';
import { commitAndPush, openGithubHousehold, runEnded, type GithubHousehold } from '../driver/github-household.ts';
import { until } from '../driver/until.ts';
import { testNeeding } from '../driver/machine.ts';

const test = testNeeding('gh', 'openssl');

async function withPull(extra: Record<string, string> = {}, ...hosts: string[]): Promise<GithubHousehold> {
  const household = await openGithubHousehold(extra);
  for (const [index, host] of ['github.com', ...hosts].entries()) {
    const name = ['app', 'far'][index]!;
    const { url } = await household.github.add(
      'acme',
      name,
      await household.upstream(name, { 'file.txt': 'a\n' }),
      host,
    );
    await household.ok('repo', 'add', name, url);
  }
  await household.ok('setting', 'set', 'pull_requests.poll_interval_s', '0');
  const repos = hosts.length === 0 ? ['app'] : ['app', 'far'];
  await household.ok('workspace', 'create', 'task', ...repos);
  await commitAndPush(household, 'task', 'one\n', ...repos);
  await household.ok('pr', 'create', 'task', '--yes');
  return household;
}

test('checks that may not be read are not said to be none, and comments that GitHub refuses are no silence', async () => {
  await using household = await withPull();
  const { github } = household;
  github.pull('app').checks.push({ name: 'build', conclusion: 'failure', summary: '' });
  github.pull('app').comments.push({ id: 1, user: 'grace', body: 'Hm.', at: '2026-03-01T10:00:00Z' });
  const before = await household.ok('pr', 'status', 'task');

  github.intercept = async (line) => (line.includes('/commits/') ? { status: 403 } : undefined);
  const withoutChecks = await household.ok('pr', 'status', 'task');
  github.intercept = async (line) => (line.includes('/issues/') ? { status: 403 } : undefined);
  const refused = await household.takt('pr', 'status', 'task');
  const listed = await household.ok('pr', 'list', 'task');

  assert.match(before, /1 failed/);
  assert.match(withoutChecks, /not readable/);
  assert.match(withoutChecks, /grace: Hm\./);
  assert.equal(refused.code, 7);
  assert.match(refused.stderr, /stood in the way/);
  assert.match(listed, /the last look failed/);
});

test('an outage is called one, and a limit of calls a limit', async () => {
  await using household = await withPull();
  const { github } = household;
  const said: Record<string, string> = {};
  const answers = {
    'bad gateway': { status: 502 },
    'a page': { status: 200, text: '<html>Unicorn!</html>' },
    'a secondary limit': {
      status: 403,
      body: { message: 'slow down', documentation_url: 'https://docs.example/rate-limits#secondary' },
    },
    'a date': { status: 429, headers: { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' } },
    'not found': { status: 404 },
  };

  for (const [what, answer] of Object.entries(answers)) {
    github.intercept = async () => answer;
    const { stderr } = await household.takt('pr', 'create', 'task', '--yes', '--json');
    said[what] = (JSON.parse(stderr.slice(stderr.indexOf('{'))) as { fault: { code: string } }).fault.code;
  }

  assert.deepEqual(said, {
    'bad gateway': 'GITHUB_UNREACHABLE',
    'a page': 'GITHUB_UNREACHABLE',
    'a secondary limit': 'GITHUB_BUSY',
    'a date': 'GITHUB_BUSY',
    'not found': 'UPSTREAM_NOT_GITHUB',
  });
});

test('a host that is away does not keep the service from looking at others', async () => {
  await using household = await withPull({}, 'github.example.org');
  const { github } = household;
  const rows = async (): Promise<PullRequest[]> => (await household.json<{ pulls: PullRequest[] }>('pr', 'list')).pulls;
  github.pull('far').checks.push({ name: 'build', conclusion: 'failure', summary: '' });
  // The first of the two in every order is the one that is away.
  github.intercept = async (line) => (line.includes('/acme/app/') ? { status: 502 } : undefined);

  await household.ok('setting', 'set', 'pull_requests.poll_interval_s', '1');
  await household.ok('service', 'restart');

  const seen = await until(
    'a look at the other host',
    async () => (await rows()).find(({ repo, sight }) => repo === 'far' && sight.checks?.length === 1),
    60_000,
  );
  const away = (await rows()).find(({ repo }) => repo === 'app');
  assert.equal(seen.fault, null);
  assert.equal(away?.fault?.code, 'GITHUB_UNREACHABLE');
});

test('comments count as answered once an agent has read them, whatever became of the run before', async () => {
  const read: string[] = [];
  const scenario: ScriptedScenario = {
    fix: [
      () => {
        read.push('fix');
        return giveResult({ verdict: 'passed', summary: 'Read it.' });
      },
    ],
  };
  await using model = await startScriptedModel({ scenario });
  await using household = await withPull({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'scripted' });
  await household.ok('workspace', 'pipeline-set', 'task', 'run:[ -e go ] || exit 1', 'fix');
  const at = '2026-03-01T10:00:00Z';
  const { comments } = household.github.pull('app');
  const feedback = (): Promise<{ comments: number; number: number }> => household.json('pr', 'feedback', 'task');
  comments.push({ id: 1, user: 'grace', body: 'First.', at });

  const failed = await feedback();
  await runEnded(household, failed.number);
  await household.ok('workspace', 'pipeline-set', 'task', 'fix');
  const second = await feedback();
  await runEnded(household, second.number);
  comments.push({ id: 2, user: 'grace', body: 'In the same second.', at });
  comments.push({ id: 3, user: 'bob', body: 'Drafted before.', at: '2026-03-01T09:00:00Z', path: 'file.txt', line: 1 });
  const third = await feedback();

  assert.deepEqual([failed.comments, second.comments, third.comments], [1, 1, 2]);
  await runEnded(household, third.number);
  assert.ok(read.length >= 2);
});
