import { jsonText } from '../cli/clean-text.ts';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { LocalCall } from '../cli/local-call.ts';
import { printReply } from '../cli/print/print-reply.ts';
import { answers, requireHome, serviceCommand, startService } from '../cli/start-service.ts';
import { loadedUnit } from '../cli/service-unit/run-by-unit.ts';
import { commandNamed } from '../grammar/command-table.ts';
import { localHome, sayingTo, stopService } from './service-unit/stop-service.ts';

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
  if (!runsAlready) await startService(layout, { signal: call.signal, say: sayingTo(call) });
  return printStatus(call, runsAlready ? await runsAlreadyNote(call) : '');
}

async function runsAlreadyNote(call: LocalCall): Promise<string> {
  const unit = await loadedUnit(call.place.layout, { signal: call.signal, say: sayingTo(call) });
  if (unit === undefined || unit.state.mainPid !== 0) return 'It runs already.\n';
  return `It runs already, outside its unit ${unit.file.name}; \`takt service restart\` hands it over.\n`;
}

export async function stop(call: LocalCall): Promise<number> {
  const { layout } = localHome(call);
  await requireHome(layout);
  const stopped = await stopService(call);
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
  await stopService(call);
  await startService(layout, { signal: call.signal, say: sayingTo(call) });
  return printStatus(call, '');
}

async function printStatus({ table, flags, terminal, signal, connect }: LocalCall, note: string): Promise<number> {
  const status = commandNamed(table, 'service.status');
  const reply = await connect({ start: false }).call(status, {}, { signal });
  await terminal.write(
    flags.json ? `${jsonText(reply, 2)}\n` : note + (await printReply(status, reply, {}, terminal.page)),
  );
  return 0;
}
