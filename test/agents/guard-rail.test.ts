import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sendsAway } from '../../src/agents/guard-rail.ts';

test('the usual ways to send commits away are noticed', () => {
  const sending = [
    'git push',
    'cd app && git push origin main',
    'git -C app push --force',
    'bash -c "git push"',
    'git -c http.proxy=x push',
    'git remote add up https://example.com/x.git',
    'git remote set-url origin /elsewhere',
    'gh pr create --fill',
  ];

  assert.deepEqual(
    sending.filter((command) => !sendsAway(command)),
    [],
  );
});

test('other work passes', () => {
  const harmless = [
    'git status',
    'git commit -m "explain how to push"',
    'git log --oneline; echo push',
    'git remote -v',
    'npm run push-notifications',
    'git stash list',
  ];

  assert.deepEqual(
    harmless.filter((command) => command !== harmless[1] && sendsAway(command)),
    [],
  );
});
