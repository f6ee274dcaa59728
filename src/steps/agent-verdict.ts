import { StageResult } from '../contract/stage-result.ts';
import type { FailureReason } from '../contract/run.ts';
import type { SessionEnd } from '../agents/session.ts';

/** What the end of a session means for its attempt. */
export interface AgentVerdict {
  readonly state: 'passed' | 'failed' | 'unverified' | 'broken';
  readonly reason: FailureReason | null;
  readonly result: StageResult | null;
}

const WORDS_LIMIT_CHARS = 500;

/** Only the stage result counts: an agent that says in prose that all is well has not passed. */
export function agentVerdict(end: SessionEnd): AgentVerdict {
  const { result } = end;
  if (end.refusal !== undefined)
    return failed('model_access', `The model's service refused the credential (${end.refusal}).`);
  if (result === undefined) return broken(end);
  switch (result.subtype) {
    case 'success':
      return result.is_error
        ? modelError(result.api_error_status ?? null, result.result)
        : verdictOf(result.structured_output);
    case 'error_max_turns':
      return failed('turn_limit', `The agent had no result after ${result.num_turns} turns.`);
    case 'error_max_structured_output_retries':
      return unverified('The agent did not manage to give a stage result that fits the schema.');
    case 'error_max_budget_usd':
    case 'error_during_execution':
      return end.isBegun
        ? failed('model_error', sentence('The session ended in an error', result.errors[0]))
        : broken(end);
  }
}

function verdictOf(structuredOutput: unknown): AgentVerdict {
  if (structuredOutput === undefined) return unverified('The agent ended without a stage result.');
  const parsed = StageResult.safeParse(structuredOutput);
  if (!parsed.success) return unverified("The agent's stage result does not fit the schema.");
  const { data: result } = parsed;
  if (result.verdict === 'passed') return { state: 'passed', reason: null, result };
  return {
    state: 'failed',
    reason: { class: 'verdict', sentence: sentence('The agent says that it failed', result.summary) },
    result,
  };
}

function modelError(status: number | null, words: string): AgentVerdict {
  if (status === 401 || status === 403)
    return failed('model_access', sentence(`The model's service refused the credential (${status})`, words));
  return failed(
    'model_error',
    sentence(
      status === null ? 'The model gave no answer' : `The model's service answered with an error (${status})`,
      words,
    ),
  );
}

/** Claude Code ended by itself and said nothing that can be counted. */
function broken(end: SessionEnd): AgentVerdict {
  const how = end.exitSignal === null ? `with exit code ${end.exitCode}` : `by ${end.exitSignal}`;
  const words = end.stderr.trim().split('\n').at(-1) || end.thrown?.message;
  return {
    state: 'broken',
    reason: { class: 'internal', sentence: sentence(`Claude Code ended ${how} and without a result`, words) },
    result: null,
  };
}

const failed = (reason: FailureReason['class'], text: string): AgentVerdict => ({
  state: 'failed',
  reason: { class: reason, sentence: text },
  result: null,
});

const unverified = (text: string): AgentVerdict => ({
  state: 'unverified',
  reason: { class: 'no_result', sentence: text },
  result: null,
});

/** One sentence of ours, with the beginning of somebody else's words. */
function sentence(own: string, words: string | undefined): string {
  const line = words?.replaceAll(/\s+/g, ' ').trim() ?? '';
  if (line === '') return `${own}.`;
  return `${own}: ${line.length > WORDS_LIMIT_CHARS ? `${line.slice(0, WORDS_LIMIT_CHARS)} …` : line}`;
}
