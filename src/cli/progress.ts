import type { JobProgress } from '../client/client.ts';
import { cutTo, oneLine } from './clean-text.ts';
import type { Terminal } from './terminal.ts';

export interface ProgressPrinter extends Disposable {
  show(progress: JobProgress): void;
  /** Takes away the line that is being updated. */
  clear(): void;
}

const ERASE_LINE = '\r\x1b[K';

/**
 * Progress on standard error: one line that changes on a terminal, a line per change of text elsewhere, nothing with
 * --json.
 */
export function progressPrinter({ errorPage, writeError }: Terminal, isSilent: boolean): ProgressPrinter {
  const said = new Map<string, string>();
  let isShown = false;
  const clear = (): void => {
    if (isShown) writeError(ERASE_LINE);
    isShown = false;
  };
  return {
    show({ label, text, percent }) {
      if (isSilent) return;
      const line = oneLine(`${label}: ${text}${percent === null ? '' : ` ${Math.floor(percent)} %`}`);
      if (errorPage.width !== null) {
        writeError(`${ERASE_LINE}${errorPage.style.dim(cutTo(line, errorPage.width - 1))}`);
        isShown = true;
      } else if (said.get(label) !== text) {
        said.set(label, text);
        writeError(`${line}\n`);
      }
    },
    clear,
    [Symbol.dispose]: clear,
  };
}
