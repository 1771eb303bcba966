/** Returns a Markdown table. Cells are Markdown themselves; a `|` in one is escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
  return [line(head), `|${" --- |".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

/** Returns `text` as inline code; nothing for nothing. */
export function code(text: string): string {
  return text === "" ? "" : `\`${text}\``;
}

/** Returns a page: the note that it is generated, the title, then its blocks. */
export function page(title: string, source: string, ...blocks: readonly string[]): string {
  const note = `<!-- Generated from ${source} by \`npm run generate\`. Do not edit. -->`;
  return `${[note, `# ${title}`, ...blocks].join("\n\n")}\n`;
}
