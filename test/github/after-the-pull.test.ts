import assert from 'node:assert/strict';
import { giveResult, type ScriptedScenario } from '../../src/agents/scripted-scenario.ts';
import { startScriptedModel } from '../../src/agents/scripted-model.ts';
import type { PullRequest } from '../../src/contract/pull-request.ts';
import { commitAndPush, openGithubHousehold, type GithubHousehold } from '../driver/github-household.ts';
import { until } from '../driver/until.ts';
import { testNeeding } from '../driver/machine.ts';

const test = testNeeding('gh', 'openssl');

async function withPull(household: GithubHousehold): Promise<void> {
  const { url } = await household.github.add('acme', 'app', await household.upstream('app', { 'file.txt': 'a\n' }));
  await household.ok('repo', 'add', 'app', url);
  await household.ok('workspace', 'create', 'task', 'app');
  await commitAndPush(household, 'task', 'one\n', 'app');
  await household.ok('pr', 'create', 'task', '--yes');
}

const pulls = async (household: GithubHousehold): Promise<PullRequest[]> =>
  (await household.json<{ pulls: PullRequest[] }>('pr', 'list', 'task')).pulls;

test('pr create pushes, opens, and shows what is there', async () => {
  await using household = await openGithubHousehold();
  await withPull(household);

  const [pull] = await pulls(household);

  assert.equal(pull?.url, 'https://github.com/acme/app/pull/1');
  assert.equal(household.github.pull('app').title, 'app: one', 'the only commit gives the title');
  const again = await household.ok('pr', 'create', 'task', '--yes');
  assert.match(again, /pull\/1/);
  assert.equal(household.github.repo('app').pulls.length, 1);
});

test('the service sees failing checks, reviews and comments, and asks politely', async () => {
  await using household = await openGithubHousehold();
  await withPull(household);
  await household.ok('setting', 'set', 'pull_requests.poll_interval_s', '1');
  await household.ok('service', 'restart');
  const github = household.github.pull('app');
  const seen = (what: string, look: (pull: PullRequest) => boolean | undefined): Promise<true> =>
    until(what, async () => ((await pulls(household)).some((pull) => look(pull) === true) ? true : undefined), 60_000);

  github.checks.push(
    { name: 'build', conclusion: 'failure', summary: 'line 3 is wrong' },
    { name: 'ci/old', conclusion: 'success', summary: '' },
  );
  github.reviews.push({
    id: 1,
    user: 'grace',
    state: 'CHANGES_REQUESTED',
    body: 'Please rename it.',
    at: new Date().toISOString(),
  });
  await seen('the failing check', ({ sight }) =>
    sight.checks?.some(({ name, state }) => name === 'build' && state === 'failed'),
  );
  await seen('the review', ({ sight }) => sight.review === 'changes_requested' && sight.comments.length === 1);
  const callsBefore = household.github.calls.length;
  await until('some quiet rounds', () => (household.github.calls.length > callsBefore + 12 ? true : undefined), 60_000);

  const quiet = household.github.calls.slice(callsBefore + 6).map(({ status }) => status);
  assert.deepEqual([...new Set(quiet)], [304], 'what did not change costs nothing');
  await household.github.merge('app', 'merge');
  await seen('the merge', ({ sight }) => sight.state === 'merged' && sight.mergeCommit !== null);
  const events = household.start('events', '--topics', 'pr.*', '--after', '0');
  let text = '';
  events.stdout!.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await until('the event of the merge', () => (text.includes('"merged"') ? true : undefined));
  events.kill('SIGINT');
});

test('with the setting at 0 nobody looks', async () => {
  await using household = await openGithubHousehold();
  await household.ok('setting', 'set', 'pull_requests.poll_interval_s', '0');
  await withPull(household);
  await household.ok('service', 'restart');
  const before = household.github.calls.length;
  household.github.pull('app').checks.push({ name: 'build', conclusion: 'failure', summary: '' });
  for (let id = 0; id < 120; id += 1)
    household.github
      .pull('app')
      .comments.push({ id, user: 'grace', body: `word ${id}`, at: new Date(id * 1000).toISOString() });

  await household.ok('pr', 'status', 'task');
  const asked = household.github.calls.length - before;
  const [pull] = await pulls(household);

  assert.equal(asked, 7, 'the six questions of the status, one of them in two pages, and no others');
  assert.equal(pull?.sight.comments.at(-1)?.body, 'word 119');
  assert.equal(pull?.sight.checks?.[0]?.state, 'failed');
});

test('pr feedback starts a run whose first agent finds the failing checks and the comments', async () => {
  const asked: string[] = [];
  const scenario: ScriptedScenario = {
    fix: [
      ({ text }) => {
        asked.push(text);
        return giveResult({ verdict: 'passed', summary: 'Read it.' });
      },
    ],
    review: [
      ({ text }) => {
        asked.push(text);
        return giveResult({ verdict: 'passed', summary: 'Fine.' });
      },
    ],
  };
  await using model = await startScriptedModel({ scenario });
  await using household = await openGithubHousehold({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'scripted' });
  await withPull(household);
  await household.ok('workspace', 'pipeline-set', 'task', 'run:cat ../FEEDBACK.md', 'fix', 'review');
  const nothing = await household.takt('pr', 'feedback', 'task');
  const github = household.github.pull('app');
  github.checks.push({ name: 'build', conclusion: 'failure', summary: 'line 3 is wrong' });
  github.comments.push({
    id: 7,
    user: 'grace',
    body: 'Why not a map?',
    at: new Date().toISOString(),
    path: 'file.txt',
    line: 3,
  });

  const said = await household.takt('pr', 'feedback', 'task', '--wait');
  const file = await household.ok('run', 'logs', 'task', '--step', 'cat');
  const again = await household.takt('pr', 'feedback', 'task', '--json');

  assert.equal(nothing.code, 5);
  assert.match(nothing.stderr, /Nothing new was said/);
  assert.equal(said.code, 0, said.stdout + said.stderr);
  assert.match(
    file,
    /The check build fails[\s\S]*> line 3 is wrong[\s\S]*## app: grace on file\.txt:3[\s\S]*> Why not a map\?/,
  );
  assert.match(asked[0] ?? '', /# Feedback\n.*FEEDBACK\.md/);
  assert.doesNotMatch(asked.at(-1) ?? '', /# Feedback/, 'the second agent reads what the first one said');
  const reply = JSON.parse(again.stdout) as { failingChecks: number; comments: number };
  assert.deepEqual([reply.failingChecks, reply.comments], [1, 0], 'the comment was answered already');
});
