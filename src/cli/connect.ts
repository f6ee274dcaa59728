import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient, type Client } from '../client/client.ts';
import type { Transport } from '../client/transport.ts';
import { Fault } from '../contract/faults.ts';
import { httpTransport } from '../platform/http-transport.ts';
import type { Place } from './place.ts';
import type { Terminal } from './terminal.ts';

/**
 * A client of the service. If the home's service does not run, it is started and the request sent again: nobody
 * listened, so nothing was done by the first. With `start: false` that is a fault instead.
 */
export function connect(place: Place, { start, terminal }: { start: boolean; terminal: Terminal }): Client {
  const transport: Transport = httpTransport(place.address);
  const { address, layout } = place;
  if (address.kind === 'url')
    return createClient(namingAddress(transport, address.url), { expectedHome: runningHomeId(place) });
  return createClient({
    async send(request) {
      try {
        return await transport.send(request);
      } catch (error) {
        if (!isNobodyThere(error)) throw error;
        const { requireHome, startService } = await import('./start-service.ts');
        await requireHome(layout);
        if (!start)
          throw new Fault('SERVICE_UNREACHABLE', `The service of ${layout.home} does not run.`, { cause: error });
        await startService(layout, { signal: request.signal, say: (text) => terminal.writeError(`takt: ${text}\n`) });
        return transport.send(request);
      }
    },
  });
}

/**
 * The id of the home that TAKT_HOME names beside TAKT_URL, if a service runs for it: then the address has to lead
 * there. Without TAKT_HOME the address alone says which home is meant. Over the socket no other home can answer.
 */
function runningHomeId({ layout }: Place): string | null {
  if ((process.env['TAKT_HOME'] ?? '') === '') return null;
  try {
    const { homeId } = JSON.parse(readFileSync(join(layout.state, 'service.json'), 'utf8')) as { homeId?: string };
    return homeId ?? null;
  } catch (error) {
    if (error instanceof SyntaxError || ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return null;
    throw error;
  }
}

/** No socket, or one that a service left behind which was killed. */
export function isNobodyThere(error: unknown): boolean {
  return ['ENOENT', 'ECONNREFUSED'].includes((error as NodeJS.ErrnoException).code ?? '');
}

function namingAddress(transport: Transport, url: string): Transport {
  return {
    async send(request) {
      try {
        return await transport.send(request);
      } catch (error) {
        request.signal.throwIfAborted();
        const hint = 'Check TAKT_URL and the network; without TAKT_URL the home on this machine is used.';
        throw new Fault('SERVICE_UNREACHABLE', `No service answers at ${url}.`, { hint, cause: error });
      }
    },
  };
}
