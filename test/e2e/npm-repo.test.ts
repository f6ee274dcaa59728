import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { openHousehold, type Household } from '../driver/household.ts';

/** An npm project whose tests need its `.env` and an installed dependency, which lies in the repo so that no registry is asked. */
const files = {
  'package.json': `${JSON.stringify({ name: 'app', version: '1.0.0', private: true, scripts: { test: 'node --test' }, dependencies: { greeting: 'file:vendor/greeting' } }, null, 2)}\n`,
  'package-lock.json': `${JSON.stringify(
    {
      name: 'app',
      version: '1.0.0',
      lockfileVersion: 3,
      requires: true,
      packages: {
        '': { name: 'app', version: '1.0.0', dependencies: { greeting: 'file:vendor/greeting' } },
        'node_modules/greeting': { resolved: 'vendor/greeting', link: true },
        'vendor/greeting': { version: '1.0.0' },
      },
    },
    null,
    2,
  )}\n`,
  'vendor/greeting/package.json': '{ "name": "greeting", "version": "1.0.0", "main": "index.js" }\n',
  'vendor/greeting/index.js': "module.exports = 'hello';\n",
  'app.test.js': `const assert = require('node:assert');
const fs = require('node:fs');
const test = require('node:test');
test('greets with the secret of .env', () => {
  const secret = /SECRET=(\\w+)/.exec(fs.readFileSync('.env', 'utf8'))[1];
  assert.equal(require('greeting') + secret, 'hellosesame');
});
`,
  '.gitignore': 'node_modules\n.env\n',
};

async function pushChange(household: Household, name: string): Promise<void> {
  const clone = household.clone('task', 'app');
  await writeFile(join(clone, name), 'a change\n');
  await household.git(clone, 'add', name);
  await household.git(clone, 'commit', '-q', '-m', name);
  await household.git(clone, 'push', '-q');
}

test('an npm repo passes its own tests inside a run, and the second run installs nothing again', async () => {
  await using household = await openHousehold();
  await household.ok(
    'repo',
    'add',
    'app',
    await household.upstream('app', files),
    '--setup',
    'npm ci --offline && echo installed-now',
    '--copy',
    '.env',
    '--cache',
    'node_modules',
  );
  await mkdir(join(household.home, 'config', 'files', 'app'), { recursive: true });
  await writeFile(join(household.home, 'config', 'files', 'app', '.env'), 'SECRET=sesame\n');
  await household.ok('workspace', 'create', 'task', 'app');
  await household.ok('workspace', 'pipeline-set', 'task', 'run:npm test');

  const first = await household.takt('workspace', 'trigger', 'task', '--wait');
  const firstLogs = await household.ok('run', 'logs', 'task/1');
  await pushChange(household, 'second.txt');
  const second = await household.takt('workspace', 'trigger', 'task', '--wait');
  const secondLogs = await household.ok('run', 'logs', 'task');

  assert.equal(first.code, 0, first.stdout + first.stderr + firstLogs);
  assert.match(firstLogs, /installed-now/);
  assert.equal(second.code, 0, second.stdout + second.stderr + secondLogs);
  assert.match(secondLogs, /pass 1/);
  assert.doesNotMatch(secondLogs, /installed-now/);
  const tracked = await household.git(household.root('app'), 'ls-tree', '-r', '--name-only', 'refs/heads/task');
  assert.doesNotMatch(tracked, /\.env|node_modules/, 'what was copied and cached is in no commit');
});
