const hidden = new Set(["time", "level", "component", "event", "msg", "err"]);

/**
 * Returns a JSON line of the log as a person reads it:
 * `12:30:01.250 WARN  authorizer bundle-stale  the bundle is old  ageSeconds=901`,
 * the stack of an error below it. Control characters stay escaped. A line that is no object comes
 * back as it is.
 */
export function formatLogText(line: string): string {
  const entry = parse(line);
  if (entry === null) return line;
  const word = (name: string): string => (typeof entry[name] === "string" ? entry[name] : "");
  const fields = Object.entries(entry)
    .filter(([name]) => !hidden.has(name) && !name.includes("."))
    .map(([name, value]) => `${name}=${bare(value)}`);
  const head = [
    word("time").slice(11, 23),
    word("level").toUpperCase().padEnd(5),
    word("component"),
    word("event"),
    "",
    escaped(word("msg")),
  ].join(" ");
  const tail = fields.length === 0 ? "" : `  ${fields.join(" ")}`;
  return `${head}${tail}\n${formatError(entry.err)}`;
}

function formatError(err: unknown): string {
  if (typeof err !== "object" || err === null) return "";
  const { stack, message } = err as { stack?: unknown; message?: unknown };
  const text = typeof stack === "string" ? stack : typeof message === "string" ? message : "";
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => `    ${escaped(line.trim())}\n`)
    .join("");
}

/** A value without quotes where it needs none. */
function bare(value: unknown): string {
  if (typeof value === "string" && /^[\w./:@+-]+$/.test(value)) return value;
  return JSON.stringify(value) ?? "";
}

/** A terminal obeys control characters: they are shown, not sent. */
function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("\\\\", "\\");
}

function parse(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    // Not ours: it is shown as it came.
    return null;
  }
}
