import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { testUsers } from '../confinement/test-user.ts';
import { newAttemptHome } from './attempt-home.ts';
import { testNeeding } from '../driver/machine.ts';

const test = testNeeding('bwrap');

for (const user of testUsers) {
  test(
    `started as ${user.name}, a command passes, its output and its commits come out`,
    { skip: user.skip },
    async (t) => {
      const home = newAttemptHome(t, { user, repos: ['app', 'lib'] });
      await home.setUp();

      const { outcome, id, folder, text } = await home.command(
        'echo "in $(pwd)"; echo oops >&2; cd app; echo new > new.txt; git add .; git commit -qm "by hand"; echo loose > loose.txt',
      );

      assert.equal(outcome.state, 'passed', text());
      assert.equal(outcome.exitCode, 0);
      assert.deepEqual(outcome.confinement, {
        filesystem: 'bubblewrap',
        network: 'open',
        user: user.name === 'root' ? 'dropped' : 'own',
      });
      assert.match(text(), new RegExp(`in ${home.runFolder}\n[^]*oops`));
      const [app, lib] = outcome.repos;
      const ref = `refs/takt/runs/${home.run}/${id}/head`;
      assert.equal(home.git('app', 'rev-parse', ref), app?.head);
      assert.equal(home.git('app', 'log', '--format=%an/%cn', '-1', ref), 'Ada/takt');
      assert.deepEqual(home.git('app', 'ls-tree', '--name-only', ref).split('\n'), [
        'README.md',
        'loose.txt',
        'new.txt',
      ]);
      assert.equal(home.git('app', 'rev-list', '--count', `main..${ref}`), '2');
      assert.deepEqual(lib, { repo: 'lib', start: home.start('lib'), head: null, leftover: null });
      assert.equal(outcome.outputBytes, statSync(join(folder, 'output.ndjson')).size);
      assert.equal(JSON.parse(readFileSync(join(home.runFolder, '.takt/check-1.json'), 'utf8')).verdict, 'passed');
      assert.equal(JSON.parse(readFileSync(join(home.runFolder, '.stage-result.json'), 'utf8')).verdict, 'passed');
    },
  );
}

test('steps with and without walls take turns in one run', async (t) => {
  const home = newAttemptHome(t);
  await home.setUp();

  const walled = await home.command('echo 1 >> log.txt; mkdir -p sub; echo $HOME > ~/who');
  const open = await home.command('echo 2 >> log.txt; echo 2 > sub/two; echo 2 >> ~/who', {
    confinement: 'off',
    number: 2,
  });
  const again = await home.command('echo 3 >> log.txt; rm sub/two; cat log.txt ~/who', { number: 3 });

  assert.equal(walled.outcome.state, 'passed', walled.text());
  assert.equal(open.outcome.state, 'passed', open.text());
  assert.equal(again.outcome.state, 'passed', again.text());
  assert.match(again.text(), /^1\n2\n3$/m);
});

test('files and folders that the work closed to itself come out as well', async (t) => {
  const home = newAttemptHome(t);
  await home.setUp();

  const { outcome, id, text } = await home.command(
    'echo closed > closed.txt; echo edited > README.md; mkdir -p deep/er; echo deep > deep/er/file.txt; chmod 000 closed.txt README.md deep/er',
  );

  assert.equal(outcome.state, 'passed', text());
  const ref = `refs/takt/runs/${home.run}/${id}/head`;
  assert.deepEqual(home.git('app', 'ls-tree', '-r', '--name-only', ref).split('\n'), [
    'README.md',
    'closed.txt',
    'deep/er/file.txt',
  ]);
  assert.equal(home.git('app', 'show', `${ref}:README.md`), 'edited');
});
