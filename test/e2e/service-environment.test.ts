import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openHousehold, type Household } from '../driver/household.ts';

/** A program that git takes for ssh; it leaves a mark, and lets nobody in. */
async function sshThatMarks(house: Household, name: string): Promise<{ command: string; mark: string }> {
  const mark = join(house.folder, `${name}.called`);
  await writeFile(join(house.folder, name), `#!/bin/sh\n: > ${mark}\nexit 255\n`, { mode: 0o755 });
  return { command: join(house.folder, name), mark };
}

test('the environment of the settings holds from the next start of the service on, and wins over the shell', async () => {
  await using house = await openHousehold();
  const [ofShell, ofSettings] = [await sshThatMarks(house, 'ssh-shell'), await sshThatMarks(house, 'ssh-settings')];
  await writeFile(
    join(house.home, 'config', 'repos.yaml'),
    'repos:\n  - name: app\n    upstream: git@git.invalid:acme/app.git\n',
  );
  house.environment['GIT_SSH_COMMAND'] = ofShell.command;
  const whoIsCalled = async (): Promise<[shell: boolean, settings: boolean]> => {
    await Promise.all([ofShell, ofSettings].map(({ mark }) => rm(mark, { force: true })));
    // A fetch is the service's alone; of an addition that fails, the shell looks whether it could do better.
    const { code } = await house.takt('repo', 'fetch', 'app');
    assert.equal(code, 7);
    return [existsSync(ofShell.mark), existsSync(ofSettings.mark)];
  };

  const before = await whoIsCalled();
  await house.ok('setting', 'set', 'environment.GIT_SSH_COMMAND', ofSettings.command);
  const unchanged = await whoIsCalled();
  await house.ok('service', 'restart');
  const after = await whoIsCalled();
  await house.ok('setting', 'set', 'environment', 'default');
  await house.ok('service', 'restart');
  const again = await whoIsCalled();

  assert.deepEqual(
    [before, unchanged, after, again],
    [
      [true, false],
      [true, false],
      [false, true],
      [true, false],
    ],
  );
});

test('settings show a variable without its secret, and the file keeps it', async () => {
  await using house = await openHousehold();

  const set = await house.ok('setting', 'set', 'environment.GH_TOKEN', 'ghp_0123456789abcdef');
  await house.ok('setting', 'set', 'environment.HTTPS_PROXY', 'http://ada:secret@127.0.0.1:3128');
  const list = await house.ok('setting', 'list');
  const json = await house.ok('setting', 'list', '--json');
  const one = await house.ok('setting', 'show', 'environment.HTTPS_PROXY');

  assert.equal(set, 'environment.GH_TOKEN is ***.\n');
  assert.match(list, /environment +\{"GH_TOKEN":"\*\*\*","HTTPS_PROXY":"http:\/\/\*\*\*@127\.0\.0\.1:3128"\} +set/);
  assert.doesNotMatch(json, /ghp_|secret/);
  assert.equal(one, 'http://***@127.0.0.1:3128\n');
});

test('a service whose settings are wrong starts, and says that their environment does not hold', async () => {
  await using house = await openHousehold();
  await writeFile(join(house.home, 'config', 'settings.yaml'), 'environment: { TAKT_PORT: "1" }\n');

  await house.takt('service', 'start');
  const logs = await house.ok('service', 'logs');

  assert.match(
    logs,
    /settings\.yaml:1:16: environment\.TAKT_PORT is a variable of takt’s own.*So its environment does not hold/,
  );
});
