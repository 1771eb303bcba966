import type { CommandIo } from "../io.ts";

/** Tells on `err` what is going on, so that nobody waits before a silent screen. */
export interface Progress {
  /** Says one line. One that ends with `...` goes on: a terminal shows how long, until the next. */
  say(line: string): void;
  /** Ends the line that goes on. */
  done(): void;
}

/** Returns the progress lines of `io`. */
export function createProgress(io: CommandIo): Progress {
  let timer: NodeJS.Timeout | null = null;
  const done = (): void => {
    if (timer === null) return;
    clearInterval(timer);
    timer = null;
    io.err("\n");
  };
  return {
    say(line) {
      done();
      if (!io.terminal || !line.endsWith("...")) {
        io.err(`${line}\n`);
        return;
      }
      io.err(line);
      let seconds = 0;
      timer = setInterval(() => {
        seconds++;
        io.err(`\r${line} ${seconds} s`);
      }, 1000);
    },
    done,
  };
}
