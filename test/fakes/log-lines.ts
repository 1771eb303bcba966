import type { LineWriter } from "../../src/adapters/telemetry/line-writer.ts";

/** JSON lines that a writer took. */
export class LogLines implements LineWriter {
  readonly #lines: string[] = [];
  readonly droppedWrites = 0;

  write(lines: string, settled?: (failure: Error | null) => void): void {
    this.#lines.push(...lines.split("\n").filter((line) => line !== ""));
    settled?.(null);
  }

  async flush(): Promise<void> {}

  flushSync(): void {}

  records(): Record<string, unknown>[] {
    return this.#lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  text(): string {
    return this.#lines.join("\n");
  }
}
