import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { Fault, faults } from '../contract/faults.ts';
import { homeFolder, homeLayout } from '../platform/home-layout.ts';

// Keeps the source with its types taken off as well: a start that finds it there needs 30 MB less, and half the time.
enableCompileCache(join(import.meta.dirname, '..', '..', 'dist', '.cache'));

const DEFAULT_PORT = 7433;
const PORT_LIMIT = 65_535;

/** Runs the service of the home that the environment names, until SIGTERM, SIGINT or its own end. */
async function main(): Promise<void> {
  const home = homeFolder(process.env);
  const { startService } = await import('../service/start-service.ts');
  const service = await startService({ home, port: portFrom(process.env), log: homeLayout(home).serviceLog });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void service.stop());
  await service.ended;
}

function portFrom(environment: NodeJS.ProcessEnv): number {
  const text = environment['TAKT_PORT'] ?? '';
  if (text === '') return DEFAULT_PORT;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= PORT_LIMIT) return port;
  throw new Fault('INPUT_INVALID', `TAKT_PORT is ${text}, which is no port.`, {
    hint: 'Set it to a number from 1 to 65535.',
  });
}

try {
  if (process.platform !== 'linux')
    throw new Fault('PLATFORM_UNSUPPORTED', `The service does not run on ${process.platform}.`);
  await main();
  // A handle that some library keeps must not keep the process.
  process.exit(0);
} catch (error) {
  const fault =
    error instanceof Fault
      ? error
      : new Fault('INTERNAL', error instanceof Error ? (error.stack ?? error.message) : String(error));
  const lines = [`takt: ${fault.message}`, ...(fault.detail === undefined ? [] : [fault.detail]), fault.hint];
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exit(faults[fault.code].exitCode);
}
