// SPDX-License-Identifier: GPL-2.0-only
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/e2e/**", "**/node_modules/**"],
    setupFiles: ["test/setup.ts"],
    pool: "threads",
    testTimeout: 120_000,
  },
});
