import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { AttemptRequest } from '../../src/contract/attempt.ts';
import { testUsers } from '../confinement/test-user.ts';
import { newAttemptHome, type AttemptHome, type AttemptOfTest } from './attempt-home.ts';
import { testNeeding } from '../driver/machine.ts';

const test = testNeeding('bwrap');

const SETUP_STEP = 'setup' as AttemptRequest['step'];

async function setUp(home: AttemptHome, change: Partial<AttemptRequest> = {}) {
  const attempt = home.attempt({ step: SETUP_STEP, work: { kind: 'setup' }, ...change });
  attempt.startHost();
  return { ...attempt, outcome: await attempt.untilOutcome() };
}

/** The request's repos with something changed, as the service reads them from the configuration. */
function reposWith(
  attempt: AttemptOfTest,
  change: (name: string) => Partial<AttemptRequest['repos'][number]>,
): AttemptRequest['repos'] {
  const { repos } = JSON.parse(readFileSync(join(attempt.folder, 'request.json'), 'utf8')) as AttemptRequest;
  return repos.map((repo) => ({ ...repo, ...change(repo.name) }));
}

for (const user of testUsers) {
  test(
    `started as ${user.name}, setup makes worktrees at their commits, guidance on top, and files that are not in git`,
    { skip: user.skip },
    async (t) => {
      const home = newAttemptHome(t, { user, repos: ['app', 'lib'], files: { 'README.md': 'x', '.gitignore': '' } });
      const source = join(home.layout.copiedFiles, 'app', '.env');
      mkdirSync(join(source, '..'), { recursive: true });
      writeFileSync(source, 'KEY=1\n', { mode: 0o600 });
      user.own(home.layout.home);
      const copy = [{ from: source, to: 'deep/.env' }];

      const { outcome, text } = await setUp(home, {
        guidance: [{ path: 'CLAUDE.md', text: '# Guidance\n' }],
        repos: reposWith(home.attempt(), (name) => (name === 'app' ? { copy } : {})),
      });
      const after = await home.command(
        'stat -c %a app/deep/.env; cat app/deep/.env CLAUDE.md; touch app/deep/.env CLAUDE.md; git -C app status --porcelain; git -C lib rev-parse HEAD; git -C lib remote',
      );

      assert.equal(outcome.state, 'passed', text());
      assert.match(after.text(), new RegExp(`^600\nKEY=1\n# Guidance\n${home.start('lib')}$`, 'm'));
      assert.deepEqual(
        after.outcome.repos.map(({ head }) => head),
        [null, null],
      );
    },
  );
}

test('setup commands run in dependency order, and what they leave is no change of a later step', async (t) => {
  const home = newAttemptHome(t, { repos: ['app', 'lib'] });
  const repos = reposWith(home.attempt(), (name) => ({
    setup: `echo "set up ${name} in $PWD"; mkdir -p made; echo x > made/by-setup`,
    dependsOn: (name === 'app' ? ['lib'] : []) as AttemptRequest['repos'][number]['dependsOn'],
  }));

  const { outcome, text } = await setUp(home, { repos });
  const after = await home.command('true', { repos });

  assert.equal(outcome.state, 'passed', text());
  assert.match(text(), new RegExp(`set up lib in ${home.runFolder}/lib[^]*set up app in ${home.runFolder}/app`));
  assert.deepEqual(
    after.outcome.repos.map(({ head }) => head),
    [null, null],
  );
});

test('a setup command that fails fails the attempt, and a second one goes on with the worktrees that are there', async (t) => {
  const home = newAttemptHome(t);
  const failing = reposWith(home.attempt(), () => ({ setup: 'touch half; echo no network; exit 7' }));

  const first = await setUp(home, { repos: failing });
  const second = await setUp(home, { number: 2, repos: reposWith(home.attempt(), () => ({ setup: 'ls' })) });

  assert.equal(first.outcome.state, 'failed');
  assert.deepEqual([first.outcome.reason?.class, first.outcome.exitCode], ['setup', 7]);
  assert.equal(second.outcome.state, 'passed');
  assert.match(second.text(), /worktrees are there/);
  assert.match(second.text(), /^half$/m);
});

test('a worktree that an attempt left half-made is made again, and what it held is put aside', async (t) => {
  const home = newAttemptHome(t);
  const absent = 'f'.repeat(40) as AttemptRequest['repos'][number]['commit'];

  const broken = await setUp(home, { repos: reposWith(home.attempt(), () => ({ commit: absent })) });
  const { outcome, id, text } = await setUp(home, { number: 2 });

  assert.deepEqual([broken.outcome.state, broken.outcome.reason?.class], ['broken', 'git']);
  assert.equal(outcome.state, 'passed', text());
  assert.ok(existsSync(join(home.runFolder, 'app', 'README.md')));
  assert.ok(existsSync(join(home.runFolder, '.takt', `half-made-app-${id}`, '.git')));
});

test('a run’s folder that was deleted is made again', async (t) => {
  const home = newAttemptHome(t);
  await setUp(home);
  rmSync(home.runFolder, { recursive: true });

  const { outcome } = await setUp(home, { number: 2 });

  assert.equal(outcome.state, 'passed');
  assert.ok(existsSync(join(home.runFolder, 'app', 'README.md')));
});

test('caches come back under the same lock files, without setup; other lock files need setup', async (t) => {
  const home = newAttemptHome(t, { files: { 'package-lock.json': '{"v":1}', 'README.md': 'x' } });
  const repos = reposWith(home.attempt(), () => ({
    cache: ['node_modules', 'deep/er'],
    setup: 'mkdir -p node_modules/x deep/er; echo installed > node_modules/x/file; ln -s x node_modules/link',
  }));
  await setUp(home, { repos });
  rmSync(home.runFolder, { recursive: true });

  const again = await setUp(home, { number: 2, repos });
  const link = lstatSync(join(home.runFolder, 'app/node_modules/link'));
  const installed = readFileSync(join(home.runFolder, 'app/node_modules/x/file'), 'utf8');
  const after = await home.command('true', { repos });
  rmSync(home.runFolder, { recursive: true });
  const other = await setUp(home, {
    number: 3,
    repos: repos.map((repo) => ({ ...repo, setup: `${repo.setup}; echo changed` })),
  });

  assert.match(again.text(), /taken from the cache/);
  assert.doesNotMatch(again.text(), /^app: mkdir/m);
  assert.equal(installed, 'installed\n');
  assert.ok(link.isSymbolicLink());
  assert.equal(after.outcome.repos[0]?.head, null);
  assert.doesNotMatch(other.text(), /taken from the cache/);
  assert.match(other.text(), /^changed$/m);
  assert.equal(readdirSync(join(home.layout.caches, 'task', 'app')).length, 2);
});

test('two runs that fill the same cache at once leave it whole', async (t) => {
  const home = newAttemptHome(t);
  const repos = reposWith(home.attempt(), () => ({
    cache: ['made'],
    setup: 'mkdir -p made; for n in $(seq 200); do echo $n > made/$n; done',
  }));
  const attempts = [2, 3, 4].map((number) => {
    const runFolder = home.layout.runFolder('task', number);
    return home.attempt({
      step: SETUP_STEP,
      work: { kind: 'setup' },
      repos,
      runNumber: number,
      runFolder,
      agentFolder: `${home.agentFolder}-${number}`,
    });
  });

  for (const attempt of attempts) attempt.startHost();
  const outcomes = await Promise.all(attempts.map((attempt) => attempt.untilOutcome()));

  assert.deepEqual(
    outcomes.map(({ state }) => state),
    ['passed', 'passed', 'passed'],
  );
  const cache = join(home.layout.caches, 'task', 'app');
  const [key, ...more] = readdirSync(cache);
  assert.deepEqual(more, []);
  assert.equal(readdirSync(join(cache, key!, '0')).length, 200);
});

test('files are brought in without following a link that the repo holds, nor one in place of their source', async (t) => {
  const home = newAttemptHome(t, { files: { 'README.md': 'x' } });
  const victim = join(home.layout.state, 'victim');
  writeFileSync(victim, 'precious');
  const linked = join(home.layout.state, 'linked');
  symlinkSync('/etc/shadow', linked);
  const root = home.layout.root('app');
  const work = join(home.layout.home, 'work');
  const { commit } = commitLink(home, root, work, victim);
  const copy = [
    { from: linked, to: 'stolen' },
    { from: join(home.layout.root('app'), 'HEAD'), to: 'trap' },
  ];
  const repos = reposWith(home.attempt(), () => ({
    commit: commit as AttemptRequest['repos'][number]['commit'],
    copy,
  }));

  const { outcome, text } = await setUp(home, { repos });

  assert.equal(outcome.state, 'passed', text());
  assert.equal(readFileSync(victim, 'utf8'), 'precious');
  assert.match(text(), /Not copied: .*linked/);
  assert.equal(existsSync(join(home.runFolder, 'app/stolen')), false);
  assert.ok(statSync(join(home.runFolder, 'app/trap')).isFile());
});

/** A commit of the root repo that has a link `trap` to a file of the home. */
function commitLink(home: AttemptHome, root: string, work: string, target: string): { commit: string } {
  home.git('app', 'worktree', 'add', '--quiet', '--detach', work);
  symlinkSync(target, join(work, 'trap'));
  home.git('app', '-C', work, 'add', 'trap');
  home.git('app', '-C', work, 'commit', '--quiet', '--message=trap');
  assert.ok(existsSync(root));
  return { commit: home.git('app', '-C', work, 'rev-parse', 'HEAD') };
}
