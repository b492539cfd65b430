// SPDX-License-Identifier: GPL-2.0-only

/** Section of the settings, name of the server, and `source` of its diagnostics. */
export const SECTION = "patchwalk";
