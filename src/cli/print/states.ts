import type { Style } from '../styles.ts';

type Paint = (style: Style) => (text: string) => string;

/** A word and a sign say the state, so that colour is never needed to read it. */
const signs: Record<string, { sign: string; paint: Paint }> = {
  passed: { sign: '✓', paint: (style) => style.green },
  failed: { sign: '✗', paint: (style) => style.red },
  unverified: { sign: '✗', paint: (style) => style.red },
  timed_out: { sign: '✗', paint: (style) => style.red },
  silent: { sign: '✗', paint: (style) => style.red },
  broken: { sign: '✗', paint: (style) => style.red },
  rejected: { sign: '✗', paint: (style) => style.red },
  cancelled: { sign: '■', paint: (style) => style.yellow },
  superseded: { sign: '■', paint: (style) => style.yellow },
  interrupted: { sign: '■', paint: (style) => style.yellow },
  skipped: { sign: '-', paint: (style) => style.dim },
  asking: { sign: '?', paint: (style) => style.yellow },
  waiting: { sign: '·', paint: (style) => style.dim },
  running: { sign: '▸', paint: (style) => style.cyan },
  starting: { sign: '▸', paint: (style) => style.cyan },
};

export const signOf = (state: string): string => signs[state]?.sign ?? '·';
export const paintOf = (state: string): Paint => signs[state]?.paint ?? ((style) => style.dim);

/** Sign and text in the state's colour. */
export const signed = (state: string, text: string, style: Style): string =>
  paintOf(state)(style)(`${signOf(state)} ${text}`);

/** The states in which a run stays. */
export const isFinal = (state: string): boolean =>
  ['passed', 'failed', 'cancelled', 'superseded', 'rejected'].includes(state);
