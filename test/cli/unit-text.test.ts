import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { shellEnvironment } from '../../src/bin/service-unit/shell-environment.ts';
import { execWords, readUnit, unitText, type UnitFacts } from '../../src/cli/service-unit/unit-text.ts';
import { testNeeding } from '../driver/machine.ts';

const facts: UnitFacts = {
  home: '/srv/home of ada/100%/"dev"',
  program: '/opt/takt/node',
  args: ['/opt/my takt/$HOME/%h/service.ts'],
  environment: { TAKT_HOME: '/srv/home of ada/100%/"dev"', PATH: '/usr/bin:/bin' },
};

test('a unit is told from others, with its home and whether somebody edited it', () => {
  const text = unitText(facts);

  assert.deepEqual(readUnit(text), { home: facts.home, isEdited: false });
  assert.deepEqual(readUnit(text.replace('RestartSec=5', 'RestartSec=9')), { home: facts.home, isEdited: true });
  assert.deepEqual(readUnit(`# mine\n${text}`), { home: facts.home, isEdited: true });
  assert.equal(readUnit('[Service]\nExecStart=/bin/true\n'), undefined);
  assert.equal(readUnit(''), undefined);
});

test('a unit kills only its main process, outlives a lack of memory, and is not started anew after a stop', () => {
  const lines = unitText(facts).split('\n');

  for (const line of ['KillMode=process', 'OOMPolicy=continue', 'Restart=on-failure', 'WantedBy=default.target'])
    assert.ok(lines.includes(line), line);
});

test('blanks, quotes, percent and dollar signs of paths are written so that systemd reads them back', () => {
  const lines = unitText(facts).split('\n');

  assert.ok(lines.includes('ExecStart=/opt/takt/node "/opt/my takt/$$HOME/%%h/service.ts"'));
  assert.ok(lines.includes(String.raw`Environment="TAKT_HOME=/srv/home of ada/100%%/\"dev\""`));
  assert.ok(lines.includes('WorkingDirectory=/srv/home of ada/100%%/"dev"'));
  assert.ok(lines.includes('Environment=PATH=/usr/bin:/bin'));
});

test('the words of a command are read back as they were', () => {
  for (const program of ['/usr/bin/node', `/o'd "d" 100% $HOME \\x/node`]) {
    const words = execWords(unitText({ ...facts, program, args: ['/srv/a b/$x/100%.ts'] }));

    assert.deepEqual(words.slice(-2), [program, '/srv/a b/$x/100%.ts']);
  }
  assert.deepEqual(execWords('[Service]\n'), []);
});

test('a path that no unit can hold is refused', () => {
  for (const home of ['/srv/two\nlines', '/srv/end ', '/srv/end\\'])
    assert.throws(() => unitText({ ...facts, home }), { code: 'INPUT_INVALID' });
});

testNeeding('systemd-analyze')('systemd finds nothing wrong with a unit, whatever the paths are like', () => {
  const folder = mkdtempSync(join(tmpdir(), 'takt-verify-'));
  const odd = join(folder, `o'd "d" %h $HOME \\x`);
  mkdirSync(odd);
  for (const program of [join(folder, 'node'), join(odd, 'node')]) copyFileSync('/bin/true', program);
  const verify = (text: string): { status: number | null; words: string } => {
    writeFileSync(join(folder, 'takt-service.service'), text);
    const { status, stderr } = spawnSync(
      'systemd-analyze',
      ['verify', '--user', join(folder, 'takt-service.service')],
      {
        env: { PATH: process.env['PATH'], HOME: folder, XDG_RUNTIME_DIR: folder },
        encoding: 'utf8',
      },
    );
    return { status, words: stderr };
  };
  const plain = { ...facts, home: folder, program: join(folder, 'node') };

  const fine = verify(unitText(plain));
  const strange = verify(
    unitText({ home: odd, program: join(odd, 'node'), args: [odd], environment: { TAKT_HOME: odd } }),
  );
  const misspelt = verify(unitText(plain).replace('KillMode=', 'KillMod='));
  const gone = verify(unitText({ ...plain, program: join(folder, 'nothing') }));
  rmSync(folder, { recursive: true });

  assert.deepEqual(fine, { status: 0, words: '' });
  assert.deepEqual(strange, { status: 0, words: '' });
  assert.match(misspelt.words, /KillMod/);
  assert.notEqual(gone.status, 0);
});

test('a unit gets of the shell what lasts, and what does not is named with the way out', () => {
  const shortLived = {
    currentFolder: '/home/ada',
    folders: ['/tmp', '/run/user/1000'],
    realPath: (path: string) => (path.includes('fnm') ? '/home/ada/.fnm/node/bin' : undefined),
  };
  const pick = (shell: Record<string, string>): ReturnType<typeof shellEnvironment> =>
    shellEnvironment(shell, shortLived);

  const { environment, left } = pick({
    PATH: '/usr/bin:relative::/tmp/once:/run/user/1000/fnm_multishells/1_2/bin:/usr/bin',
    SSH_AUTH_SOCK: '/run/user/1000/keyring/ssh',
    https_proxy: 'http://proxy.example:3128',
    HTTP_PROXY: 'http://ada:secret@proxy.example:3128',
    GIT_SSL_CAINFO: '/etc/ssl/own.pem',
    GH_HOST: 'git.example.org',
    GH_TOKEN: 'x',
    ANTHROPIC_API_KEY: 'x',
    GIT_SSH_COMMAND: 'ssh -F a\nb',
    EDITOR: 'vim',
    LANG: '',
    toString: 'x',
  });

  assert.deepEqual(environment, {
    GH_HOST: 'git.example.org',
    GIT_SSL_CAINFO: '/etc/ssl/own.pem',
    PATH: '/usr/bin:/home/ada/.fnm/node/bin',
    SSH_AUTH_SOCK: '/run/user/1000/keyring/ssh',
    https_proxy: 'http://proxy.example:3128',
  });
  assert.deepEqual(
    left.map(({ name, why }) => [name, why]),
    [
      ['ANTHROPIC_API_KEY', 'a secret'],
      ['GH_TOKEN', 'a secret'],
      ['GIT_SSH_COMMAND', 'systemd does not take its value'],
      ['HTTP_PROXY', 'a secret'],
    ],
  );
});

test('commands and addresses in which a secret may hide do not get into a unit, and plain ones do', () => {
  const isTaken = (name: string, value: string): boolean => {
    const { environment, left } = shellEnvironment(
      { [name]: value },
      { currentFolder: '/home/ada', folders: ['/tmp'], realPath: () => undefined },
    );
    assert.equal(left.length, name in environment ? 0 : 1);
    assert.ok(!JSON.stringify(left).includes('hunter2'));
    return name in environment;
  };

  for (const [name, value] of [
    ['GIT_SSH_COMMAND', 'sshpass -p hunter2 ssh'],
    ['GIT_SSH_COMMAND', 'PASS=hunter2 ssh'],
    ['GIT_SSH_COMMAND', "ssh -o ProxyCommand='corkscrew h 1 hunter2'"],
    ['GIT_SSH_COMMAND', 'ssh -o SetEnv=TOKEN=hunter2'],
    ['GIT_PROXY_COMMAND', 'corkscrew h 1 auth hunter2'],
    ['ANTHROPIC_BASE_URL', 'https://gw.example/v1?api_key=hunter2'],
    ['ANTHROPIC_BASE_URL', 'https://ada:hunter2@gw.example/v1'],
    ['https_proxy', 'proxy.example:3128?hunter2'],
    ['PATH', '/tmp/one:/tmp/two/bin'],
  ] as const)
    assert.ok(!isTaken(name, value), `${name}=${value}`);
  for (const [name, value] of [
    ['GIT_SSH_COMMAND', 'ssh'],
    ['GIT_SSH_COMMAND', 'ssh -i ~/.ssh/takt -o IdentitiesOnly=yes -F /dev/null -p 2222 -4'],
    ['GIT_PROXY_COMMAND', '/home/ada/bin/proxy'],
    ['ANTHROPIC_BASE_URL', 'https://gw.example/v1'],
    ['https_proxy', 'proxy.example:3128'],
  ] as const)
    assert.ok(isTaken(name, value), `${name}=${value}`);
});

test('paths that are relative begin at the folder of the shell, and what cannot be made absolute is named', () => {
  const shell = {
    SSL_CERT_FILE: 'rel/ca.pem',
    CURL_CA_BUNDLE: '../ca.pem',
    GIT_CONFIG_GLOBAL: '/etc/own',
    SSL_CERT_DIR: 'certs:/etc/ssl/certs',
    GIT_SSL_CAINFO: './own.pem',
    GIT_SSL_VERSION: 'tlsv1.3',
    GIT_SSH: 'ssh',
    GIT_PROXY_COMMAND: 'bin/proxy',
    XDG_CONFIG_HOME: 'config',
    TZ: 'Europe/Berlin',
  };
  const at = (currentFolder: string | undefined): ReturnType<typeof shellEnvironment> =>
    shellEnvironment(shell, { currentFolder, folders: ['/tmp'], realPath: () => undefined });

  const { environment, left } = at('/home/ada/app');
  const nowhere = at(undefined);

  assert.deepEqual(environment, {
    SSL_CERT_FILE: '/home/ada/app/rel/ca.pem',
    CURL_CA_BUNDLE: '/home/ada/ca.pem',
    GIT_CONFIG_GLOBAL: '/etc/own',
    SSL_CERT_DIR: '/home/ada/app/certs:/etc/ssl/certs',
    GIT_SSL_CAINFO: '/home/ada/app/own.pem',
    GIT_SSL_VERSION: 'tlsv1.3',
    GIT_SSH: 'ssh',
    GIT_PROXY_COMMAND: '/home/ada/app/bin/proxy',
    TZ: 'Europe/Berlin',
  });
  assert.deepEqual(
    left.map(({ name, why }) => [name, why]),
    [['XDG_CONFIG_HOME', 'config is no absolute path']],
  );
  assert.deepEqual(
    nowhere.left.map(({ name }) => name),
    ['CURL_CA_BUNDLE', 'GIT_SSL_CAINFO', 'SSL_CERT_DIR', 'SSL_CERT_FILE', 'XDG_CONFIG_HOME'],
  );
});

test('the socket of an agent is taken only if the next session has it too', () => {
  const isTaken = (socket: string): boolean =>
    'SSH_AUTH_SOCK' in
    shellEnvironment(
      { SSH_AUTH_SOCK: socket },
      { currentFolder: '/home/ada', folders: ['/tmp', '/run/user/1000'], realPath: () => undefined },
    ).environment;

  for (const lasting of [
    '/run/user/1000/gnupg/S.gpg-agent.ssh',
    '/run/user/1000/openssh_agent',
    '/home/ada/.1password/agent.sock',
    '/home/ada/.ssh/agent.sock',
  ])
    assert.ok(isTaken(lasting), lasting);
  for (const passing of [
    '/tmp/ssh-XXXXtqKkPf/agent.4711',
    '/run/user/1000/vscode-ssh-auth-sock-123456789',
    '/home/ada/.ssh/agent/s.Jx7.agent.q9',
    'agent.sock',
  ])
    assert.ok(!isTaken(passing), passing);
});
