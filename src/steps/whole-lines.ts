/** Passes on whole lines as a terminal shows them at the end: what a carriage return overwrote is left out. */
export function linesWithoutProgress(write: (text: string) => void): (chunk: string) => void {
  let rest = '';
  return (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) write(`${line.slice(line.lastIndexOf('\r') + 1)}\n`);
  };
}
