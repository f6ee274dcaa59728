import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { ScriptedBody, ScriptedRequest } from './scripted-scenario.ts';

const BODY_LIMIT_BYTES = 64 * 1024 * 1024;

const Body = z.object({
  model: z.string(),
  stream: z.boolean().default(false),
  tools: z.array(z.looseObject({ name: z.string() })).default([]),
  system: z.unknown().optional(),
  messages: z.array(z.looseObject({ role: z.string(), content: z.unknown() })),
});

const ToolResult = z.looseObject({
  type: z.literal('tool_result'),
  content: z.unknown(),
  is_error: z.boolean().nullish(),
});

/** Reads a request's body to its end; undefined if it is longer than any honest one. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_LIMIT_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** What a script sees of a request, or undefined if the body is not one of the Messages API. */
export function scriptedRequestOf(headers: IncomingHttpHeaders, text: string): ScriptedRequest | undefined {
  const body = bodyOf(text);
  if (body === undefined) return undefined;
  const lastAnswer = body.messages.findLastIndex(({ role }) => role === 'assistant');
  return {
    workspace: headerOf(headers, 'x-takt-workspace'),
    step: headerOf(headers, 'x-takt-step'),
    attempt: headerOf(headers, 'x-takt-attempt'),
    sessionId: headerOf(headers, 'x-claude-code-session-id'),
    turn: body.messages.filter(({ role }) => role === 'assistant').length,
    toolResults: body.messages.slice(lastAnswer + 1).flatMap(({ content }) => toolResultsIn(content)),
    text: [body.system, ...body.messages.map(({ content }) => content)].map(textOf).join('\n'),
    body,
  };
}

function bodyOf(text: string): ScriptedBody | undefined {
  try {
    return Body.safeParse(JSON.parse(text)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function headerOf(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name];
  return typeof value === 'string' ? value : '';
}

function toolResultsIn(content: unknown): { text: string; isError: boolean }[] {
  if (!Array.isArray(content)) return [];
  return content.flatMap((block) => {
    const { data } = ToolResult.safeParse(block);
    return data === undefined ? [] : [{ text: textOf(data.content), isError: data.is_error === true }];
  });
}

/** The text in a content of the Messages API: a string, or blocks of text and of tool results. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (Array.isArray(content)) return content.map(textOf).join('\n');
  if (typeof content !== 'object' || content === null) return '';
  if ('text' in content) return textOf(content.text);
  return 'content' in content ? textOf(content.content) : '';
}
