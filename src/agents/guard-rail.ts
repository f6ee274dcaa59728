import type { HookCallback } from '@anthropic-ai/claude-agent-sdk';
import { z } from 'zod';

const BashInput = z.looseObject({ command: z.string() });

/**
 * Refuses the shell commands that would send commits away or change where to. It reads text and so is a guard rail for
 * an agent that means well, for runs without walls; what keeps work from upstream is that a run has no remote.
 */
export const refuseSending: HookCallback = async (input) => {
  if (input.hook_event_name !== 'PreToolUse' || input.tool_name !== 'Bash') return { continue: true };
  const { data } = BashInput.safeParse(input.tool_input);
  if (data === undefined || !sendsAway(data.command)) return { continue: true };
  return {
    hookSpecificOutput: {
      hookEventName: 'PreToolUse',
      permissionDecision: 'deny',
      permissionDecisionReason:
        'The operator lets commits out, not the run: do not push, and do not add or change remotes. Commit your work and go on.',
    },
  };
};

/** True if a shell command has git push, or add or change a remote, in any of the usual ways to write it. */
export function sendsAway(command: string): boolean {
  return (
    /\bgit\b[^\n;&|]*\s(push|send-pack|send-email|remote\s+(add|set-url|rename))\b/.test(command) ||
    /\b(gh|hub)\s+(pr|repo|release|api)\b/.test(command)
  );
}
