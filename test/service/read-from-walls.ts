/**
 * Starts a service of a fresh home as the user that started this, reads from it with `curl` outside and inside walls, and
 * prints the statuses as JSON: `node read-from-walls.ts FOLDER`.
 */
import { execFile } from 'node:child_process';
import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { initHome } from '../../src/config/init-home.ts';
import { raiseWalls } from '../../src/confinement/raise-walls.ts';
import { homeLayout } from '../../src/platform/home-layout.ts';
import { startService } from '../../src/service/start-service.ts';

const LIMIT_MS = 30_000;
const home = join(process.argv[2]!, 'home');
await initHome(home);
const layout = homeLayout(home);
const service = await startService({ home, port: 0, log: join(home, '.state', 'service.log') });
const runFolder = layout.runFolder('task', 1);
const agentFolder = join(layout.agentHomes, 'run_1');
const walls = await raiseWalls({
  mode: 'strict',
  runFolder,
  agentFolder,
  rootObjects: [],
  toolchains: [],
  readable: [],
  signal: AbortSignal.timeout(LIMIT_MS),
});
for (const folder of [runFolder, agentFolder]) {
  mkdirSync(folder, { recursive: true });
  chownSync(folder, walls.user.uid, walls.user.gid);
}

const statusOf = (command: string, args: readonly string[], cwd: string): Promise<string> =>
  new Promise((resolve, reject) => {
    execFile(command, args, { cwd, timeout: LIMIT_MS }, (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    );
  });
const curl = ['curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', `${service.address.url}/api/workspaces`];
const walled = walls.wrap(curl, { env: {}, cwd: runFolder });
const outside = await statusOf(curl[0]!, curl.slice(1), '/');
const inside = await statusOf(walled.command, walled.args, walled.cwd);
await service.stop();
process.stdout.write(JSON.stringify({ outside, inside }));
