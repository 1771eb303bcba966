import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { hints, shellWord } from "./hints.ts";

const where = {
  httpPort: 8080,
  tlsPort: 8443,
  diagnostics: { host: "127.0.0.1", port: 8282 },
  folder: ".mesh-iam/quickstart",
  command: "npx mesh-iam",
};

test("every line is a comment, a command or prose at the margin", () => {
  const lines = hints(where).split("\n");
  const commands = lines.filter((line) => line.startsWith("  ") && !line.startsWith("  # "));
  expect(commands.map((line) => line.trim().split(" ")[0])).toEqual([
    ...["curl", "curl", "curl", "${EDITOR:-vi}", "npx", "tail", "curl", "curl"],
  ]);
  expect(commands.filter((line) => line.includes("8443"))).toHaveLength(1);
});

test("a folder with an odd name is quoted wherever a shell reads it", () => {
  const text = hints({ ...where, folder: "/tmp/it's here" });
  for (const line of text.split("\n").filter((each) => each.startsWith("  curl -i"))) {
    // The shell itself says whether it reads the line.
    execFileSync("sh", ["-n", "-c", line]);
    expect(line).toContain("'/tmp/it'\\''s here/");
  }
});

test.each(["a b", "it's", "$HOME", "`id`", "a\nb", "-x;rm", "*"])(
  "a shell reads %j as one word",
  (text) => {
    const read = execFileSync("sh", ["-c", `printf %s ${shellWord(text)}`], { encoding: "utf8" });
    expect(read).toBe(text);
  },
);
