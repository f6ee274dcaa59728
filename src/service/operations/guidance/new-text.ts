import { Fault } from '../../../contract/faults.ts';

/** The new text of a change. `file` is read by the command, since only it stands where the user does. */
export function newText({ text }: { text?: string | undefined; file?: string | undefined }): string {
  if (text === undefined)
    throw new Fault('INPUT_INVALID', 'No text is given.', {
      hint: 'Send `text`; the command line reads it from --file.',
    });
  return text;
}
