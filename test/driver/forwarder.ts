import { connect, createServer, type Socket } from 'node:net';

export interface Forwarder {
  readonly port: number;
  /** Destroys the next connection once that many bytes have gone to the other side. */
  cutNext(afterBytes: number): void;
  /** Destroys every further connection once that many bytes have come back from the other side; undefined ends it. */
  cutAnswers(afterBytes: number | undefined): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A port on loopback that leads to another one, and can be cut. */
export async function forwardTo(port: number): Promise<Forwarder> {
  let cutAfterBytes: number | undefined;
  let cutAnswersAfterBytes: number | undefined;
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    const limit = cutAfterBytes ?? Infinity;
    cutAfterBytes = undefined;
    let sent = 0;
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
      // Either side may be destroyed in the midst of writing, which is what this is for.
      one.on('error', () => other.destroy());
    }
    let came = 0;
    const answerLimit = cutAnswersAfterBytes ?? Infinity;
    far.on('data', (chunk) => {
      came += chunk.length;
      if (came < answerLimit) near.write(chunk);
      else near.destroy();
    });
    far.on('end', () => near.end());
    near.on('data', (chunk) => {
      sent += chunk.length;
      if (sent < limit) far.write(chunk);
      else near.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return {
    port: address.port,
    cutNext(afterBytes) {
      cutAfterBytes = afterBytes;
    },
    cutAnswers(afterBytes) {
      cutAnswersAfterBytes = afterBytes;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A port that takes connections and never says a word. */
export async function listenSilently(): Promise<{ port: number; [Symbol.asyncDispose](): Promise<void> }> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
