import type { Scope } from "./scope.ts";

/** Asks for slices that nobody has published: each once at a time, and a bounded number at once. */
export class SliceBuilds {
  readonly #max: number;
  readonly #build: (scope: Scope) => Promise<void>;
  readonly #waiting = new Map<string, Scope>();
  readonly #running = new Set<string>();

  constructor(max: number, build: (scope: Scope) => Promise<void>) {
    this.#max = max;
    this.#build = build;
  }

  want(scope: Scope): void {
    const name = `${scope.org}/${scope.slice}`;
    if (this.#running.has(name)) return;
    this.#waiting.set(name, scope);
    this.#runNext();
  }

  #runNext(): void {
    for (const [name, scope] of this.#waiting) {
      if (this.#running.size >= this.#max) return;
      this.#waiting.delete(name);
      this.#running.add(name);
      void this.#run(scope).then(() => {
        this.#running.delete(name);
        this.#runNext();
      });
    }
  }
  async #run(scope: Scope): Promise<void> {
    try {
      await this.#build(scope);
    } catch {
      // Whoever builds tells its failures; the next request asks again.
    }
  }
}
