import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Run } from '../../src/contract/run.ts';
import { serveGitHttp } from '../driver/git-http.ts';
import { openHousehold, type Household } from '../driver/household.ts';
import { startSshServer, type SshServer } from '../driver/ssh-server.ts';
import { testNeeding } from '../driver/machine.ts';

const test = testNeeding('bwrap', 'sshd', 'curl', 'gh');

const run = promisify(execFile);
const SECRET = 'the secret of another repo';

/** Gives the operator a key, a credential helper and a login of `gh`, all of which work. */
async function giveCredentials(household: Household, ssh: SshServer, httpPort: number): Promise<void> {
  const user = household.environment['HOME']!;
  await mkdir(join(user, '.config', 'gh'), { recursive: true });
  await writeFile(join(user, 'known_hosts'), ssh.knownHosts);
  await writeFile(
    join(user, 'ssh_config'),
    `Host 127.0.0.1\n  IdentityFile ${ssh.keyFile}\n  IdentitiesOnly yes\n  UserKnownHostsFile ${join(user, 'known_hosts')}\n`,
  );
  await writeFile(join(user, '.git-credentials'), `http://ada:sesame@127.0.0.1%3a${httpPort}\n`, { mode: 0o600 });
  await writeFile(
    join(user, '.gitconfig'),
    `[credential]\n\thelper = store\n[core]\n\tsshCommand = ssh -F ${join(user, 'ssh_config')}\n`,
  );
  await writeFile(
    join(user, '.config', 'gh', 'hosts.yml'),
    'github.com:\n    user: ada\n    oauth_token: gho_loginOfAda\n    git_protocol: https\n',
    { mode: 0o600 },
  );
}

/** Every way out that work might try, one line of result each: `NAME: out` or `NAME: refused`. */
function attempts(
  household: Household,
  urls: { ssh: string; http: string },
  secretCommit: string,
  canary: string,
): string {
  const ways: Record<string, string> = {
    'root path': `git -C key push -q ${household.root('key')} HEAD:refs/heads/evil-root`,
    'ssh url': `git -C key push -q ${urls.ssh} HEAD:refs/heads/evil-ssh`,
    'http url': `git -C helper push -q ${urls.http} HEAD:refs/heads/evil-http`,
    'key file': `cat ${household.folder}/sshd/operator`,
    'credential file': `grep sesame ${household.environment['HOME']}/.git-credentials`,
    'gh login': 'gh auth token --hostname github.com | grep gho_loginOfAda',
    'takt socket': `curl -sf --unix-socket ${household.home}/.state/takt.sock -X POST -H 'content-type: application/json' -d '{"all":true}' http://localhost/api/fetches`,
    'takt token': `curl -sf -X POST -H "authorization: Bearer $(cat ${household.home}/.state/token)" -H 'content-type: application/json' -d '{"all":true}' http://127.0.0.1:${household.port}/api/fetches`,
    alternates: `sh -c 'mkdir -p /tmp/theft-$$ && cd /tmp/theft-$$ && git init -q && echo ${household.root('hidden')}/objects > .git/objects/info/alternates && git show ${secretCommit}:secret.txt'`,
  };
  const lines = Object.entries(ways).map(
    ([name, command]) => `if ${command} >/dev/null 2>&1; then echo "${name}: out"; else echo "${name}: refused"; fi`,
  );
  // Traps for whoever runs git in these folders afterwards.
  const traps = [
    `printf '#!/bin/sh\\ntouch ${canary}\\n' > key/.git/hooks/post-checkout; cp key/.git/hooks/post-checkout key/.git/hooks/pre-push; cp key/.git/hooks/post-checkout key/.git/hooks/reference-transaction; chmod +x key/.git/hooks/*`,
    `git -C key config core.fsmonitor 'touch ${canary}; false'`,
    `git -C key config alias.push '!touch ${canary}'`,
    `git -C key config core.sshCommand 'touch ${canary}; false'`,
    `git -C key config filter.trap.clean 'touch ${canary}; cat'; echo '* filter=trap' > key/.git/info/attributes`,
  ];
  return `echo changed > key/work.txt; echo changed > helper/work.txt\n${lines.join('\n')}\n`.concat(
    'if test -n "$TAKT_STEP"; then\n',
    traps.join('\n'),
    '\nfi\ntrue\n',
  );
}

const resultsOf = (text: string): Record<string, string> =>
  Object.fromEntries([...text.matchAll(/^(.*): (out|refused)$/gm)].map(([, name, result]) => [name!.trim(), result!]));

test('`takt push` gets out with the operator’s credentials, and the same attempts by confined work fail', async () => {
  await using household = await openHousehold();
  await using ssh = await startSshServer(household.folder);
  const bare = {
    key: await household.upstream('key', { 'a.txt': 'a\n' }),
    helper: await household.upstream('helper', { 'b.txt': 'b\n' }),
    hidden: await household.upstream('hidden', { 'secret.txt': `${SECRET}\n` }),
  };
  await household.git(bare.helper, 'config', 'http.receivepack', 'true');
  await using http = await serveGitHttp(join(household.folder, 'upstream'), { user: 'ada', password: 'sesame' });
  await giveCredentials(household, ssh, http.port);
  const urls = { ssh: `ssh://root@127.0.0.1:${ssh.port}${bare.key}`, http: http.url('helper') };
  await household.ok('repo', 'add', 'key', urls.ssh);
  await household.ok('repo', 'add', 'helper', urls.http, '--depends-on', 'key');
  await household.ok('repo', 'add', 'hidden', bare.hidden);
  await household.ok('workspace', 'create', 'task', 'key', 'helper');
  const canary = join(household.folder, 'canary');
  const script = attempts(household, urls, await household.git(household.root('hidden'), 'rev-parse', 'main'), canary);

  // The control: the operator's own shell gets out on every one of these ways.
  const scriptFile = join(household.folder, 'attempts.sh');
  await writeFile(scriptFile, script);
  const { stdout: control } = await run('sh', [scriptFile], {
    cwd: join(household.home, 'workspaces', 'task'),
    env: household.environment,
  });
  assert.deepEqual([...new Set(Object.values(resultsOf(control)))], ['out'], control);
  for (const repo of ['key', 'helper'] as const) {
    await rm(join(household.clone('task', repo), 'work.txt'));
    await household.git(bare[repo], 'update-ref', '-d', `refs/heads/evil-${repo === 'key' ? 'ssh' : 'http'}`);
  }
  await household.git(household.root('key'), 'update-ref', '-d', 'refs/heads/evil-root');

  const pipelineFile = join(household.folder, 'p.yaml');
  await writeFile(
    pipelineFile,
    `steps:\n  - name: attempts\n    confinement: strict\n    run: |\n${script
      .split('\n')
      .map((line) => `      ${line}`)
      .join('\n')}\n`,
  );
  await household.ok('workspace', 'pipeline-set', 'task', '--file', pipelineFile);
  const ran = await household.takt('workspace', 'trigger', 'task', '--wait');
  const logs = await household.ok('run', 'logs', 'task');
  assert.equal(ran.code, 0, ran.stderr + logs);
  assert.deepEqual(
    resultsOf(logs),
    Object.fromEntries(Object.keys(resultsOf(control)).map((name) => [name, 'refused'])),
  );

  const pushed = await household.takt('push', 'task', '--yes');
  assert.equal(pushed.code, 0, pushed.stdout + pushed.stderr);
  for (const repo of ['key', 'helper'] as const) {
    assert.deepEqual(
      (await household.git(bare[repo], 'for-each-ref', '--format=%(refname)', 'refs/heads')).split('\n'),
      ['refs/heads/main', 'refs/heads/task'],
      'only the branch that the operator let out',
    );
    assert.equal(await household.git(bare[repo], 'show', 'task:work.txt'), 'changed');
  }
  const shown = await household.json<Run>('run', 'show', 'task');
  assert.equal(shown.steps.at(-1)?.attempts[0]?.confinement?.filesystem, 'bubblewrap');
  assert.equal(existsSync(canary), false, 'nothing that work planted ran outside');
});

test('a push goes on where it stopped, in dependency order', async () => {
  await using household = await openHousehold();
  const bare = {
    first: await household.upstream('first', { 'a.txt': 'a\n' }),
    second: await household.upstream('second', { 'b.txt': 'b\n' }),
    third: await household.upstream('third', { 'c.txt': 'c\n' }),
  };
  await household.ok('repo', 'add', 'first', bare.first);
  await household.ok('repo', 'add', 'second', bare.second, '--depends-on', 'first');
  await household.ok('repo', 'add', 'third', bare.third, '--depends-on', 'second');
  await household.ok('workspace', 'create', 'task', 'third', 'second', 'first');
  for (const repo of ['first', 'second', 'third']) {
    const clone = household.clone('task', repo);
    await writeFile(join(clone, 'work.txt'), 'work\n');
    await household.git(clone, 'add', '-A');
    await household.git(clone, 'commit', '-q', '-m', 'work');
    await household.git(clone, 'push', '-q');
  }
  const hook = join(bare.second, 'hooks', 'pre-receive');
  await mkdir(join(bare.second, 'hooks'), { recursive: true });
  await writeFile(hook, '#!/bin/sh\necho not today >&2\nexit 1\n');
  await chmod(hook, 0o755);

  const stopped = await household.takt('push', 'task', '--yes');
  const afterStop = await Promise.all(
    ['first', 'second', 'third'].map((repo) => hasBranch(household, bare[repo as keyof typeof bare])),
  );
  await rm(hook);
  const done = await household.takt('push', 'task', '--yes');

  assert.equal(stopped.code, 7, stopped.stdout + stopped.stderr);
  assert.match(stopped.stderr, /not today/);
  assert.deepEqual(afterStop, [true, false, false]);
  assert.equal(done.code, 0, done.stdout + done.stderr);
  assert.deepEqual(await Promise.all(Object.values(bare).map((folder) => hasBranch(household, folder))), [
    true,
    true,
    true,
  ]);
});

async function hasBranch(household: Household, bare: string): Promise<boolean> {
  return (await household.git(bare, 'for-each-ref', 'refs/heads/task')) !== '';
}

test('a history that work wrote anew does not land, and does not go out either', async () => {
  await using household = await openHousehold();
  const bare = await household.upstream('app', { 'a.txt': 'a\n' });
  await household.ok('repo', 'add', 'app', bare);
  await household.ok('workspace', 'create', 'task', 'app');
  const orphan = 'git checkout -q --orphan lone && git commit -qm anew --allow-empty && git checkout -q --detach';
  await household.ok('workspace', 'pipeline-set', 'task', `run:${orphan}`, 'push_to_github');

  const ran = await household.takt('workspace', 'trigger', 'task', '--wait');

  assert.equal(ran.code, 1, ran.stdout);
  assert.match(ran.stdout, /did not land on the branch task/);
  assert.equal(await household.git(bare, 'for-each-ref', '--format=%(refname)'), 'refs/heads/main');
});
