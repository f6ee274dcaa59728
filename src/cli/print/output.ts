import type { OutputLine } from '../../contract/output.ts';
import { cleanText, cutTo, oneLine } from '../clean-text.ts';
import type { StepOutput } from '../print-output.ts';
import type { Style } from '../styles.ts';
import type { Page } from '../terminal.ts';

const RESULT_LINES = 6;
const THOUGHT_LINES = 3;
const LINE_LIMIT = 160;
/** Of a tool's input these say most, in this order. */
const telling = ['command', 'file_path', 'path', 'pattern', 'url', 'query', 'description', 'prompt'];

/** Turns output lines into text for people; it remembers where the last one left off. */
export interface OutputPrinter {
  next(output: StepOutput): string;
  end(): string;
}

export function outputPrinter({ style }: Page): OutputPrinter {
  let attempt: string | undefined;
  let kind: OutputLine['kind'] | undefined;
  let isAtLineStart = true;
  const finishLine = (): string => {
    const end = isAtLineStart ? '' : '\n';
    isAtLineStart = true;
    return end;
  };
  return {
    next({ step, attempt: from, line }) {
      let text = '';
      if (from !== attempt) {
        text += `${finishLine()}${attempt === undefined ? '' : '\n'}${style.bold(`── ${step}`)} ${style.dim(from)}\n`;
        [attempt, kind] = [from, undefined];
      }
      // Chunks of one stream belong together: a line may begin in one and end in the next.
      if (line.kind !== kind) text += finishLine();
      kind = line.kind;
      const shown = textOf(line, style);
      if (shown !== '') isAtLineStart = shown.endsWith('\n');
      return text + shown;
    },
    end: finishLine,
  };
}

function textOf(line: OutputLine, style: Style): string {
  switch (line.kind) {
    case 'stdout':
    case 'stderr':
      return cleanText(line.text, { keepColours: style.red('x') !== 'x' });
    case 'note':
      return style.yellow(`takt: ${cleanText(line.text).trimEnd()}`) + '\n';
    case 'text':
      return `${cleanText(line.text).trimEnd()}\n`;
    case 'thinking':
      return indented(line.text, THOUGHT_LINES, style);
    case 'tool_call':
      return `${style.cyan(`→ ${cleanText(line.tool)}`)} ${inputOf(line.input)}\n`;
    case 'tool_result':
      return line.isError
        ? style.red('  error\n') + indented(line.text, RESULT_LINES, style)
        : indented(line.text, RESULT_LINES, style);
  }
}

function inputOf(input: unknown): string {
  if (typeof input !== 'object' || input === null) return oneLine(String(input), LINE_LIMIT);
  const values = input as Record<string, unknown>;
  const name = telling.find((known) => typeof values[known] === 'string');
  return oneLine(name === undefined ? JSON.stringify(input) : (values[name] as string), LINE_LIMIT);
}

/** The first lines, dimmed, and how many more there are. */
function indented(text: string, limit: number, style: Style): string {
  const lines = cleanText(text).trimEnd().split('\n');
  if (lines.length === 1 && lines[0] === '') return '';
  const shown = lines.slice(0, limit).map((line) => style.dim(`  ${cutTo(line, LINE_LIMIT)}`));
  if (lines.length > limit) shown.push(style.dim(`  … ${lines.length - limit} more lines`));
  return `${shown.join('\n')}\n`;
}
