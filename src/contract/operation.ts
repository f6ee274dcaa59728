import type { z } from 'zod';

/** `operator`: the person. `agent`: an attempt's own token as well. `anyone`: whoever may read. */
export type Right = 'operator' | 'agent' | 'anyone';

/**
 * `call`: one request, one reply. `stream`: a body that goes on; a cursor resumes it.
 * `job`: long; has an id, reports progress and can be cancelled. `local`: needs this terminal
 * or disk, so the command itself carries it out.
 */
export type OperationKind = 'call' | 'stream' | 'job' | 'local';

/** What a parameter names, so that completion and pickers can offer the values. */
export type Entity =
  | 'repo'
  | 'workspace'
  | 'run'
  | 'step'
  | 'attempt'
  | 'template'
  | 'role'
  | 'context'
  | 'setting'
  | 'command'
  | 'job'
  | 'file';

/** One thing that a user can do; every face is made from these. */
export interface Operation<Params = unknown, Reply = unknown> {
  /** `noun.verb`, as handlers are registered. */
  readonly name: string;
  /** One sentence; the first line of the help. */
  readonly summary: string;
  /** More help, in paragraphs. */
  readonly details?: string;
  /** Command lines a user would type, each with what it does. */
  readonly examples: readonly { readonly line: string; readonly does: string }[];
  readonly kind: OperationKind;
  /** `:name` in the path takes the parameter of that name; GET and DELETE send the others as query, the rest as JSON body. */
  readonly http: { readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'; readonly path: string };
  readonly command: {
    readonly words: readonly string[];
    /** Parameters given by position; the last may be a list. All others are options. */
    readonly positionals: readonly string[];
    /** Short forms of options, such as `{ follow: 'f' }`. */
    readonly shorts?: Readonly<Record<string, string>>;
  };
  /** Keys are parameter names. */
  readonly entities: Readonly<Record<string, Entity>>;
  readonly who: Right;
  /** True if a person is asked before it is done; `--yes` answers. */
  readonly isDangerous: boolean;
  readonly params: z.ZodType<Params>;
  readonly reply: z.ZodType<Reply>;
}

/** Declares an operation; the defaults are those of a harmless call without parameters by position. */
export function defineOperation<Params, Reply>(
  declared: Omit<Operation<Params, Reply>, 'kind' | 'entities' | 'who' | 'isDangerous'> &
    Partial<Pick<Operation<Params, Reply>, 'kind' | 'entities' | 'who' | 'isDangerous'>>,
): Operation<Params, Reply> {
  return { kind: 'call', entities: {}, who: 'operator', isDangerous: false, ...declared };
}

export type ParamsOf<O> = O extends Operation<infer Params, infer _Reply> ? Params : never;
export type ReplyOf<O> = O extends Operation<infer _Params, infer Reply> ? Reply : never;
