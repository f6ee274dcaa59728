import { jsonText } from '../cli/clean-text.ts';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { LocalCall } from '../cli/local-call.ts';
import { printReply } from '../cli/print/print-reply.ts';
import { answers, requireHome, serviceCommand, startService } from '../cli/start-service.ts';
import { Fault } from '../contract/faults.ts';
import type { serviceStop } from '../contract/operations/service.ts';
import type { ReplyOf } from '../contract/operation.ts';
import { commandNamed } from '../grammar/command-table.ts';
import { identityOf, isAlive, type ProcessIdentity } from '../platform/process-identity.ts';
import { pause } from '../platform/wait.ts';

const STOP_LIMIT_MS = 60_000;
const LOOK_EVERY_MS = 20;

/** Runs the service in this terminal until it is stopped; Ctrl-C reaches it by itself. */
export async function runInForeground(call: LocalCall): Promise<number> {
  const { layout } = localHome(call);
  await requireHome(layout);
  const [program, args] = serviceCommand();
  const child = spawn(program, args, {
    cwd: layout.home,
    stdio: 'inherit',
    env: { ...process.env, TAKT_HOME: layout.home },
  });
  const forward = (): void => void child.kill('SIGTERM');
  process.once('SIGTERM', forward);
  const [code] = (await once(child, 'exit')) as [number | null];
  process.off('SIGTERM', forward);
  return code ?? 1;
}

export async function start(call: LocalCall): Promise<number> {
  const { layout } = localHome(call);
  await requireHome(layout);
  const runsAlready = await answers(layout.socket);
  if (!runsAlready)
    await startService(layout, { signal: call.signal, say: (text) => call.terminal.writeError(`takt: ${text}\n`) });
  return printStatus(call, runsAlready ? 'It runs already.\n' : '');
}

export async function stop(call: LocalCall): Promise<number> {
  const { layout } = localHome(call);
  await requireHome(layout);
  const stopped = await stopIfRunning(call);
  const text =
    stopped === undefined
      ? 'The service does not run.\n'
      : 'The service has stopped. Steps that run go on; its next start takes them in.\n';
  await call.terminal.write(call.flags.json ? `${jsonText({ pid: stopped ?? null }, 2)}\n` : text);
  return 0;
}

export async function restart(call: LocalCall): Promise<number> {
  const { layout } = localHome(call);
  await requireHome(layout);
  await stopIfRunning(call);
  await startService(layout, { signal: call.signal, say: (text) => call.terminal.writeError(`takt: ${text}\n`) });
  return printStatus(call, '');
}

/** Another machine's service is not ours to start or stop. */
function localHome({ place }: LocalCall): LocalCall['place'] {
  if (place.address.kind === 'socket') return place;
  throw new Fault(
    'INPUT_INVALID',
    `TAKT_URL leads to ${place.address.url}; its service is started and stopped on that machine.`,
    { hint: 'Unset TAKT_URL, or name a home with --home.' },
  );
}

/** The pid of the service that was stopped and is gone, or undefined if none ran. */
async function stopIfRunning({ place, table, signal, connect }: LocalCall): Promise<number | undefined> {
  if (!(await answers(place.layout.socket))) return undefined;
  const { pid } = (await connect({ start: false }).call(
    commandNamed(table, 'service.stop'),
    {},
    { signal },
  )) as ReplyOf<typeof serviceStop>;
  const process = identityOf(pid);
  if (process !== undefined) await waitForEnd(process, signal);
  return pid;
}

async function waitForEnd(service: ProcessIdentity, signal: AbortSignal): Promise<void> {
  const endsAtMs = Date.now() + STOP_LIMIT_MS;
  while (isAlive(service)) {
    if (Date.now() > endsAtMs)
      throw new Fault('SERVICE_LOCKED', `The service (process ${service.pid}) was told to stop and is still there.`, {
        hint: '`takt service logs` says what it waits for.',
      });
    await pause(LOOK_EVERY_MS, signal);
  }
}

async function printStatus({ table, flags, terminal, signal, connect }: LocalCall, note: string): Promise<number> {
  const status = commandNamed(table, 'service.status');
  const reply = await connect({ start: false }).call(status, {}, { signal });
  await terminal.write(
    flags.json ? `${jsonText(reply, 2)}\n` : note + (await printReply(status, reply, {}, terminal.page)),
  );
  return 0;
}
