// SPDX-License-Identifier: GPL-2.0-only

/** Section of the settings, name of the server, and `source` of its diagnostics. */
export const SECTION = "patchwalk";

/** The settings as the client holds them under `patchwalk`. Anything may be missing or of another type. */
export interface PatchwalkSettings {
  readonly target?: {
    /** For example `6.1`; empty or missing: decided from the document. */
    readonly release?: string | null;
  };
  readonly minTier?: "proved" | "contract" | "pattern";
  /** Severity by rule id. */
  readonly rules?: Readonly<Record<string, "error" | "warning" | "info" | "off">>;
}
