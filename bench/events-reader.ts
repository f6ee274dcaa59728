import { request, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import type { Household } from '../test/driver/household.ts';

/** A frame of the event stream as it came, with the time at which it was read. */
export interface Frame {
  readonly topic: string;
  readonly data: Record<string, unknown>;
  readonly readAtMs: number;
}

/** Milliseconds since 1970 with fractions, from the monotonic clock. */
export const preciseNowMs = (): number => performance.timeOrigin + performance.now();

/** Opens the service's event stream over TCP, as a browser would; `onFrame` gets each frame. */
export async function readEvents(
  household: Household,
  topics: string,
  onFrame: (frame: Frame) => void,
): Promise<{ close(): void }> {
  const token = await household.token();
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const call = request(
      {
        host: '127.0.0.1',
        port: household.port,
        path: `/api/events?topics=${topics}`,
        headers: { authorization: `Bearer ${token}` },
      },
      resolve,
    );
    call.on('error', reject);
    call.end();
  });
  let topic = '';
  createInterface({ input: response }).on('line', (line) => {
    if (line.startsWith('event: ')) topic = line.slice(7);
    if (line.startsWith('data: '))
      onFrame({ topic, data: JSON.parse(line.slice(6)) as Record<string, unknown>, readAtMs: preciseNowMs() });
  });
  // Closing on purpose breaks the body off.
  response.on('error', () => undefined);
  return { close: () => response.destroy() };
}

/** One call of the service with the token; gives the body. */
export async function callService(household: Household, method: string, path: string, body?: unknown): Promise<Buffer> {
  const token = await household.token();
  const response = await fetch(`http://127.0.0.1:${household.port}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return Buffer.from(await response.arrayBuffer());
}
