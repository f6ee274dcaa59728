/** Where a root repo keeps the work of workspaces that were deleted by force. */
export const KEPT_REFS = 'refs/takt/kept/';

/** The prefix for what is kept of one workspace now; never the same twice. */
export const keptPrefix = (workspace: string, nowMs: number): string => `${KEPT_REFS}${workspace}/${nowMs}`;
