// SPDX-License-Identifier: GPL-2.0-only
const { join } = require("node:path");

const chromiumSwitches = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

module.exports = {
  testDir: __dirname,
  testMatch: /\.spec\.cjs$/,
  timeout: 60_000,
  globalTimeout: 200_000,
  workers: 1,
  retries: 0,
  reporter: [["list"]],
  outputDir: join(process.env.RUN, "playwright"),
  use: {
    baseURL: `http://127.0.0.1:${process.env.PORT}`,
    viewport: { width: 1400, height: 900 },
    actionTimeout: 15_000,
    launchOptions: { executablePath: process.env.CHROMIUM, args: chromiumSwitches },
  },
};
