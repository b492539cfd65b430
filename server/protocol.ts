// SPDX-License-Identifier: GPL-2.0-only

/** Section of the settings, name of the server, and `source` of its diagnostics. */
export const SECTION = "patchwalk";

/** Key of the initialization options that says whether the user trusts the workspace; absent: no. */
export const TRUSTED_OPTION = "trusted";

/** Notification from the client: the user trusts the workspace from now on. */
export const TRUST_GRANTED = "patchwalk/trustGranted";
