import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { completionScripts } from '../../src/cli/completion-scripts.ts';
import { scriptedService } from './scripted-service.ts';
import { takt } from './takt-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'takt-completion-'));
after(() => rmSync(folder, { recursive: true }));

const CLI = join(import.meta.dirname, '..', '..', 'src', 'bin', 'cli.ts');
writeFileSync(join(folder, 'takt'), `#!/bin/sh\nexec "${process.execPath}" "${CLI}" "$@"\n`);
chmodSync(join(folder, 'takt'), 0o755);
writeFileSync(join(folder, 'pipeline.yaml'), '');

const hasShell = (shell: string): boolean => spawnSync(shell, ['-c', 'true']).status === 0;

const workspaces = ['feature-auth', 'feature-pay'].map((name) => ({ name, repos: [], latestRun: null }));
const runs = [{ workspace: 'feature-auth', number: 3, state: 'failed', trigger: 'push' }];
const answers = {
  'workspace.list': () => ({ workspaces }),
  'run.list': () => ({ runs }),
  'run.show': () => ({ steps: [{ name: 'test', title: 'npm test', state: 'failed', attempts: [] }] }),
  'role.list': () => ({ roles: [{ name: 'review', purpose: 'Looks' }] }),
};

/** What bash would offer for a line with the cursor at its end; `type` is COMP_TYPE, 63 where the list is shown. */
async function inBash(line: string, home: string, type = 9): Promise<string[]> {
  const script = `
    source takt.bash
    COMP_LINE=$1 COMP_POINT=\${#1} COMP_TYPE=${type}
    # As bash splits: blanks separate, and each of = : @ is a word of its own.
    mapfile -t COMP_WORDS < <(printf '%s' "$1" | sed -E 's/([=:@]+)/\\n\\1\\n/g; s/ +/\\n/g' | sed '/^$/d')
    [[ $1 == *[\\ =:@] ]] && COMP_WORDS+=('')
    COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
    _takt
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  writeFileSync(join(folder, 'takt.bash'), completionScripts.bash);
  const env = { PATH: `${folder}:${process.env['PATH']}`, HOME: folder, TAKT_HOME: home };
  const { stdout } = await promisify(execFile)('bash', ['--norc', '-c', script, 'bash', line], { cwd: folder, env });
  return stdout.split('\n').filter((value) => value !== '');
}

test('bash completes command words, and shows descriptions only where it lists', async () => {
  assert.deepEqual(await inBash('takt work', folder), ['workspace']);
  assert.deepEqual(await inBash('takt workspace pipeline-', folder), ['pipeline-set', 'pipeline-show']);
  const [set] = await inBash('takt workspace pipeline-', folder, 63);
  assert.match(set!, /^pipeline-set {2}\(Sets the ordered steps/);
});

test('bash completes values that the service knows, options and files', async () => {
  await using service = await scriptedService(answers);

  assert.deepEqual(await inBash('takt workspace show feat', service.home), ['feature-auth', 'feature-pay']);
  assert.deepEqual(await inBash('takt run show feature-auth/', service.home), ['feature-auth/3']);
  assert.deepEqual(await inBash('takt run logs feature-auth --st', service.home), ['--step']);
  assert.deepEqual(await inBash('takt run logs feature-auth --step ', service.home), ['test']);
  assert.deepEqual(await inBash('takt workspace pipeline-set feature-auth --file pi', service.home), ['pipeline.yaml']);
});

test('bash gets only the rest of a word that it splits at = itself', async () => {
  assert.deepEqual(await inBash('takt run list --state=pas', folder), ['passed']);
  assert.deepEqual(await inBash('takt run list --state=', folder), [
    'gathering',
    'queued',
    'running',
    'waiting',
    'passed',
    'failed',
    'cancelled',
    'superseded',
    'rejected',
  ]);
});

test(
  'zsh gets candidates with descriptions, and asks itself for files',
  { skip: hasShell('zsh') ? false : 'no zsh here' },
  async () => {
    writeFileSync(join(folder, '_takt'), completionScripts.zsh);
    // What zsh's own completion system provides, printing what it is given.
    const system = 'compdef() { :; }; _files() { print FILES; }; _describe() { print -rl -- "${candidates[@]}"; }';
    const ask = (words: string): string => `words=(takt ${words}) CURRENT=\${#words}; _takt`;
    const script = `${system}; source ${folder}/_takt; ${ask('workspace pipeline-')}; ${ask("workspace pipeline-set a --file ''")}; ${ask('run list --state=pas')}`;
    const { stdout } = await promisify(execFile)('zsh', ['-f', '-c', script], {
      env: { PATH: `${folder}:${process.env['PATH']}`, HOME: folder, TAKT_HOME: folder },
    });

    const [set, show, ...rest] = stdout.trimEnd().split('\n');
    assert.match(set!, /^pipeline-set:Sets the ordered steps/);
    assert.match(show!, /^pipeline-show:/);
    assert.deepEqual(rest, ['FILES', '--state=passed:']);
  },
);

test('fish completes by its script', { skip: hasShell('fish') ? false : 'no fish here' }, async () => {
  writeFileSync(join(folder, 'takt.fish'), completionScripts.fish);
  const script =
    'source takt.fish; complete -C "takt workspace pipeline-"; complete -C "takt run list --state=pas"; complete -C "takt workspace pipeline-set a --file pipe"';
  const env = { PATH: `${folder}:${process.env['PATH']}`, HOME: folder, TAKT_HOME: folder };
  const { stdout } = await promisify(execFile)('fish', ['-c', script], { cwd: folder, env });

  const [set, show, ...rest] = stdout.trimEnd().split('\n');
  assert.match(set!, /^pipeline-set\tSets the ordered steps/);
  assert.match(show!, /^pipeline-show\t/);
  assert.equal(rest[0], '--state=passed');
  assert.match(rest[1]!, /^pipeline\.yaml/);
});

test('completion asks the service of the home that --home names, and offers what is not on the line yet', async () => {
  await using service = await scriptedService({
    'repo.list': () => ({ repos: ['app', 'lib', 'bad name'].map((name) => ({ name, upstream: `/u/${name}` })) }),
  });

  const { stdout } = await takt(['__complete', 'repo', 'fetch', '--home', service.home, 'app', '']);

  assert.equal(stdout, 'lib\t/u/lib\n');
});

test('completion is silent and quick where the service is away, slow or refuses', async () => {
  await using slow = await scriptedService({ 'workspace.list': () => new Promise(() => undefined) });
  await using refusing = await scriptedService({});

  for (const home of [folder, slow.home, refusing.home]) {
    const { code, stdout, stderr } = await takt(['__complete', 'workspace', 'show', ''], { env: { TAKT_HOME: home } });
    assert.deepEqual([code, stdout, stderr], [0, '', '']);
  }
});
