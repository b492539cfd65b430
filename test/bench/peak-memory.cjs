// SPDX-License-Identifier: GPL-2.0-only
// Preloaded into a measured process: says its peak memory when it ends, on the last line of stderr.
process.on("exit", () => process.stderr.write(`\npeak-rss-kib ${process.resourceUsage().maxRSS}\n`));
