import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    testTimeout: 20_000,
    coverage: {
      provider: "v8",
      reporter: [["text", { skipFull: true }]],
      include: ["src/iam/**/*.ts"],
      exclude: ["**/*.test.ts"],
      thresholds: { branches: 95, lines: 95 },
    },
  },
});
