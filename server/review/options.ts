// SPDX-License-Identifier: GPL-2.0-only
import type { Severity, Tier } from "./finding.ts";

export interface ReviewOptions {
  /** Target release, for example `6.1` or `mainline`; null: decided from the input. */
  readonly release: string | null;
  /** null: x86_64, and every architecture axis that matters. */
  readonly arch: string | null;
  /** `KEY=y` or `KEY=n` settings of the kernel configuration. */
  readonly config: readonly string[];
  /** Per-rule override of the severity, or `off`. */
  readonly rules: Readonly<Record<string, Severity | "off">>;
  /** Findings below this tier are left out. */
  readonly minTier: Tier;
  /** False: no exploration; every finding ends at tier `contract`. */
  readonly simulate: boolean;
  /** Whether reviews also tell what is no finding: candidates that were refuted, and defects that the patch mends. */
  readonly showRefuted: boolean;
  /** Limit of stored states per exploration. */
  readonly maxStates: number;
  /** True, or the fingerprints of findings that are meant: these bring edits that were verified. Each costs another review. */
  readonly fixes?: boolean | readonly string[];
}

export const DEFAULT_OPTIONS: ReviewOptions = {
  release: null,
  arch: null,
  config: [],
  rules: {},
  minTier: "contract",
  simulate: true,
  showRefuted: false,
  maxStates: 300_000,
};
