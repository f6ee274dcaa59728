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
  if (message.type === 'assistant') return message.message.content.flatMap((block) => blockLines(block, atMs));
  if (message.type === 'user') return toolResultLines(message.message.content, atMs);
  return sentencesIn(message).map((text) => ({ kind: 'note', atMs, text: cut(text) }));
}

function blockLines(block: Content[number], atMs: number): OutputLine[] {
  if (block.type === 'text') return block.text === '' ? [] : [{ kind: 'text', atMs, text: block.text }];
  if (block.type === 'thinking') return block.thinking === '' ? [] : [{ kind: 'thinking', atMs, text: block.thinking }];
  if (block.type !== 'tool_use') return [];
  return [{ kind: 'tool_call', atMs, id: block.id, tool: block.name, input: cutWithin(block.input) }];
}

function toolResultLines(content: UserContent, atMs: number): OutputLine[] {
  if (typeof content === 'string') return [];
  return content.flatMap((block): OutputLine[] =>
    block.type === 'tool_result'
      ? [
          {
            kind: 'tool_result',
            atMs,
            id: block.tool_use_id,
            isError: block.is_error === true,
            text: cut(resultText(block.content)),
          },
        ]
      : [],
  );
}

function resultText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: { type?: unknown; text?: unknown }) =>
      typeof part.text === 'string' ? part.text : `(${String(part.type)})`,
    )
    .join('\n');
}

function rateLimitSentence(info: { status: string; rateLimitType?: string; resetsAt?: number }): string {
  const which =
    info.rateLimitType === undefined
      ? 'A limit of the subscription'
      : `The ${info.rateLimitType.replaceAll('_', '-')} limit of the subscription`;
  const resets = info.resetsAt === undefined ? '' : `; it resets at ${new Date(info.resetsAt * 1000).toISOString()}`;
  return info.status === 'rejected' ? `${which} is reached${resets}.` : `${which} is near${resets}.`;
}

/** What takt says of a message that is not part of the conversation. */
function sentencesIn(message: SDKMessage): string[] {
  if (message.type === 'rate_limit_event') {
    return message.rate_limit_info.status === 'allowed' ? [] : [rateLimitSentence(message.rate_limit_info)];
  }
  if (message.type !== 'system') return [];
  if (message.subtype === 'init') {
    return [`Claude Code ${message.claude_code_version}, model ${message.model}, session ${message.session_id}.`];
  }
  if (message.subtype === 'api_retry') return [retrySentence(message)];
  if (message.subtype === 'compact_boundary') {
    return [`The conversation was shortened; it had ${message.compact_metadata.pre_tokens} tokens.`];
  }
  if (message.subtype === 'permission_denied') return [`Claude Code refused a call of ${message.tool_name}.`];
  if (message.subtype === 'session_writes_lost') {
    return ['Claude Code could not write its session: it may not be possible to resume it.'];
  }
  // The first of these is sent, but not declared by the SDK.
  return /^model_(fallback|refusal)/.test(message.subtype)
    ? ['The model did not answer this; Claude Code went on as its fallback says.']
    : [];
}

function retrySentence(retry: Extract<SDKMessage, { subtype: 'api_retry' }>): string {
  const what = retry.error_status === null ? retry.error : `${retry.error_status} ${retry.error}`;
  const wait = `${(retry.retry_delay_ms / 1000).toFixed(1)} s`;
  return `The model gave no answer (${what}); retry ${retry.attempt} of ${retry.max_retries} in ${wait}.`;
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
  const end = /[\uD800-\uDBFF]/.test(text[TOOL_TEXT_LIMIT_CHARS - 1]!)
    ? TOOL_TEXT_LIMIT_CHARS - 1
    : TOOL_TEXT_LIMIT_CHARS;
  return `${text.slice(0, end)}\n[cut by takt: ${text.length - end} more characters]`;
}
