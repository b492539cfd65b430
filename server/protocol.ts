// SPDX-License-Identifier: GPL-2.0-only

/** Section of the settings, name of the server, and `source` of its diagnostics. */
export const SECTION = "patchwalk";

/** Key of the initialization options that says whether the user trusts the workspace; absent: no. */
export const TRUSTED_OPTION = "trusted";

/** Notification from the client: the user trusts the workspace from now on. */
export const TRUST_GRANTED = "patchwalk/trustGranted";

/** Key of the initialization options of a client that shows what commands answer; to others the server sends a message. */
export const SHOWS_ANSWERS_OPTION = "showsAnswers";

/** Command of the server: what if the caller holds a lock? One argument, `FindingArgument`. */
export const WHAT_IF_CALLER_HOLDS = "patchwalk.whatIfCallerHolds";

/** Command of the server: the failing schedule of a finding. One argument, `FindingArgument`. */
export const SHOW_INTERLEAVING = "patchwalk.showInterleaving";

export const COMMANDS = [WHAT_IF_CALLER_HOLDS, SHOW_INTERLEAVING] as const;

/** The finding that a command is about. */
export interface FindingArgument {
  readonly uri: string;
  /** Its fingerprint, as in the `data` of its diagnostic. */
  readonly finding: string;
  /** `NAME`, `NAME (read)` or `NAME (write)`; missing: the locks that there are to ask about. */
  readonly lock?: string;
}

/** What a command answers: a text to show, and before a lock was named the locks of the scenario. */
export interface CommandAnswer {
  readonly title: string;
  readonly text: string;
  readonly locks?: readonly string[];
}
