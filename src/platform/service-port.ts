const DEFAULT_PORT = 7433;
const PORT_LIMIT = 65_535;

/** The port that TAKT_PORT names, 7433 without one; undefined if it is set to what is no port. 0 lets the system choose. */
export function servicePort(environment: NodeJS.ProcessEnv): number | undefined {
  const text = environment['TAKT_PORT'] ?? '';
  if (text === '') return DEFAULT_PORT;
  return /^\d{1,5}$/.test(text) && Number(text) <= PORT_LIMIT ? Number(text) : undefined;
}
