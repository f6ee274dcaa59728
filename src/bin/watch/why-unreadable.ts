import { cleanText } from '../../cli/clean-text.ts';
import { Fault } from '../../contract/faults.ts';

/** In one line what git or the disk said of a repo that could not be read. Throws any other error again. */
export function whyUnreadable(error: unknown): string {
  if (error instanceof Fault) {
    const words = cleanText(error.detail ?? '').trim();
    return words === '' ? error.message : `${error.message} ${words.replaceAll(/\s*\n\s*/g, '; ')}`;
  }
  if (isOfTheDisk(error)) return cleanText(error.message);
  throw error;
}

export function isOfTheDisk(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && 'syscall' in error;
}
