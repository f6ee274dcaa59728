import type { SDKMessage } from '@anthropic-ai/claude-agent-sdk';
import type { OutputLine } from '../contract/output.ts';

/** Longer texts of tools are cut, with a note at the cut; the session's own file has them whole. */
export const TOOL_TEXT_LIMIT_CHARS = 32 * 1024;

type Content = Extract<SDKMessage, { type: 'assistant' }>['message']['content'];
type UserContent = Extract<SDKMessage, { type: 'user' }>['message']['content'];

/**
 * What a message of the SDK adds to an attempt's output; often nothing. The stream carries kinds of messages that its
 * declarations lack, so here, unlike elsewhere, what is not known is passed over.
 */
export function outputLines(message: SDKMessage, atMs: number): OutputLine[] {
  switch (message.type) {
    case 'assistant':
      return assistantLines(message.message.content, atMs);
    case 'user':
      return toolResultLines(message.message.content, atMs);
    case 'rate_limit_event':
      return message.rate_limit_info.status === 'allowed' ? [] : [{ kind: 'note', atMs, text: rateLimitSentence(message.rate_limit_info) }];
    case 'system':
      return systemSentences(message).map((text) => ({ kind: 'note', atMs, text: cut(text) }));
    default:
      return [];
  }
}

function assistantLines(content: Content, atMs: number): OutputLine[] {
  return content.flatMap((block): OutputLine[] => {
    switch (block.type) {
      case 'text':
        return block.text === '' ? [] : [{ kind: 'text', atMs, text: block.text }];
      case 'thinking':
        return block.thinking === '' ? [] : [{ kind: 'thinking', atMs, text: block.thinking }];
      case 'tool_use':
        return [{ kind: 'tool_call', atMs, id: block.id, tool: block.name, input: cutWithin(block.input) }];
      default:
        return [];
    }
  });
}

function toolResultLines(content: UserContent, atMs: number): OutputLine[] {
  if (typeof content === 'string') return [];
  return content.flatMap((block): OutputLine[] =>
    block.type === 'tool_result'
      ? [{ kind: 'tool_result', atMs, id: block.tool_use_id, isError: block.is_error === true, text: cut(resultText(block.content)) }]
      : [],
  );
}

function resultText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part: { type?: unknown; text?: unknown }) => (typeof part.text === 'string' ? part.text : `(${String(part.type)})`)).join('\n');
}

function rateLimitSentence(info: { status: string; rateLimitType?: string; resetsAt?: number }): string {
  const which = info.rateLimitType === undefined ? 'A limit of the subscription' : `The ${info.rateLimitType.replaceAll('_', '-')} limit of the subscription`;
  const resets = info.resetsAt === undefined ? '' : `; it resets at ${new Date(info.resetsAt * 1000).toISOString()}`;
  return info.status === 'rejected' ? `${which} is reached${resets}.` : `${which} is near${resets}.`;
}

function systemSentences(message: Extract<SDKMessage, { type: 'system' }>): string[] {
  switch (message.subtype) {
    case 'init':
      return [`Claude Code ${message.claude_code_version}, model ${message.model}, session ${message.session_id}.`];
    case 'api_retry': {
      const what = message.error_status === null ? message.error : `${message.error_status} ${message.error}`;
      return [`The model gave no answer (${what}); retry ${message.attempt} of ${message.max_retries} in ${(message.retry_delay_ms / 1000).toFixed(1)} s.`];
    }
    case 'compact_boundary':
      return [`The conversation was shortened; it had ${message.compact_metadata.pre_tokens} tokens.`];
    case 'permission_denied':
      return [`Claude Code refused a call of ${message.tool_name}.`];
    case 'session_writes_lost':
      return ['Claude Code could not write its session: it may not be possible to resume it.'];
    default:
      return undeclaredSentences(message);
  }
}

/** Sent, but not declared by the SDK. */
function undeclaredSentences(message: { subtype: string }): string[] {
  return message.subtype.startsWith('model_fallback') || message.subtype.startsWith('model_refusal') ? ['The model did not answer this; Claude Code went on as its fallback says.'] : [];
}

/** Cuts every text within a value, so that the call of a tool that writes a large file stays readable. */
function cutWithin(value: unknown): unknown {
  if (typeof value === 'string') return cut(value);
  if (Array.isArray(value)) return value.map(cutWithin);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, cutWithin(part)]));
}

function cut(text: string): string {
  if (text.length <= TOOL_TEXT_LIMIT_CHARS) return text;
  // Half of a character that takes two code units is no text.
  const end = /[\uD800-\uDBFF]/.test(text[TOOL_TEXT_LIMIT_CHARS - 1]!) ? TOOL_TEXT_LIMIT_CHARS - 1 : TOOL_TEXT_LIMIT_CHARS;
  return `${text.slice(0, end)}\n[cut by takt: ${text.length - end} more characters]`;
}
