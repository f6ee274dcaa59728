import { Fault } from '../../../contract/faults.ts';

/** Has a fault of an upstream say as well how it came to be asked, in a sentence after its hint. */
export async function explainUpstream<Value>(work: Promise<Value>, sentence: string): Promise<Value> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof Fault) || !/^(UPSTREAM|HOST_KEY)_/.test(error.code)) throw error;
    throw new Fault(error.code, error.message, {
      hint: `${error.hint} ${sentence}`,
      cause: error,
      ...(error.detail === undefined ? {} : { detail: error.detail }),
    });
  }
}
