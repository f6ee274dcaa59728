const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `just now`, `5 min ago`, `3 h ago`, `12 d ago`. */
export function ago(atMs: number | null, nowMs: number): string {
  if (atMs === null) return 'never';
  const passedMs = nowMs - atMs;
  if (passedMs < 10 * SECOND_MS) return 'just now';
  if (passedMs < MINUTE_MS) return `${Math.floor(passedMs / SECOND_MS)} s ago`;
  if (passedMs < HOUR_MS) return `${Math.floor(passedMs / MINUTE_MS)} min ago`;
  if (passedMs < 2 * DAY_MS) return `${Math.floor(passedMs / HOUR_MS)} h ago`;
  return `${Math.floor(passedMs / DAY_MS)} d ago`;
}

/** `0.4 s`, `12 s`, `4 min 12 s`, `1 h 3 min`. */
export function duration(ms: number): string {
  if (ms < SECOND_MS) return `${(Math.max(0, ms) / SECOND_MS).toFixed(1)} s`;
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min ${Math.floor((ms % MINUTE_MS) / SECOND_MS)} s`;
  return `${Math.floor(ms / HOUR_MS)} h ${Math.floor((ms % HOUR_MS) / MINUTE_MS)} min`;
}

/** With binary units, as `du -h` prints them. */
export function byteSize(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const step = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  return `${step === 0 ? bytes : (bytes / 1024 ** step).toFixed(1)} ${units[step]}`;
}

/** US dollars; nothing for nothing. */
export function money(usd: number): string {
  return usd === 0 ? '' : `$${usd.toFixed(usd < 0.01 ? 4 : 2)}`;
}

export const shortCommit = (commit: string | null): string => commit?.slice(0, 8) ?? '-';

/** The parts that say something, with a comma between. */
export const joinFilled = (parts: readonly string[]): string => parts.filter((part) => part !== '').join(', ');

/** `1 commit`, `2 commits`; `plural` where an s is not enough. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}
