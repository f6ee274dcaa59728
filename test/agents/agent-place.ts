import { execFileSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { raiseWalls } from '../../src/confinement/raise-walls.ts';
import { probeConfinement } from '../../src/confinement/probe.ts';
import type { Walls } from '../../src/confinement/walls.ts';
import { ATTEMPT_PROTOCOL, AttemptRequest } from '../../src/contract/attempt.ts';
import type { OutputLine } from '../../src/contract/output.ts';
import { startScriptedModel, type ScriptedModel } from '../../src/agents/scripted-model.ts';
import type { ScriptedScenario } from '../../src/agents/scripted-scenario.ts';
import { runAgentWork, type AgentWorkResult } from '../../src/steps/agent-work.ts';
import type { OutputWriter } from '../../src/steps/output-writer.ts';

export const LIMIT_MS = 30_000;
export const REAL_KEY = 'sk-real-0123456789';

/** Empty if bubblewrap works here, else why not. */
export const confinementLacks = (await probeConfinement({ signal: AbortSignal.timeout(LIMIT_MS) })).why;

export type WallsMode = 'strict' | 'off';

/** A home with two roots, a run of them, walls and a scripted model: all that an agent step needs. */
export interface AgentPlace extends AsyncDisposable {
  readonly runFolder: string;
  readonly agentFolder: string;
  readonly walls: Walls;
  readonly model: ScriptedModel;
  readonly keyFile: string;
  write(path: string, text: string): Promise<void>;
  git(repo: string, ...args: string[]): string;
  request(changes?: RequestChanges): AttemptRequest;
  /** Carries out an agent step and keeps its output. */
  run(request?: AttemptRequest, signal?: AbortSignal): AgentRun;
}

interface RequestChanges {
  readonly work?: object;
  readonly earlier?: object[];
  readonly environment?: Record<string, string>;
}

export interface AgentRun {
  readonly ended: Promise<AgentWorkResult>;
  readonly lines: OutputLine[];
  readonly pids: number[];
  /** The first line, past or to come, that fits. */
  nextLine(fits: (line: OutputLine) => boolean): Promise<OutputLine>;
}

const GIT_ENV = {
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@a',
  GIT_COMMITTER_NAME: 'c',
  GIT_COMMITTER_EMAIL: 'c@c',
};

const gitIn = (folder: string, ...args: string[]): string =>
  execFileSync('git', ['-c', 'safe.directory=*', ...args], {
    cwd: folder,
    env: GIT_ENV,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });

export async function openAgentPlace({
  mode,
  scenario,
  key = REAL_KEY,
}: {
  mode: WallsMode;
  scenario: ScriptedScenario;
  key?: string;
}): Promise<AgentPlace> {
  const folder = await mkdtemp(join(tmpdir(), 'takt-agents-'));
  const runFolder = join(folder, 'home', 'runs', 'w-1');
  const agentFolder = join(folder, 'home', '.state', 'agents', 'w-1');
  const keyFile = join(folder, 'key');
  await mkdir(agentFolder, { recursive: true });
  await writeFile(keyFile, key, { mode: 0o600 });
  const repos: RequestPlace['repos'][number][] = [];
  for (const [name, dependsOn] of [
    ['app', ['lib']],
    ['lib', []],
  ] as const) {
    repos.push({ ...(await newRepo(folder, runFolder, name)), dependsOn });
  }
  const rootObjects = repos.map(({ rootFolder }) => join(rootFolder, 'objects'));
  const walls = await raiseWalls({
    mode,
    runFolder,
    agentFolder,
    rootObjects,
    toolchains: [],
    readable: [],
    signal: AbortSignal.timeout(LIMIT_MS),
  });
  const own = (): void =>
    void execFileSync('chown', ['-R', `${walls.user.uid}:${walls.user.gid}`, runFolder, agentFolder]);
  own();
  const model = await startScriptedModel({ scenario });
  const newRequest: AgentPlace['request'] = (changes = {}) =>
    requestFor(
      { repos, runFolder, agentFolder, mode, access: { kind: 'keyFile', baseUrl: model.url, file: keyFile } },
      changes,
    );
  return {
    runFolder,
    agentFolder,
    walls,
    model,
    keyFile,
    async write(path, text) {
      await mkdir(dirname(join(runFolder, path)), { recursive: true });
      await writeFile(join(runFolder, path), text);
      own();
    },
    git: (repo, ...args) => gitIn(join(runFolder, repo), ...args),
    request: newRequest,
    run: (request = newRequest(), signal = AbortSignal.timeout(LIMIT_MS)) => startRun(request, walls, signal),
    async [Symbol.asyncDispose]() {
      await model[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function newRepo(
  folder: string,
  runFolder: string,
  name: string,
): Promise<{ name: string; rootFolder: string; base: string; commit: string }> {
  const source = join(folder, 'source', name);
  const rootFolder = join(folder, 'home', 'root', name);
  await mkdir(source, { recursive: true });
  gitIn(source, 'init', '-q', '-b', 'main');
  await writeFile(join(source, 'main.txt'), `${name} one\n`);
  await writeFile(join(source, 'CLAUDE.md'), `MARK-${name}-claude-md\n`);
  gitIn(source, 'add', '.');
  gitIn(source, 'commit', '-qm', 'first');
  const base = gitIn(source, 'rev-parse', 'HEAD').trim();
  await writeFile(join(source, 'second.txt'), 'x\n');
  gitIn(source, 'add', '.');
  gitIn(source, 'commit', '-qm', 'second');
  gitIn(folder, 'clone', '-q', '--bare', source, rootFolder);
  await mkdir(runFolder, { recursive: true });
  gitIn(runFolder, 'clone', '-q', '--shared', rootFolder, name);
  gitIn(join(runFolder, name), 'checkout', '-q', '--detach');
  gitIn(join(runFolder, name), 'remote', 'remove', 'origin');
  return { name, rootFolder, base, commit: gitIn(source, 'rev-parse', 'HEAD').trim() };
}

interface RequestPlace {
  readonly repos: readonly {
    name: string;
    rootFolder: string;
    base: string;
    commit: string;
    dependsOn: readonly string[];
  }[];
  readonly runFolder: string;
  readonly agentFolder: string;
  readonly mode: WallsMode;
  readonly access: object;
}

function requestFor(place: RequestPlace, changes: RequestChanges): AttemptRequest {
  return AttemptRequest.parse({
    protocol: ATTEMPT_PROTOCOL,
    attempt: `att_${randomBytes(8).toString('hex')}`,
    number: 1,
    run: 'run_0123456789abcdef',
    runNumber: 1,
    workspace: 'w',
    step: 'implement',
    work: {
      kind: 'agent',
      step: { kind: 'agent', name: 'implement', role: 'implement', prompt: 'Make it @lib/main.txt so.' },
      rolePrompt: 'MARK-role',
      model: 'sonnet',
      resumeSession: null,
      sessionId: randomUUID(),
      maxTurns: 20,
      modelAccess: place.access,
      ...changes.work,
    },
    repos: place.repos.map((repo) => ({
      role: 'edit',
      defaultBranch: 'main',
      upstream: '/nowhere',
      pushUrl: '/nowhere',
      setup: null,
      copy: [],
      cache: [],
      cacheFolder: '/nowhere',
      ...repo,
    })),
    runFolder: place.runFolder,
    agentFolder: place.agentFolder,
    restore: false,
    needsChange: false,
    confinement: place.mode,
    toolchains: [],
    guidance: [],
    environment: changes.environment ?? {},
    author: { name: 'Ada', email: 'ada@example.com' },
    earlier: changes.earlier ?? [],
    timeoutMs: LIMIT_MS,
    silenceMs: LIMIT_MS,
    outputLimitBytes: 1_000_000,
  });
}

function startRun(request: AttemptRequest, walls: Walls, signal: AbortSignal): AgentRun {
  const lines: OutputLine[] = [];
  const pids: number[] = [];
  const arrivals = new EventTarget();
  const write = (line: OutputLine): void => {
    lines.push(line);
    arrivals.dispatchEvent(new Event('line'));
  };
  const output: OutputWriter = {
    write,
    note: (text) => write({ kind: 'note', atMs: Date.now(), text }),
    bytes: 0,
    close: () => Promise.resolve(),
  };
  const ended = runAgentWork({
    request,
    walls,
    output,
    signal,
    onStarted: (pid) => pids.push(pid),
    touch: () => undefined,
  });
  return {
    ended,
    lines,
    pids,
    async nextLine(fits) {
      for (;;) {
        const found = lines.find(fits);
        if (found !== undefined) return found;
        await once(arrivals, 'line', { signal: AbortSignal.timeout(LIMIT_MS) });
      }
    },
  };
}
