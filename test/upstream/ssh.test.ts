import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { forwardTo, listenSilently } from '../driver/forwarder.ts';
import { openHousehold } from '../driver/household.ts';
import { testNeeding } from '../driver/machine.ts';
import { startSshAgent } from '../driver/ssh-agent.ts';
import { startSshServer } from '../driver/ssh-server.ts';
import {
  cutAPush,
  inTime,
  inTimeAndWell,
  sshUrl,
  sshUser,
  taskOf,
  useSshConfig,
  withKeyFile,
  work,
} from './reach-home.ts';

const test = testNeeding('sshd', 'ssh-agent');

/** Larger than what ssh and the kernel take in at once, so that a cut comes in the midst of the pack. */
const LARGE_BYTES = 4 * 1024 * 1024;

test('a key in the agent reaches upstream, and what is pushed arrives', async () => {
  await using household = await openHousehold();
  await using ssh = await startSshServer(household.folder);
  await using agent = await startSshAgent(household.folder, ssh.keyFile);
  await useSshConfig(household, { knownHosts: ssh.knownHosts });
  const bare = await household.upstream('app', { 'a.txt': 'a\n' });
  const without = await inTime(household, 'repo', 'add', 'app', sshUrl(ssh.port, bare));
  await household.ok('service', 'stop');
  household.environment['SSH_AUTH_SOCK'] = agent.socket;

  await inTimeAndWell(household, 'repo', 'add', 'app', sshUrl(ssh.port, bare));
  await household.ok('workspace', 'create', 'task', 'app');
  const commit = await work(household, 'app');
  await inTimeAndWell(household, 'push', 'task', '--yes');

  assert.equal(without.fault?.code, 'UPSTREAM_DENIED', without.stderr);
  assert.match(without.fault.message, new RegExp(`did not let ${sshUser}@127\\.0\\.0\\.1 in`));
  assert.match(without.fault.hint, /SSH_AUTH_SOCK is not set/);
  assert.equal(await taskOf(household, bare), commit);
});

test('a key file, an alias and a jump host of the ssh configuration hold for takt as for git', async () => {
  await using household = await openHousehold();
  await using ssh = await startSshServer(household.folder);
  const alias = (name: string, ...more: string[]): string[] => [
    `Host ${name}`,
    '  HostName 127.0.0.1',
    `  Port ${ssh.port}`,
    `  User ${sshUser}`,
    `  IdentityFile ${ssh.keyFile}`,
    ...more,
  ];
  const lines = [...withKeyFile(ssh), ...alias('forge'), ...alias('inner', '  ProxyJump forge')];
  await useSshConfig(household, { knownHosts: ssh.knownHosts, lines });
  const bare = await household.upstream('app', { 'a.txt': 'a\n' });

  await inTimeAndWell(household, 'repo', 'add', 'by-url', sshUrl(ssh.port, bare));
  await inTimeAndWell(household, 'repo', 'add', 'by-alias', `forge:${bare}`);
  await inTimeAndWell(household, 'repo', 'add', 'by-jump', `inner:${bare}`);
  const lost = await inTime(household, 'repo', 'add', 'lost', `inner:${bare}x`);

  assert.equal(lost.fault?.code, 'UPSTREAM_MISSING', lost.stderr);
});

test('an ssh command of the environment is used, and gets the same limits', async () => {
  await using household = await openHousehold();
  await using ssh = await startSshServer(household.folder);
  const known = await useSshConfig(household, { knownHosts: ssh.knownHosts });
  const seen = join(household.folder, 'seen');
  const script = join(household.folder, 'my-ssh');
  await writeFile(script, `#!/bin/sh\necho "$@" >> ${seen}\nexec ssh -o UserKnownHostsFile=${known} "$@"\n`, {
    mode: 0o755,
  });
  household.environment['GIT_SSH_COMMAND'] = `${script} -i ${ssh.keyFile}`;
  const bare = await household.upstream('app', { 'a.txt': 'a\n' });

  await inTimeAndWell(household, 'repo', 'add', 'app', sshUrl(ssh.port, bare));

  assert.match(
    await readFile(seen, 'utf8'),
    /-i \S+operator -o BatchMode=yes -o ConnectTimeout=\d -o ServerAliveInterval=\d/,
  );
});

test('an unknown host key is not accepted but named, with the way to look at it', async () => {
  await using household = await openHousehold();
  await using ssh = await startSshServer(household.folder);
  const known = await useSshConfig(household, { knownHosts: '', lines: withKeyFile(ssh) });
  const bare = await household.upstream('app', { 'a.txt': 'a\n' });
  const add = ['repo', 'add', 'app', sshUrl(ssh.port, bare)];

  const unknown = await inTime(household, ...add);
  const kept = await readFile(known, 'utf8');
  await appendFile(known, ssh.knownHosts);
  await inTimeAndWell(household, ...add);

  assert.equal(unknown.fault?.code, 'HOST_KEY_UNKNOWN', unknown.stderr);
  assert.match(unknown.fault.hint, new RegExp(`ssh -F \\S+ -p ${ssh.port} ${sshUser}@127\\.0\\.0\\.1`));
  assert.ok(unknown.fault.hint.includes(ssh.fingerprint), unknown.fault.hint);
  assert.equal(kept, '', 'nothing was written into known_hosts');
});

test('a host key that is another than the known one is a warning of its own', async () => {
  await using household = await openHousehold();
  await using ssh = await startSshServer(household.folder);
  const known = await useSshConfig(household, { knownHosts: ssh.knownHosts, lines: withKeyFile(ssh) });
  const bare = await household.upstream('app', { 'a.txt': 'a\n' });
  await inTimeAndWell(household, 'repo', 'add', 'app', sshUrl(ssh.port, bare));
  await household.ok('workspace', 'create', 'task', 'app');
  await work(household, 'app');
  const [place, kind] = ssh.knownHosts.split(' ');
  const { publicKey } = await otherKey(household.folder);
  await writeFile(known, `${place} ${kind} ${publicKey}\n`);

  const pushed = await inTime(household, 'push', 'task', '--yes');
  const fetched = await inTime(household, 'repo', 'fetch', 'app');

  assert.equal(pushed.fault?.code, 'HOST_KEY_CHANGED', pushed.stderr);
  assert.match(pushed.fault.message, /Beware: .* shows another key than the one in \S+known_hosts:1/);
  assert.ok(pushed.fault.hint.includes(ssh.fingerprint), pushed.fault.hint);
  assert.match(fetched.stdout, /"code": "HOST_KEY_CHANGED"/);
  assert.equal(await taskOf(household, bare), '');
});

test('a service without the agent that the shell has is told from an upstream that lets nobody in', async () => {
  await using household = await openHousehold();
  await using ssh = await startSshServer(household.folder);
  await using agent = await startSshAgent(household.folder, ssh.keyFile);
  await useSshConfig(household, { knownHosts: ssh.knownHosts });
  const bare = await household.upstream('app', { 'a.txt': 'a\n' });
  const add = ['repo', 'add', 'app', sshUrl(ssh.port, bare)];
  await household.ok('service', 'start');
  household.environment['SSH_AUTH_SOCK'] = agent.socket;
  household.environment['GH_TOKEN'] = 'gho_only-the-shell-has-it';

  const refused = await inTime(household, ...add);
  const listed = await household.json<{ repos: unknown[] }>('repo', 'list');
  const doctor = await household.takt('doctor', '--json');
  await household.ok('service', 'restart');
  await inTimeAndWell(household, ...add);
  const mended = await household.takt('doctor', '--json');

  assert.equal(refused.fault?.code, 'SERVICE_CANNOT_REACH', refused.stderr);
  assert.match(refused.fault.message, /This shell reaches .*, and the service does not: .* did not let/);
  assert.match(refused.fault.hint, /differ in GH_TOKEN, SSH_AUTH_SOCK\. `takt service restart`/);
  assert.doesNotMatch(refused.stderr, /gho_/);
  assert.deepEqual(listed.repos, []);
  assert.doesNotMatch(doctor.stdout, /reach of/, 'no repo, no check');
  assert.match(mended.stdout, /"name": "reach of app",\s+"state": "ok"/);
});

test('`takt doctor` says who reaches a repo: the shell, the service, both or nobody', async () => {
  await using household = await openHousehold();
  await using ssh = await startSshServer(household.folder);
  await using agent = await startSshAgent(household.folder, ssh.keyFile);
  await useSshConfig(household, { knownHosts: ssh.knownHosts });
  const bare = await household.upstream('app', { 'a.txt': 'a\n' });
  household.environment['SSH_AUTH_SOCK'] = agent.socket;
  await household.ok('repo', 'add', 'app', sshUrl(ssh.port, bare));
  const reach = async (): Promise<string> => {
    const { checks } = JSON.parse((await household.takt('doctor', '--json')).stdout) as {
      checks: { name: string; state: string; found: string; fix: string }[];
    };
    const { state, found, fix } = checks.find(({ name }) => name === 'reach of app')!;
    return `${state}: ${found} ${fix}`;
  };

  const both = await reach();
  delete household.environment['SSH_AUTH_SOCK'];
  const service = await reach();
  await household.ok('service', 'stop');
  const nobody = await reach();
  household.environment['SSH_AUTH_SOCK'] = agent.socket;
  const shell = await reach();

  assert.match(both, /^ok: from this shell and from the service/);
  assert.match(service, /^warning: The service reaches it, and this shell does not: .*did not let/);
  assert.match(nobody, /^warning: .*did not let/);
  assert.match(shell, /^warning: from this shell; the service does not answer.*`takt service start`/);
});

test('an upstream that takes the connection and stays silent is given up in time', async () => {
  await using household = await openHousehold();
  await using silent = await listenSilently();
  await useSshConfig(household, { knownHosts: '' });
  await household.ok('service', 'start');

  const added = await inTime(household, 'repo', 'add', 'app', `ssh://${sshUser}@127.0.0.1:${silent.port}/app.git`);

  assert.equal(added.fault?.code, 'UPSTREAM_UNREACHABLE', added.stderr);
  assert.match(added.fault.message, /said nothing/);
});

test('a push whose connection is cut leaves nothing half-made, and the next one goes through', async () => {
  await using household = await openHousehold();
  await using ssh = await startSshServer(household.folder);
  await using forwarder = await forwardTo(ssh.port);
  const knownHosts = ssh.knownHosts.replace(String(ssh.port), String(forwarder.port));
  await useSshConfig(household, { knownHosts, lines: withKeyFile(ssh) });
  const bare = await household.upstream('app', { 'a.txt': 'a\n' });
  await inTimeAndWell(household, 'repo', 'add', 'app', sshUrl(forwarder.port, bare));
  await household.ok('workspace', 'create', 'task', 'app');

  await cutAPush(household, { bare, bytes: LARGE_BYTES, cut: () => forwarder.cutNext(LARGE_BYTES / 2) });
});

/** A key of the server's kind that is not the server's. */
async function otherKey(folder: string): Promise<{ publicKey: string }> {
  const file = join(folder, 'other-key');
  await promisify(execFile)('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  return { publicKey: (await readFile(`${file}.pub`, 'utf8')).split(' ')[1]! };
}
