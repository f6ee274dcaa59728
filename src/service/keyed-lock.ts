import { Fault } from '../contract/faults.ts';

/** Names of things that one piece of work holds: alone, or together with others that only look on. */
export interface LockKeys {
  readonly exclusive?: readonly string[];
  readonly shared?: readonly string[];
}

/** Keeps work on the same thing apart. Whoever comes first is served first, so nobody waits for ever. */
export interface KeyedLock {
  /** Does the work once all keys are free. Rejects with the signal's reason if that ends while waiting. */
  hold<Value>(keys: LockKeys, signal: AbortSignal, work: () => Promise<Value>): Promise<Value>;
}

interface Claim {
  readonly keys: LockKeys;
  readonly grant: () => void;
}

const WAITING_LIMIT = 100;

export function createKeyedLock(): KeyedLock {
  const held = new Set<Claim>();
  const waiting: Claim[] = [];

  const grantWhatIsFree = (): void => {
    const inOrder = waiting.slice();
    for (const claim of inOrder) {
      // Those that came before count as well: else a row of short looks would keep a change waiting for ever.
      const before = [...held, ...waiting.slice(0, waiting.indexOf(claim))];
      if (before.some((other) => areAtOdds(claim.keys, other.keys))) continue;
      waiting.splice(waiting.indexOf(claim), 1);
      held.add(claim);
      claim.grant();
    }
  };

  const enter = (keys: LockKeys, signal: AbortSignal): Promise<Claim> =>
    new Promise((resolve, reject) => {
      if (waiting.length >= WAITING_LIMIT)
        throw new Fault('WORKSPACE_BUSY', 'Too much is waiting already.', {
          hint: '`takt job list` shows what is going on.',
        });
      const giveUp = (): void => {
        waiting.splice(waiting.indexOf(claim), 1);
        reject(signal.reason as Error);
        grantWhatIsFree();
      };
      const claim: Claim = {
        keys,
        grant() {
          signal.removeEventListener('abort', giveUp);
          resolve(claim);
        },
      };
      signal.addEventListener('abort', giveUp, { once: true });
      waiting.push(claim);
      grantWhatIsFree();
    });

  return {
    async hold(keys, signal, work) {
      signal.throwIfAborted();
      const claim = await enter(keys, signal);
      try {
        return await work();
      } finally {
        held.delete(claim);
        grantWhatIsFree();
      }
    },
  };
}

function areAtOdds(one: LockKeys, other: LockKeys): boolean {
  const all = ({ exclusive = [], shared = [] }: LockKeys): readonly string[] => [...exclusive, ...shared];
  return (
    (one.exclusive ?? []).some((key) => all(other).includes(key)) ||
    (other.exclusive ?? []).some((key) => all(one).includes(key))
  );
}
