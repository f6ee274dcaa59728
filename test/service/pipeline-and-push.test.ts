import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pushCommit } from '../../src/git/push.ts';
import { gitEnvironment } from '../../src/git/git.ts';
import { type Loose, openService, type Reply, type TestService } from './open-service.ts';
import { until } from '../driver/until.ts';

const set = (opened: TestService, body: object): Promise<Reply> =>
  opened.ask('/api/workspaces/task/pipeline', { method: 'PUT', body });

async function withWorkspace(): Promise<TestService> {
  const opened = await openService();
  await opened.addRepo('app', {});
  await opened.addRepo('zlib', {});
  await opened.addRepo('shop', { dependsOn: ['zlib'] });
  const made = await opened.ask('/api/workspaces', {
    method: 'POST',
    body: { workspace: 'task', repos: ['shop', 'zlib'], read: ['app'] },
  });
  assert.equal(made.status, 200, made.text);
  return opened;
}

test('a pipeline is set by short forms or YAML, and its page and its full form tell of it', async () => {
  await using opened = await withWorkspace();

  const none = await opened.ask('/api/workspaces/task/pipeline');
  const short = await set(opened, { steps: ['review@opus', 'run:npm test', 'approve', 'push_to_github'] });
  const again = await set(opened, { yaml: short.body.yaml, hash: short.body.hash });
  const shown = await opened.ask('/api/workspaces/task/pipeline');

  assert.equal(none.body.fault.code, 'PIPELINE_MISSING');
  assert.equal(short.status, 200, short.text);
  assert.deepEqual(again.body, short.body);
  assert.deepEqual(shown.body, short.body);
  assert.match(await readFile(join(opened.home, 'workspaces', 'task', 'CLAUDE.md'), 'utf8'), /agent, role review/);
  assert.deepEqual(
    (await opened.ask('/api/workspaces')).body.workspaces[0].steps,
    short.body.pipeline.steps.map(({ name }: Loose) => name),
  );
});

test('a pipeline that could not be carried out is refused before it is set', async () => {
  await using opened = await withWorkspace();
  const said = async (body: object): Promise<string> => {
    const { fault } = (await set(opened, body)).body;
    return `${fault?.code} ${fault?.message}`;
  };

  assert.match(await said({ steps: ['reviw'] }), /^PIPELINE_INVALID .*did you mean review\?/);
  assert.match(
    await said({ yaml: 'steps:\n  - script: deploy\n' }),
    /^PIPELINE_INVALID .*script has to be one of push_to_github, create_pr, merge_upstream/,
  );
  assert.match(await said({ yaml: 'steps:\n  - rol: review\n' }), /^PIPELINE_INVALID pipeline\.yaml:2:5/);
  const given = (file: string): Promise<string> => said({ yaml: 'steps:\n  - rol: review\n', file });
  assert.match(await given('../my pipelines/p.yaml'), /^PIPELINE_INVALID \.\.\/my pipelines\/p\.yaml:2:5/);
  assert.match(await given('-'), /^PIPELINE_INVALID standard input:2:5/);
  assert.match(await said({ yaml: 'steps:\n  - {run: x, name: setup}\n' }), /^PIPELINE_INVALID /);
  assert.match(await said({}), /^INPUT_INVALID /);
  assert.match(await said({ steps: ['approve'], yaml: 'steps: []' }), /^INPUT_INVALID /);
  assert.equal((await opened.ask('/api/workspaces/task/pipeline')).body.fault.code, 'PIPELINE_MISSING');
});

test('a pipeline that somebody changed meanwhile is not written over', async () => {
  await using opened = await withWorkspace();
  const first = await set(opened, { steps: ['approve'], hash: 'none' });
  await set(opened, { steps: ['run:true'] });

  const late = await set(opened, { steps: ['approve'], hash: first.body.hash });

  assert.equal(late.body.fault.code, 'FILE_CHANGED');
});

test('the plan of a push has exactly what would go out, needed repos first, and what went out is recorded', async () => {
  await using opened = await withWorkspace();
  for (const repo of ['shop', 'zlib']) {
    const clone = join(opened.home, 'workspaces', 'task', repo);
    await writeFile(join(clone, 'new.txt'), 'x');
    await opened.git(clone, 'add', '-A');
    await opened.git(clone, 'commit', '-qm', `work in ${repo}`);
    await opened.git(clone, 'push', '-q', 'origin', 'task');
  }

  const plan = (await opened.ask('/api/workspaces/task/push')).body;
  const [zlib] = plan.repos;
  const { env } = gitEnvironment(process.env, { interactive: false });
  await pushCommit({ ...zlib, branch: 'task', defaultBranch: 'main', env, signal: AbortSignal.timeout(20_000) });
  const recorded = await opened.ask('/api/workspaces/task/push', {
    method: 'POST',
    body: { repo: 'zlib', commit: zlib.commit },
  });
  const after = (await opened.ask('/api/workspaces/task/push')).body;

  assert.deepEqual(
    plan.repos.map(({ repo, state, commits, subjects }: Loose) => [
      repo,
      state,
      commits,
      subjects[0].replace(/^\w+ /, ''),
    ]),
    [
      ['zlib', 'to_push', 1, 'work in zlib'],
      ['shop', 'to_push', 1, 'work in shop'],
    ],
  );
  assert.equal(recorded.status, 200, recorded.text);
  assert.deepEqual(
    after.repos.map(({ repo, state }: Loose) => [repo, state]),
    [
      ['zlib', 'current'],
      ['shop', 'to_push'],
    ],
  );
  assert.equal(await opened.git(zlib.upstream, 'rev-parse', 'task'), zlib.commit);
});

test('only commits of the workspace’s branch can be recorded as pushed', async () => {
  await using opened = await withWorkspace();
  const record = async (repo: string, commit: string): Promise<string> =>
    (await opened.ask('/api/workspaces/task/push', { method: 'POST', body: { repo, commit } })).body.fault?.code;
  const root = join(opened.home, 'root', 'zlib');
  const foreign = await opened.git(root, 'commit-tree', '-m', 'foreign', 'main^{tree}');

  assert.equal(await record('zlib', foreign), 'COMMITS_CHANGED');
  assert.equal(await record('zlib', '0'.repeat(40)), 'COMMITS_CHANGED');
  assert.equal(await record('app', foreign), 'REPO_NOT_FOUND');
});

test('what is built on a repo by way of one that the task leaves alone goes out after it', async () => {
  await using opened = await withWorkspace();
  await opened.addRepo('alpha', { dependsOn: ['shop'] });
  await opened.ask('/api/workspaces', { method: 'POST', body: { workspace: 'other', repos: ['alpha', 'zlib'] } });
  await opened.ask('/api/workspaces/other/pipeline', { method: 'PUT', body: { steps: ['push_to_github'] } });

  const plan = await opened.ask('/api/workspaces/other/push');
  for (const repo of ['alpha', 'zlib']) {
    const clone = join(opened.home, 'workspaces', 'other', repo);
    await opened.git(clone, 'commit', '-q', '--allow-empty', '-m', 'work');
    await opened.git(clone, 'push', '-q', 'origin', 'other');
  }
  const run = await until('the end of the run', async () => {
    const { runs } = (await opened.ask('/api/runs?workspace=other')).body;
    return runs.find(({ state }: Loose) => state === 'passed' || state === 'failed');
  });
  const { text } = await opened.ask(`/api/runs/${run.id}/logs`);

  assert.deepEqual(
    plan.body.repos.map(({ repo }: Loose) => repo),
    ['zlib', 'alpha'],
  );
  assert.deepEqual(
    [...text.matchAll(/Pushed \w+ of (\w+)/g)].map(([, repo]) => repo),
    ['zlib', 'alpha'],
  );
});
