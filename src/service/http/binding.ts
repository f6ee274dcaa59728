import type { Operation } from '../../contract/operation.ts';
import type { Progress } from '../jobs.ts';

/** What an operation's handler gets beside its parameters. */
export interface Call {
  /** Ends when the caller gives up, the time is over or the service stops. */
  readonly signal: AbortSignal;
  /** Of a job; for other calls it says nothing to anybody. */
  readonly progress: Progress;
}

/** What a stream's handler gets beside its parameters. */
export interface StreamCall {
  /** Ends with the connection. */
  readonly signal: AbortSignal;
  readonly lastEventId: string | undefined;
}

/** An operation with the function that carries it out. */
export type Binding =
  | { readonly kind: 'reply'; readonly operation: Operation; readonly answer: (params: unknown, call: Call) => unknown }
  | {
      readonly kind: 'stream';
      readonly operation: Operation;
      readonly contentType: string;
      readonly answer: (params: unknown, call: StreamCall) => AsyncIterable<string> | Promise<AsyncIterable<string>>;
    };

/** Binds an operation to its handler; parameters and reply are checked against the schemas whatever the types say. */
export function bind<Params, Reply>(
  operation: Operation<Params, Reply>,
  answer: (params: Params, call: Call) => Reply | Promise<Reply>,
): Binding {
  // The parameters were parsed by this very operation's schema when the handler gets them.
  return { kind: 'reply', operation: operation as Operation, answer: (params, call) => answer(params as Params, call) };
}

/** Binds an operation whose body goes on; what the handler refuses before it gives the first text becomes a fault. */
export function bindStream<Params>(
  operation: Operation<Params, unknown>,
  contentType: string,
  answer: (params: Params, call: StreamCall) => AsyncIterable<string> | Promise<AsyncIterable<string>>,
): Binding {
  return {
    kind: 'stream',
    operation: operation as Operation,
    contentType,
    answer: (params, call) => answer(params as Params, call),
  };
}
