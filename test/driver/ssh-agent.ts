import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './until.ts';

export interface SshAgent {
  /** For SSH_AUTH_SOCK. */
  readonly socket: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A real ssh-agent that holds these private keys; it ends with the test. */
export async function startSshAgent(folder: string, ...keyFiles: readonly string[]): Promise<SshAgent> {
  const socket = join(folder, `agent-${process.hrtime.bigint()}.sock`);
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
  await until('the agent to listen', () => (existsSync(socket) ? true : undefined));
  for (const file of keyFiles)
    execFileSync('ssh-add', ['-q', file], {
      env: { PATH: process.env['PATH'] ?? '', SSH_AUTH_SOCK: socket },
      stdio: 'ignore',
    });
  return {
    socket,
    async [Symbol.asyncDispose]() {
      const gone = new Promise((resolve) => agent.once('exit', resolve));
      agent.kill('SIGTERM');
      await gone;
    },
  };
}
