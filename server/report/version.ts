// SPDX-License-Identifier: GPL-2.0-only

/** The version of the tool: equal to `version` of package.json (a test compares them). */
export const VERSION = "0.1.0";

/** The month of the newest rule. Part of every JSON document, and of caches that must not outlive a change of rules. */
export const RULESET = "2026.11";
