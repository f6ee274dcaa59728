/** What a long operation is doing; `percent` is null where nobody knows. */
export type OnProgress = (text: string, percent: number | null) => void;

/**
 * Turns the progress that git prints on standard error into calls, at most one for each percent of a phase.
 * git repeats a line with a carriage return in between, and prefixes what the other side does with `remote: `.
 */
export function progressReader(onProgress: OnProgress | undefined): (chunk: string) => void {
  let rest = '';
  let last = '';
  return (chunk) => {
    if (onProgress === undefined) return;
    const lines = (rest + chunk).split(/[\r\n]/);
    rest = (lines.pop() ?? '').slice(-500);
    for (const line of lines) {
      const [, phase, percent] = /^(?:remote: )?([^:%]{1,60}):\s+(\d{1,3})%/.exec(line) ?? [];
      if (phase === undefined || last === `${phase} ${percent}`) continue;
      last = `${phase} ${percent}`;
      onProgress(phase, Number(percent));
    }
  };
}
