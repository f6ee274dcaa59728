import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AttemptRequest } from '../../src/contract/attempt.ts';
import { newAttemptHome, type AttemptHome } from './attempt-home.ts';

/** Repos `app`, which needs `lib`, each with a commit to send on the branch `task`, and an upstream beside its root. */
function withUpstreams(home: AttemptHome): Partial<AttemptRequest> {
  const { repos } = JSON.parse(readFileSync(join(home.attempt().folder, 'request.json'), 'utf8')) as AttemptRequest;
  const pushes = repos.map(({ name }) => {
    home.git(name, 'clone', '--quiet', '--bare', '.', upstreamOf(home, name));
    const commit = home.git(name, 'commit-tree', '-p', 'main', '-m', 'more', 'main^{tree}');
    home.git(name, 'update-ref', 'refs/heads/task', commit);
    return { repo: name, commit, expected: null };
  });
  return {
    work: { kind: 'script', script: 'push_to_github', pushes } as AttemptRequest['work'],
    repos: repos.map((repo) => ({
      ...repo,
      upstream: upstreamOf(home, repo.name),
      pushUrl: upstreamOf(home, repo.name),
      dependsOn: (repo.name === 'app' ? ['lib'] : []) as typeof repo.dependsOn,
    })),
  };
}

const upstreamOf = (home: AttemptHome, repo: string): string => join(home.layout.home, 'upstream', `${repo}.git`);

async function push(home: AttemptHome, request: Partial<AttemptRequest>) {
  const attempt = home.attempt(request);
  attempt.startHost({ HOME: home.layout.home });
  return { ...attempt, outcome: await attempt.untilOutcome() };
}

test('a push step sends each repo, dependencies first, and says what upstream has', async (t) => {
  const home = newAttemptHome(t, { repos: ['app', 'lib'] });
  const request = withUpstreams(home);

  const { outcome, text } = await push(home, request);

  assert.equal(outcome.state, 'passed', text());
  assert.deepEqual(
    outcome.pushed.map(({ repo }) => repo),
    ['lib', 'app'],
  );
  assert.equal(
    home.git('app', '--git-dir', upstreamOf(home, 'app'), 'rev-parse', 'task'),
    home.git('app', 'rev-parse', 'task'),
  );
  assert.equal(outcome.confinement, null);
});

test('a push that one upstream refuses says what went out before it, and goes on from there when it is repeated', async (t) => {
  const home = newAttemptHome(t, { repos: ['app', 'lib'] });
  const request = withUpstreams(home);
  const hook = join(upstreamOf(home, 'app'), 'hooks', 'pre-receive');
  writeFileSync(hook, '#!/bin/sh\necho "closed on Fridays" >&2\nexit 1\n');
  chmodSync(hook, 0o755);

  const refused = await push(home, request);
  writeFileSync(hook, '#!/bin/sh\nexit 0\n');
  const repeated = await push(home, { ...request, number: 2 });

  assert.equal(refused.outcome.state, 'failed');
  assert.equal(refused.outcome.reason?.class, 'upstream');
  assert.deepEqual(
    refused.outcome.pushed.map(({ repo }) => repo),
    ['lib'],
  );
  assert.match(refused.text(), /closed on Fridays/);
  assert.equal(repeated.outcome.state, 'passed', repeated.text());
  assert.match(repeated.text(), /lib was there already/);
  assert.deepEqual(
    repeated.outcome.pushed.map(({ repo }) => repo),
    ['lib', 'app'],
  );
});

test('a push to an upstream that moved meanwhile sends nothing there', async (t) => {
  const home = newAttemptHome(t, { repos: ['app'] });
  const request = withUpstreams(home);
  const foreign = home.git('app', 'commit-tree', '-p', 'main', '-m', 'foreign', 'main^{tree}');
  home.git('app', 'push', '--quiet', upstreamOf(home, 'app'), `${foreign}:refs/heads/task`);

  const { outcome } = await push(home, request);

  assert.equal(outcome.state, 'failed');
  assert.deepEqual(outcome.pushed, []);
  assert.equal(home.git('app', '--git-dir', upstreamOf(home, 'app'), 'rev-parse', 'task'), foreign);
});
