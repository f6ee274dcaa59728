import { execFileSync, spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from './household.ts';
import { until } from './until.ts';

export interface SshServer {
  readonly port: number;
  /** The operator's private key. */
  readonly keyFile: string;
  /** Lines for the operator's known_hosts. */
  readonly knownHosts: string;
  /** Of its host key, as ssh shows it. */
  readonly fingerprint: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A real sshd on loopback that lets in the user who runs the test, by one key. */
export async function startSshServer(folder: string): Promise<SshServer> {
  const place = join(folder, 'sshd');
  await mkdir(place, { recursive: true, mode: 0o700 });
  // The server's own separation folder; Debian makes it when its unit starts, which it does not here.
  await mkdir('/run/sshd', { recursive: true });
  const port = await freePort();
  const keyFile = join(place, 'operator');
  for (const file of [keyFile, join(place, 'host')])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  await writeFile(join(place, 'authorized'), await readFile(`${keyFile}.pub`), { mode: 0o600 });
  const settings = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${join(place, 'host')}`,
    `AuthorizedKeysFile ${join(place, 'authorized')}`,
    `PidFile ${join(place, 'pid')}`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'PermitRootLogin yes',
  ];
  await writeFile(join(place, 'config'), `${settings.join('\n')}\n`);

  const server = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', join(place, 'config')], { stdio: 'ignore' });
  await until('sshd to listen', () => canConnect(port));
  const shown = execFileSync('ssh-keygen', ['-l', '-f', join(place, 'host.pub')], { encoding: 'utf8' });
  const hostKey = (await readFile(join(place, 'host.pub'), 'utf8')).split(' ').slice(0, 2).join(' ');
  return {
    port,
    keyFile,
    fingerprint: shown.split(' ')[1]!,
    knownHosts: `[127.0.0.1]:${port} ${hostKey}\n`,
    async [Symbol.asyncDispose]() {
      const gone = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGTERM');
      await gone;
    },
  };
}

function canConnect(port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(undefined));
  });
}
