/**
 * Runs a shell command inside walls, as the user that started this, and prints what came of it as JSON. The tests start it
 * as root and as an ordinary user: `node run-in-walls.ts PLAN`, where PLAN is JSON of `InWalls`.
 */
import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync } from 'node:fs';
import { raiseWalls } from '../../src/confinement/raise-walls.ts';
import type { ConfinementMode } from '../../src/contract/pipeline.ts';

export interface InWalls {
  readonly mode: ConfinementMode;
  readonly runFolder: string;
  readonly agentFolder: string;
  readonly rootObjects: readonly string[];
  readonly toolchains?: readonly string[];
  readonly readable?: readonly string[];
  readonly run: string;
}

export interface CameOut {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly used: unknown;
  /** The code of a fault that kept the walls from being raised. */
  readonly fault: string | null;
}

const LIMIT_MS = 30_000;

async function runInWalls(plan: InWalls): Promise<CameOut> {
  const walls = await raiseWalls({ toolchains: [], readable: [], ...plan, signal: AbortSignal.timeout(LIMIT_MS) });
  for (const folder of [plan.runFolder, plan.agentFolder]) {
    mkdirSync(folder, { recursive: true });
    chownSync(folder, walls.user.uid, walls.user.gid);
  }
  const { command, args, env, cwd } = walls.wrap(['/bin/sh', '-c', plan.run], {
    env: { TAKT_ATTEMPT: 'att_walls' },
    cwd: plan.runFolder,
  });
  const { status, stdout, stderr } = spawnSync(command, args, { env, cwd, encoding: 'utf8', timeout: LIMIT_MS });
  return { exitCode: status, stdout, stderr, used: walls.used, fault: null };
}

const [, , plan] = process.argv;
if (plan !== undefined) {
  const result = await runInWalls(JSON.parse(plan) as InWalls).catch((error: Error & { code?: string }): CameOut => ({
    exitCode: null,
    stdout: '',
    stderr: error.message,
    used: null,
    fault: error.code ?? error.name,
  }));
  process.stdout.write(JSON.stringify(result));
}
