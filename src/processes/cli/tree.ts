/** A line with what stands under it. */
export interface Branch {
  readonly text: string;
  readonly under: readonly Branch[];
}

/** Returns a line with nothing under it. */
export function leaf(text: string): Branch {
  return { text, under: [] };
}

/** Returns the lines of a tree without its root, for people. */
export function treeLines(branches: readonly Branch[]): readonly string[] {
  return branches.flatMap(({ text, under }, index) => {
    const isLast = index === branches.length - 1;
    return [
      `${isLast ? "└" : "├"}─ ${text}`,
      ...treeLines(under).map((line) => `${isLast ? " " : "│"}  ${line}`),
    ];
  });
}
