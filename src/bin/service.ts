import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { Fault, faults } from '../contract/faults.ts';
import { faultOfSystemError } from '../contract/system-fault.ts';
import { homeFolder, homeLayout } from '../platform/home-layout.ts';
import { servicePort } from '../platform/service-port.ts';

/** A small nursery for new objects: a service that waits most of the time does not need 16 MB of them. */
const SMALL_NURSERY = '--max-semi-space-size=2';

/** Runs the service of the home that the environment names, until SIGTERM, SIGINT or its own end. */
async function main(): Promise<void> {
  const home = homeFolder(process.env);
  const { applyEnvironment } = await import('../service/own-environment.ts');
  applyEnvironment(homeLayout(home), process.env, (sentence) => process.stderr.write(`takt: ${sentence}\n`));
  const { startService } = await import('../service/start-service.ts');
  const service = await startService({ home, port: portFrom(process.env), log: homeLayout(home).serviceLog });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void service.stop());
  // Node writes it at an orderly end alone, and a service may never have one.
  flushCompileCache();
  await service.ended;
}

/**
 * Starts this process anew, as the same one to all others, with a small nursery and with the source as Node keeps it once
 * its types are taken off: together they save some 35 MB for as long as the service runs.
 */
function becomeSmall(): void {
  if (process.execArgv.includes(SMALL_NURSERY)) {
    // What the service starts has caches of its own.
    delete process.env['NODE_COMPILE_CACHE'];
    return;
  }
  const args = [process.execPath, SMALL_NURSERY, ...process.execArgv, ...process.argv.slice(1)];
  const cache = join(import.meta.dirname, '..', '..', 'dist', '.cache');
  process.execve?.(process.execPath, args, { ...process.env, NODE_COMPILE_CACHE: cache });
}

function portFrom(environment: NodeJS.ProcessEnv): number {
  const port = servicePort(environment);
  if (port !== undefined) return port;
  throw new Fault('INPUT_INVALID', `TAKT_PORT is ${environment['TAKT_PORT']}, which is no port.`, {
    hint: 'Set it to a number from 1 to 65535.',
  });
}

try {
  if (process.platform !== 'linux')
    throw new Fault('PLATFORM_UNSUPPORTED', `The service does not run on ${process.platform}.`);
  becomeSmall();
  await main();
  // A handle that some library keeps must not keep the process.
  process.exit(0);
} catch (error) {
  const fault =
    error instanceof Fault
      ? error
      : (faultOfSystemError(error) ??
        new Fault('INTERNAL', error instanceof Error ? (error.stack ?? error.message) : String(error)));
  const lines = [`takt: ${fault.message}`, ...(fault.detail === undefined ? [] : [fault.detail]), fault.hint];
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exit(faults[fault.code].exitCode);
}
