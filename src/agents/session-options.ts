import type { Options, SpawnedProcess, SpawnOptions } from '@anthropic-ai/claude-agent-sdk';
import { refuseSending } from './guard-rail.ts';
import type { Credential } from './model-access.ts';
import type { Prompt } from './prompt.ts';

/** All that a session is made from. Paths are absolute and the same inside the walls and outside. */
export interface SessionPlan {
  /** Claude Code. */
  readonly executable: string;
  readonly prompt: Prompt;
  readonly model: string;
  readonly start: SessionStart;
  readonly maxTurns: number;
  /** JSON schema of the answer that ends the session. */
  readonly resultSchema: Readonly<Record<string, unknown>>;
  /** Working directory: the run's folder, whose CLAUDE.md is read. */
  readonly runFolder: string;
  /** Writable home of the work; holds the sessions. */
  readonly agentFolder: string;
  /** An empty folder that the work cannot write; see `trustedSettings`. */
  readonly trustedFolder: string;
  /** True if all of the session is inside walls, and what it does needs no permission. */
  readonly isConfined: boolean;
  readonly environment: Readonly<Record<string, string>>;
  /** Where the session finds the model. */
  readonly modelUrl: string;
  /** Sent with every request to the model. */
  readonly headers: Readonly<Record<string, string>>;
  /** The attempt ends after so much silence. */
  readonly silenceMs: number;
}

/** A new session with this id, or one to go on with. */
export type SessionStart =
  | { readonly kind: 'new'; readonly sessionId: string }
  | { readonly kind: 'resume'; readonly sessionId: string };

/**
 * What an unattended agent needs; a short list keeps each request small. Subagents let it look around at little cost.
 */
const TOOLS = ['Bash', 'Read', 'Edit', 'Write', 'Glob', 'Grep', 'Agent'];

/** With the waits that Claude Code makes between them, about 100 s: an overload passes, an outage ends the attempt. */
const MODEL_RETRIES = 8;
const MODEL_TIMEOUT_MS = 300_000;
const STREAM_IDLE_TIMEOUT_MS = 120_000;
const BASH_TIMEOUT_MS = 600_000;
const BASH_DEFAULT_TIMEOUT_MS = 120_000;

/** Options of the SDK for one session; the caller gives the process and may end it. */
export function sessionOptions(
  plan: SessionPlan,
  spawnProcess: (options: SpawnOptions) => SpawnedProcess,
  abortController: AbortController,
): Options {
  return {
    abortController,
    pathToClaudeCodeExecutable: plan.executable,
    spawnClaudeCodeProcess: spawnProcess,
    cwd: plan.runFolder,
    env: sessionEnvironment(plan),
    model: plan.model,
    maxTurns: plan.maxTurns,
    tools: TOOLS,
    ...permissions(plan.isConfined),
    ...trustedSettings(plan.trustedFolder),
    systemPrompt: { type: 'preset', preset: 'claude_code', append: plan.prompt.system },
    // Otherwise `@name` in a prompt pulls in files and a leading slash runs a command.
    verbatimPrompts: true,
    outputFormat: { type: 'json_schema', schema: plan.resultSchema },
    // Only so does the host learn that the model is at work on a long answer.
    includePartialMessages: true,
    ...(plan.start.kind === 'new' ? { sessionId: plan.start.sessionId } : { resume: plan.start.sessionId }),
  };
}

/**
 * Nobody is there to ask. Claude Code refuses to skip permissions as root, and without walls they are the guard rail.
 */
function permissions(isConfined: boolean): Options {
  if (isConfined)
    return { permissionPrompts: 'none', permissionMode: 'bypassPermissions', allowDangerouslySkipPermissions: true };
  return {
    permissionPrompts: 'none',
    // Lets it edit below the working directory; Write and Edit in `allowedTools` would let it write anywhere.
    permissionMode: 'acceptEdits',
    allowedTools: ['Bash'],
    hooks: { PreToolUse: [{ matcher: 'Bash', hooks: [refuseSending], onFailure: 'block', timeout: 10 }] },
  };
}

/**
 * A branch is not trusted: its CLAUDE.md is read, but hooks, settings, agents, skills and MCP servers are looked for in
 * an empty folder instead, which only takt can write. `local` is for CLAUDE.local.md, where takt puts guidance for a
 * repo.
 */
function trustedSettings(trustedFolder: string): Options {
  return {
    settingSources: ['project', 'local'],
    projectConfigRoot: trustedFolder,
    strictMcpConfig: true,
    mcpServers: {},
    mcpServersDelivery: 'initialize',
    settings: { attribution: { commit: '', pr: '' } },
  };
}

/**
 * The whole environment of the session beside what the walls give. It holds no secret; the placeholder comes by a file.
 */
function sessionEnvironment(plan: SessionPlan): Record<string, string> {
  // A call of Bash prints nothing while it runs, so it has to end before the silence does.
  const bashMs = Math.min(BASH_TIMEOUT_MS, Math.floor(plan.silenceMs * 0.8));
  return {
    ...plan.environment,
    HOME: plan.agentFolder,
    CLAUDE_CONFIG_DIR: `${plan.agentFolder}/.claude`,
    ANTHROPIC_BASE_URL: plan.modelUrl,
    ANTHROPIC_CUSTOM_HEADERS: Object.entries(plan.headers)
      .map(([name, value]) => `${name}: ${value}`)
      .join('\n'),
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_TELEMETRY: '1',
    DISABLE_ERROR_REPORTING: '1',
    DISABLE_AUTOUPDATER: '1',
    // One memory for all worktrees of a repo would carry things from task to task unseen.
    CLAUDE_CODE_DISABLE_AUTO_MEMORY: '1',
    // What runs in the background would outlive the answer.
    CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1',
    CLAUDE_CODE_MAX_RETRIES: String(MODEL_RETRIES),
    API_TIMEOUT_MS: String(MODEL_TIMEOUT_MS),
    CLAUDE_BYTE_STREAM_IDLE_TIMEOUT_MS: String(STREAM_IDLE_TIMEOUT_MS),
    BASH_MAX_TIMEOUT_MS: String(bashMs),
    BASH_DEFAULT_TIMEOUT_MS: String(Math.min(BASH_DEFAULT_TIMEOUT_MS, bashMs)),
  };
}

/**
 * The variable in which Claude Code looks for a credential of this kind; with a subscription's it watches the limits.
 */
export function placeholderVariable(kind: Credential['kind']): string {
  return kind === 'oauth' ? 'CLAUDE_CODE_OAUTH_TOKEN' : 'ANTHROPIC_API_KEY';
}
