const REPLY_LIMIT_MS = 30_000;

/**
 * The signal for what an operation still does once its change is in the store, such as reading its reply. Who cancels it
 * now is too late: a job that says that it was cancelled has left nothing.
 */
export const afterCommit = (): AbortSignal => AbortSignal.timeout(REPLY_LIMIT_MS);
