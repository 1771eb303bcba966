import type { CompiledStatement } from "../compile/compile.ts";
import { type Level, levels } from "../compile/principal-matcher.ts";
import type { Taker } from "./match.ts";

/** Takes every statement that applies; null while there is none. */
export class EveryMatch implements Taker {
  statements: Set<CompiledStatement> | null = null;

  take(statement: CompiledStatement): boolean {
    this.statements ??= new Set();
    this.statements.add(statement);
    return false;
  }
}

/** Takes the first statement that names the caller most strongly. */
export class StrongestMatch implements Taker {
  statement: CompiledStatement | null = null;
  level: Level = levels.none;

  take(statement: CompiledStatement, level: Level): boolean {
    if (level > this.level) {
      this.statement = statement;
      this.level = level;
    }
    return this.level === levels.direct;
  }
}
