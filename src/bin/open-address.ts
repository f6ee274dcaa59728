import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { findProgram } from '../confinement/find-program.ts';

const OPENER_LIMIT_MS = 3_000;

/** Opens an address in the user's browser; false where there is no display or no program that opens it. */
export async function openAddress(url: string): Promise<boolean> {
  const hasDisplay = (process.env['DISPLAY'] ?? process.env['WAYLAND_DISPLAY'] ?? '') !== '';
  const opener = hasDisplay ? findProgram('xdg-open', process.env['PATH']) : undefined;
  if (opener === undefined) return false;
  const child = spawn(opener, [url], { stdio: 'ignore', detached: true });
  child.unref();
  try {
    const [code] = (await once(child, 'exit', { signal: AbortSignal.timeout(OPENER_LIMIT_MS) })) as [number | null];
    return code === 0;
  } catch (error) {
    // Some openers stay for as long as the browser does: then it is open. Any other error means that none started.
    return (error as Error).name === 'AbortError';
  }
}
