import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { type Position, quote } from "../../../iam/problem.ts";
import type { YamlLimits } from "./bounds.ts";
import type { DocumentNode, MapEntry, ScalarNode } from "./node.ts";

/** Where a text is not what FILE-1 accepts. */
export interface SyntaxProblem {
  readonly position: Position;
  readonly message: string;
}

export const expectedKey = "expected a text as key";

const coreTags = new Set(
  ["str", "int", "float", "bool", "null", "map", "seq"].map((name) => `tag:yaml.org,2002:${name}`),
);

/**
 * Turns one composed document into nodes: aliases resolved and counted, tags, merge keys, doubled and
 * non-text keys refused. Lives for one document. INVARIANT: the nesting was bounded before (`costOf`).
 */
export class NodeConverter {
  readonly problems: SyntaxProblem[] = [];
  readonly #positionOf: (offset: number) => Position;
  readonly #text: string;
  readonly #limits: YamlLimits;
  readonly #anchors = new Map<string, Anchored>();
  #nodes = 0;
  #aliases = 0;
  #depth = 0;
  #deepest = 0;
  #spent = false;

  constructor(text: string, positionOf: (offset: number) => Position, limits: YamlLimits) {
    this.#text = text;
    this.#positionOf = positionOf;
    this.#limits = limits;
  }

  /** Returns the node of `node`; `at` is the offset to name where it has none itself. */
  convert(node: unknown, at: number): DocumentNode {
    const offset = offsetOf(node) ?? at;
    if (isAlias(node)) return this.#resolve(node, offset);
    this.#count(1, 0, offset);
    if (this.#spent) return this.#nothing(offset);
    const anchor = anchorOf(node);
    if (anchor === null) return this.#convertPlain(node, offset);
    // An alias inside its own anchor finds this and is refused, instead of never ending.
    this.#anchors.set(anchor, { node: null, nodes: 0, aliases: 0, height: 0 });
    const nodes = this.#nodes - 1;
    const aliases = this.#aliases;
    const deepest = this.#deepest;
    this.#deepest = this.#depth;
    const made = this.#convertPlain(node, offset);
    this.#anchors.set(anchor, {
      node: made,
      nodes: this.#nodes - nodes,
      aliases: this.#aliases - aliases,
      height: this.#deepest - this.#depth,
    });
    this.#deepest = Math.max(this.#deepest, deepest);
    return made;
  }

  #convertPlain(node: unknown, offset: number): DocumentNode {
    this.#checkTag(node, offset);
    if (isScalar(node)) return this.#convertScalar(node, offset);
    if (!isMap(node) && !isSeq(node)) return this.#nothing(offset);
    this.#depth++;
    this.#deepest = Math.max(this.#deepest, this.#depth);
    const made = isMap(node) ? this.#convertMap(node, offset) : this.#convertList(node, offset);
    this.#depth--;
    return made;
  }

  #convertList(list: YAMLSeq, offset: number): DocumentNode {
    const items = list.items.map((item) => this.convert(item, offset));
    return { type: "list", position: this.#positionOf(offset), items };
  }

  #convertMap(map: YAMLMap, offset: number): DocumentNode {
    const entries: MapEntry[] = [];
    const seen = new Map<string, Position>();
    for (const { key, value } of map.items) {
      const keyOffset = offsetOf(key) ?? offset;
      if (!isScalar(key) || typeof key.value !== "string") {
        this.#refuse(keyOffset, expectedKey);
        continue;
      }
      this.#checkTag(key, keyOffset);
      if (key.value === "<<" && key.type === "PLAIN") {
        this.#refuse(keyOffset, "merge keys (`<<`) are not read: write the members out");
        continue;
      }
      const keyPosition = this.#positionOf(keyOffset);
      const first = seen.get(key.value);
      if (first !== undefined) {
        const where = `${first.line}:${first.column}`;
        this.#refuse(keyOffset, `the key ${quote(key.value)} is already at ${where}`);
        continue;
      }
      seen.set(key.value, keyPosition);
      if (key.anchor) {
        const node = this.#convertScalar(key, keyOffset);
        this.#anchors.set(key.anchor, { node, nodes: 1, aliases: 0, height: 0 });
      }
      entries.push({ key: key.value, keyPosition, value: this.convert(value, keyOffset) });
    }
    return { type: "map", position: this.#positionOf(offset), entries };
  }

  #convertScalar(node: Scalar, offset: number): ScalarNode {
    const position = this.#positionOf(offset);
    const { value } = node;
    switch (typeof value) {
      case "string": {
        if (!value.isWellFormed()) this.#refuse(offset, "the text holds half of a surrogate pair");
        const literal = node.type === "BLOCK_LITERAL" ? this.#linesOf(node) : null;
        return { type: "text", position, text: value, literal };
      }
      case "number":
        return { type: "number", position, text: node.source ?? String(value), literal: null };
      case "boolean":
        return { type: "boolean", position, text: String(value), literal: null };
      default:
        return this.#nothing(offset);
    }
  }

  #resolve(alias: Alias, offset: number): DocumentNode {
    const target = this.#anchors.get(alias.source);
    if (target === undefined) {
      this.#refuse(offset, `the alias ${quote(`*${alias.source}`)} has no anchor before it`);
      return this.#nothing(offset);
    }
    if (target.node === null) {
      this.#refuse(offset, `the alias ${quote(`*${alias.source}`)} stands inside its own anchor`);
      return this.#nothing(offset);
    }
    this.#count(target.nodes, target.aliases + 1, offset);
    const { maxNesting } = this.#limits;
    if (this.#depth + target.height > maxNesting) {
      this.#refuse(offset, `expected at most ${maxNesting} collections inside each other`);
      return this.#nothing(offset);
    }
    this.#deepest = Math.max(this.#deepest, this.#depth + target.height);
    return target.node;
  }

  #count(nodes: number, aliases: number, offset: number): void {
    this.#nodes += nodes;
    this.#aliases += aliases;
    if (this.#spent) return;
    const { maxNodes, maxAliases } = this.#limits;
    if (this.#aliases > maxAliases) {
      this.#spent = true;
      this.#refuse(
        offset,
        `expected at most ${maxAliases} aliases, those in aliased nodes included`,
      );
    } else if (this.#nodes > maxNodes) {
      this.#spent = true;
      this.#refuse(offset, `expected at most ${maxNodes} values, aliased ones included`);
    }
  }

  #checkTag(node: unknown, offset: number): void {
    if (!isMap(node) && !isSeq(node) && !isScalar(node)) return;
    const tag: unknown = node.tag;
    if (typeof tag !== "string" || coreTags.has(tag)) return;
    this.#refuse(
      offset,
      `the tag ${quote(tag)} is not read: only those of the YAML core schema are`,
    );
  }

  #linesOf(node: Scalar): readonly string[] | null {
    if (!node.range) return null;
    return this.#text.slice(node.range[0], node.range[1]).split("\n");
  }

  #nothing(offset: number): ScalarNode {
    return { type: "null", position: this.#positionOf(offset), text: "null", literal: null };
  }

  #refuse(offset: number, message: string): void {
    this.problems.push({ position: this.#positionOf(offset), message });
  }
}

/** A node with what it counts for at each use; `node` null while it is being made. */
interface Anchored {
  readonly node: DocumentNode | null;
  readonly nodes: number;
  readonly aliases: number;
  /** Collections inside each other. */
  readonly height: number;
}

function anchorOf(node: unknown): string | null {
  if (!isMap(node) && !isSeq(node) && !isScalar(node)) return null;
  return node.anchor ?? null;
}

function offsetOf(node: unknown): number | null {
  if (!isMap(node) && !isSeq(node) && !isScalar(node) && !isAlias(node)) return null;
  return node.range?.[0] ?? null;
}
