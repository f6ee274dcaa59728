import type { OutputGrew } from '../contract/events.ts';

/**
 * Tells readers inside this process that there is something new; what it is, they read from the store.
 *
 * Listeners run at once, one after the other, and only note that they were called: a wake may come hundreds of times
 * a second. What subscribes gets the function that ends the subscription, and ends it.
 */
export interface EventBus {
  /** To be called after each commit that appended events. */
  wake(): void;
  onWake(listener: () => void): () => void;
  /** To be called after each batch of output is in the store. */
  outputGrew(frame: OutputGrew): void;
  onOutputGrew(listener: (frame: OutputGrew) => void): () => void;
}

export function createEventBus(): EventBus {
  const wakeListeners = new Set<() => void>();
  const outputListeners = new Set<(frame: OutputGrew) => void>();
  return {
    wake() {
      for (const listener of wakeListeners) listener();
    },
    onWake(listener) {
      wakeListeners.add(listener);
      return () => wakeListeners.delete(listener);
    },
    outputGrew(frame) {
      for (const listener of outputListeners) listener(frame);
    },
    onOutputGrew(listener) {
      outputListeners.add(listener);
      return () => outputListeners.delete(listener);
    },
  };
}
