import { progressPrinter } from '../../cli/progress.ts';
import type { Terminal } from '../../cli/terminal.ts';
import type { Check, CheckResult } from './check.ts';

/** Shorter than this is not worth a word. */
const SAY_AFTER_MS = 500;

/** Carries out all checks side by side. On a terminal that waits for them, a line tells which are not done. */
export async function lookAtAll(
  checks: readonly Check[],
  { terminal, isSilent }: { terminal: Terminal; isSilent: boolean },
): Promise<CheckResult[]> {
  using progress = progressPrinter(terminal, isSilent || terminal.errorPage.width === null);
  const open = new Set(checks);
  let isSaid = false;
  const say = (): void => {
    isSaid = true;
    const labels = [...open].flatMap(({ label }) => label ?? []);
    const text = labels.length === 0 ? 'the last ones' : labels.join(', ');
    if (open.size > 0) progress.show({ label: 'looking at', text, percent: null });
  };
  const timer = setTimeout(say, SAY_AFTER_MS);
  try {
    return await Promise.all(
      checks.map(async (check) => {
        const found = await check();
        open.delete(check);
        if (isSaid) say();
        return found;
      }),
    );
  } finally {
    clearTimeout(timer);
  }
}
