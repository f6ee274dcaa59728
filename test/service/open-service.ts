import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { initHome } from '../../src/config/init-home.ts';
import { type RunningService, startService } from '../../src/service/start-service.ts';
import { until } from '../driver/until.ts';

/** JSON of a reply, whose shape is the contract's; the tests look at what they are about. */
// oxlint-disable-next-line typescript/no-explicit-any -- tests look into replies of every shape, and a wrong one fails them
export type Loose = any;

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The parsed body. */
  readonly body: Loose;
}

interface Asked {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is. */
  readonly text?: string;
  readonly signal?: AbortSignal;
}

/** A service of its own home, in this process, spoken to over its real addresses. */
export interface TestService extends AsyncDisposable {
  readonly home: string;
  readonly folder: string;
  readonly service: RunningService;
  /** Over the Unix socket, as the operator. */
  ask(path: string, asked?: Asked): Promise<Reply>;
  /** Over TCP, with nothing but what is given. */
  tcp(path: string, asked?: Asked): Promise<Reply>;
  token(): Promise<string>;
  git(folder: string, ...words: string[]): Promise<string>;
  /** A bare upstream with one commit on `main`; gives its path. */
  upstream(name: string, files?: Record<string, string>): Promise<string>;
  /** Adds a repo over the API and expects that to work. */
  addRepo(name: string, more?: object): Promise<string>;
  /** Stops the service and starts another one of the same home. */
  restart(): Promise<void>;
}

const gitEnvironment = {
  PATH: process.env['PATH'] ?? '',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.org',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.org',
};

export async function openService(): Promise<TestService> {
  const folder = await mkdtemp(join(tmpdir(), 'takt-test-'));
  const home = join(folder, 'home');
  await initHome(home);
  const start = (): Promise<RunningService> =>
    startService({ home, port: 0, log: join(home, '.state', 'service.log') });
  let service = await start();
  const git = async (where: string, ...words: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)('git', ['-c', 'init.defaultBranch=main', ...words], {
      cwd: where,
      env: gitEnvironment,
    });
    return stdout.trim();
  };
  const opened: TestService = {
    home,
    folder,
    get service() {
      return service;
    },
    ask: (path, asked) => send({ socketPath: service.address.socket, path }, asked),
    tcp: (path, asked) => send({ host: '127.0.0.1', port: service.address.port, path }, asked),
    token: async () => (await readFile(join(home, '.state', 'token'), 'utf8')).trim(),
    git,
    async upstream(name, files = { 'README.md': `${name}\n` }) {
      const work = join(folder, 'work', name);
      await mkdir(work, { recursive: true });
      await git(work, 'init', '-q');
      await writeFiles(work, files);
      await git(work, 'add', '-A');
      await git(work, 'commit', '-qm', 'first');
      const bare = join(folder, 'upstream', `${name}.git`);
      await git(folder, 'clone', '-q', '--bare', work, bare);
      return bare;
    },
    async addRepo(name, more = {}) {
      const upstream = await opened.upstream(name);
      const reply = await opened.ask('/api/repos', { method: 'POST', body: { name, upstream, ...more } });
      if (reply.status !== 200) throw new Error(reply.text);
      return upstream;
    },
    async restart() {
      await service.stop();
      service = await start();
    },
    async [Symbol.asyncDispose]() {
      await endRuns(opened);
      await service.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  return opened;
}

/** Step hosts outlive the service, so a test that failed amid a run would leave them at work. */
async function endRuns(opened: TestService): Promise<void> {
  const running = async (): Promise<string[]> => {
    const reply = await opened.ask('/api/runs?state=running').catch(() => undefined);
    return (reply?.body?.runs ?? []).map(({ id }: { id: string }) => id);
  };
  for (const run of await running()) await opened.ask(`/api/runs/${run}/cancel`, { method: 'POST', body: {} });
  await until('all runs to have ended', async () => ((await running()).length === 0 ? true : undefined), 20_000);
}

export async function writeFiles(folder: string, files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

function send(to: object, { method = 'GET', body, text, headers = {}, signal }: Asked = {}): Promise<Reply> {
  const payload = text ?? (body === undefined ? undefined : JSON.stringify(body));
  const json = body === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const outgoing = request({
      ...to,
      method,
      agent: false,
      headers: { ...json, ...headers },
      ...(signal === undefined ? {} : { signal }),
    });
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      let said = '';
      incoming.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
      incoming.on('error', reject);
      incoming.on('end', () =>
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text: said, body: parsed(said) }),
      );
    });
    outgoing.end(payload);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // A page, or lines of JSON.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
