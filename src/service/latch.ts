/** A bell that remembers: `set` before `wait` is not lost, and many are as one. */
export interface Latch {
  set(): void;
  /** Resolves true when set, false after `limitMs` or when the signal ends; it never rejects. */
  wait(limitMs: number, signal: AbortSignal): Promise<boolean>;
}

export function createLatch(): Latch {
  let isSet = false;
  let ring: (() => void) | undefined;
  return {
    set() {
      isSet = true;
      ring?.();
    },
    wait(limitMs, signal) {
      return new Promise((resolve) => {
        const end = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', end);
          ring = undefined;
          const wasSet = isSet;
          isSet = false;
          resolve(wasSet);
        };
        const timer = setTimeout(end, limitMs);
        ring = end;
        signal.addEventListener('abort', end, { once: true });
        if (isSet || signal.aborted) end();
      });
    },
  };
}
