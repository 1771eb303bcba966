import type { CommandIo } from "./io.ts";

/** Puts colour on words, or does not. */
export interface Paint {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly dim: (text: string) => string;
}

const plain = (text: string): string => text;
export const noPaint: Paint = { good: plain, bad: plain, dim: plain };
const terminalPaint: Paint = {
  good: (text) => `\u001b[32m${text}\u001b[39m`,
  bad: (text) => `\u001b[31m${text}\u001b[39m`,
  dim: (text) => `\u001b[2m${text}\u001b[22m`,
};

/** Returns colour for a terminal whose user did not refuse it (no-color.org), else none. */
export function paintOf({ terminal, env }: CommandIo): Paint {
  return terminal && (env.NO_COLOR ?? "") === "" ? terminalPaint : noPaint;
}
