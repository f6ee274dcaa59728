import { connect } from 'node:net';

/** True if somebody takes a TCP connection there within so long. */
export function canConnect(
  to: { readonly host: string; readonly port: number },
  { signal, limitMs }: { readonly signal: AbortSignal; readonly limitMs: number },
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...to, signal, timeout: limitMs });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket
      .once('connect', () => settle(true))
      .once('timeout', () => settle(false))
      .once('error', () => settle(false));
  });
}
