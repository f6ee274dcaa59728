import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { LocalCall } from '../cli/local-call.ts';
import { findProgram } from '../confinement/find-program.ts';
import type { linkCreate } from '../contract/operations/service.ts';
import type { ReplyOf } from '../contract/operation.ts';
import { commandNamed } from '../grammar/command-table.ts';

/** Opens a one-time link in the browser; without a display, or with --print, it prints the link. */
export async function openPage({ params, flags, table, terminal, signal, connect }: LocalCall): Promise<number> {
  const reply = (await connect().call(commandNamed(table, 'link.create'), {}, { signal })) as ReplyOf<
    typeof linkCreate
  >;
  if (flags.json) {
    await terminal.write(`${JSON.stringify(reply, null, 2)}\n`);
    return 0;
  }
  const opener = params['print'] === true ? undefined : browserOpener();
  if (opener !== undefined && (await opens(opener, reply.url))) {
    await terminal.write('Opened the page in your browser.\n');
    return 0;
  }
  await terminal.write(`${reply.url}\n`);
  if (terminal.page.width !== null)
    terminal.writeError(`It works once, for ${Math.round((reply.expiresAtMs - Date.now()) / 1000)} seconds.\n`);
  return 0;
}

function browserOpener(): string | undefined {
  const hasDisplay = (process.env['DISPLAY'] ?? process.env['WAYLAND_DISPLAY'] ?? '') !== '';
  return hasDisplay ? findProgram('xdg-open', process.env['PATH']) : undefined;
}

async function opens(opener: string, url: string): Promise<boolean> {
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

const OPENER_LIMIT_MS = 3_000;
