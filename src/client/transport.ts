/** One HTTP request to the service; the path holds the query. */
export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON, or nothing. */
  readonly body: string | undefined;
  /** Aborting closes the connection, which cancels what the service does for it. */
  readonly signal: AbortSignal;
}

export interface TransportReply {
  readonly status: number;
  /** Undefined if the reply has no such header; names are in small letters. */
  header(name: string): string | undefined;
  /** The body as text in chunks that end anywhere; it is read once, and leaving off closes the connection. */
  readonly body: AsyncIterable<string>;
}

/**
 * Carries requests to a service: over a Unix socket, TCP, or `fetch` in a browser.
 *
 * `send` resolves when the reply's headers are there, whatever their status. It rejects if no reply came, with any
 * error; so does reading the body if the connection breaks.
 */
export interface Transport {
  send(request: TransportRequest): Promise<TransportReply>;
}
