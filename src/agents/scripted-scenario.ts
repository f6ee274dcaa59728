/** What the scripted model answers to one request. Several blocks are one answer; `text` comes first. */
export type ScriptedStep =
  | ScriptedAnswer
  /** An HTTP error; `headers` such as `retry-after`. */
  | {
      readonly kind: 'error';
      readonly status: number;
      readonly type?: string;
      readonly message?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Takes the request and never says a word. */
  | { readonly kind: 'hang' }
  /** Begins to answer and then says nothing more, with the connection open. */
  | { readonly kind: 'stall'; readonly text: string }
  /** Begins to answer and then breaks the connection. */
  | { readonly kind: 'cut'; readonly text: string };

export interface ScriptedAnswer {
  readonly kind: 'answer';
  readonly thinking?: string;
  readonly text?: string;
  readonly calls?: readonly ScriptedCall[];
  /** Pause before each piece of the answer. */
  readonly chunkDelayMs?: number;
  readonly usage?: Partial<ScriptedUsage>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ScriptedCall {
  readonly tool: string;
  readonly input: unknown;
}

export interface ScriptedUsage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly cache_creation_input_tokens: number;
}

/** A request as a script sees it. */
export interface ScriptedRequest {
  readonly workspace: string;
  readonly step: string;
  readonly attempt: string;
  readonly sessionId: string;
  /** How many answers the conversation holds already: 0 in the first request. A retried request has the same number. */
  readonly turn: number;
  /** Results of the calls in the answer before this request, oldest first. */
  readonly toolResults: readonly { readonly text: string; readonly isError: boolean }[];
  /** All text of the request: system prompt, messages and results. */
  readonly text: string;
  readonly body: ScriptedBody;
}

/** The part of a Messages API request that the stand-in looks at. */
export interface ScriptedBody {
  readonly model: string;
  readonly stream: boolean;
  readonly tools: readonly { readonly name: string }[];
  readonly system?: unknown;
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
}

/** A step as data, or a function that looks at the request first, for instance at the results of its calls. */
export type ScriptedTurn = ScriptedStep | ((request: ScriptedRequest) => ScriptedStep);

/**
 * Who says what: keys are `<workspace>/<step>`, `<step>` or `*`, and the first that fits counts. The turn of the
 * conversation is the place in the list; after its end the last entry is repeated.
 */
export type ScriptedScenario = Readonly<Record<string, readonly ScriptedTurn[]>>;

/** The step that a scenario has for a request. */
export function stepFor(scenario: ScriptedScenario, request: ScriptedRequest): ScriptedStep {
  const turns = scenario[`${request.workspace}/${request.step}`] ?? scenario[request.step] ?? scenario['*'] ?? [];
  const turn = turns[Math.min(request.turn, turns.length - 1)];
  if (turn === undefined) return say(`The script has no lines for the step "${request.step}".`);
  return typeof turn === 'function' ? turn(request) : turn;
}

/** An answer of text alone. */
export const say = (text: string): ScriptedAnswer => ({ kind: 'answer', text });

/** An answer with one call of a tool. */
export const call = (tool: string, input: unknown, text?: string): ScriptedAnswer => ({
  kind: 'answer',
  ...(text === undefined ? {} : { text }),
  calls: [{ tool, input }],
});

/** The answer that ends an agent step: its stage result. */
export const giveResult = (result: {
  verdict: 'passed' | 'failed';
  summary: string;
  findings?: readonly unknown[];
}): ScriptedAnswer => call('StructuredOutput', result);
