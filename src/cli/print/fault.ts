import type { Fault } from '../../contract/faults.ts';
import { cleanText, jsonText } from '../clean-text.ts';
import type { Page } from '../terminal.ts';

/** Another program's words, what is wrong, and what to do; as JSON the report that the service would send. */
export function printFault(fault: Fault, isJson: boolean, page: Page): string {
  if (isJson) return `${jsonText({ fault: fault.report() })}\n`;
  const { style } = page;
  const detail = cleanText(fault.detail ?? '').trimEnd();
  return [
    ...(detail === '' ? [] : detail.split('\n').map((line) => style.dim(`  | ${line}`))),
    `${style.red('takt:')} ${cleanText(fault.message)}`,
    ...(fault.hint === '' ? [] : [`      ${cleanText(fault.hint)}`]),
    '',
  ].join('\n');
}
