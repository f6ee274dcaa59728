import { runProcess } from '../../platform/run-process.ts';

const PROGRAM_LIMIT_MS = 10_000;
/** What programs need of an environment to find their own files and their user's session. */
const GIVEN = ['PATH', 'HOME', 'XDG_CONFIG_HOME', 'XDG_RUNTIME_DIR', 'DBUS_SESSION_BUS_ADDRESS', 'TMPDIR'];

/** The first line that a program prints, or undefined if it does not start, fails or takes too long. */
export async function firstLineOf(
  program: string,
  args: readonly string[],
  signal: AbortSignal,
  more: Readonly<Record<string, string>> = {},
): Promise<string | undefined> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(PROGRAM_LIMIT_MS)]);
  const given = GIVEN.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]] as const]));
  try {
    const env = { ...Object.fromEntries(given), ...more };
    const { exitCode, stdout } = await runProcess(program, args, { env, signal: limited, hasOwnGroup: true });
    return exitCode === 0 ? stdout.toString('utf8').split('\n')[0]!.trim() : undefined;
  } catch (error) {
    signal.throwIfAborted();
    if ((error as Error).name === 'TimeoutError') return undefined;
    throw error;
  }
}
