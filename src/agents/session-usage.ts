import type { SDKMessage, SDKResultMessage } from '@anthropic-ai/claude-agent-sdk';
import type { AgentUsage } from '../contract/run.ts';

/** Counts what a session uses while it goes, so that one that is ended early is counted as well. */
export interface UsageCounter {
  see(message: SDKMessage): void;
  /**
   * The usage so far, or at the end with the session's last result. A resumed session goes on counting its money from
   * what it had cost before, which is taken off; its tokens are those that this counter saw. Money is only known to a
   * result: it is 0 for a session that was ended before one, and then part of the next one's if that resumes it.
   */
  total(end: { result: SDKResultMessage | undefined; isResumed: boolean; costBeforeUsd: number }): AgentUsage;
}

type Tokens = Pick<AgentUsage, 'inputTokens' | 'outputTokens' | 'cacheReadTokens' | 'cacheWriteTokens'>;

/** What Claude Code names as the model of messages that it made itself, such as those about errors. */
const NOT_A_MODEL = '<synthetic>';

export function countUsage(): UsageCounter {
  let sessionId: string | null = null;
  let model: string | null = null;
  let turns = 0;
  const finished: Tokens = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };
  let outputOfRequest = 0;

  return {
    see(message) {
      if ('session_id' in message && typeof message.session_id === 'string' && message.session_id !== '')
        sessionId = message.session_id;
      if (message.type === 'assistant' && message.parent_tool_use_id === null && message.message.model !== NOT_A_MODEL)
        model = message.message.model;
      if (message.type !== 'stream_event') return;
      const { event } = message;
      if (event.type === 'message_start') {
        const { usage } = event.message;
        turns += 1;
        outputOfRequest = usage.output_tokens;
        finished.inputTokens += usage.input_tokens;
        finished.outputTokens += usage.output_tokens;
        finished.cacheReadTokens += usage.cache_read_input_tokens ?? 0;
        finished.cacheWriteTokens += usage.cache_creation_input_tokens ?? 0;
      } else if (event.type === 'message_delta') {
        // Output tokens are told as a total that grows within one answer.
        finished.outputTokens += event.usage.output_tokens - outputOfRequest;
        outputOfRequest = event.usage.output_tokens;
      }
    },
    total({ result, isResumed, costBeforeUsd }) {
      const costUsd = result === undefined ? 0 : Math.max(0, result.total_cost_usd - (isResumed ? costBeforeUsd : 0));
      const tokens = result === undefined || isResumed ? finished : tokensOf(result);
      return { sessionId, model, turns: result?.num_turns ?? turns, ...tokens, costUsd };
    },
  };
}

/** All models together, subagents and helper requests included. */
function tokensOf(result: SDKResultMessage): Tokens {
  const models = Object.values(result.modelUsage);
  const sum = (pick: (usage: (typeof models)[number]) => number): number =>
    models.reduce((total, usage) => total + pick(usage), 0);
  return {
    inputTokens: sum((usage) => usage.inputTokens),
    outputTokens: sum((usage) => usage.outputTokens),
    cacheReadTokens: sum((usage) => usage.cacheReadInputTokens),
    cacheWriteTokens: sum((usage) => usage.cacheCreationInputTokens),
  };
}
