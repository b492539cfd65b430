// SPDX-License-Identifier: GPL-2.0-only
import { lockChoices, lockNamed, whatIfHeld, type WhatIf } from "../scenarios/what-if.ts";
import { modelsOf } from "./evidence.ts";
import type { Finding } from "./finding.ts";

export type { WhatIf };

/** What if the caller holds a lock? Plain data, as the answer: both go from thread to thread. */
export interface WhatIfQuestion {
  readonly fingerprint: string;
  /** As `NAME`, `NAME (read)` or `NAME (write)`; null: which locks there are. */
  readonly lock: string | null;
}

export type WhatIfAnswer =
  | { readonly kind: "answer"; readonly finding: Finding; readonly whatIf: WhatIf }
  | { readonly kind: "locks"; readonly finding: Finding; readonly locks: readonly string[] }
  /** Nobody knows a lock of this name. */
  | { readonly kind: "unknown-lock"; readonly lock: string; readonly locks: readonly string[] }
  /** The document does not have this finding, or has it no longer. */
  | { readonly kind: "no-finding" }
  /** Nothing was explored, or nothing fails: there is no schedule to ask about. */
  | { readonly kind: "no-schedule" };

/** Answers for a finding that was made in this thread: the models behind it are here. */
export function whatIf(findings: readonly Finding[], { fingerprint, lock }: WhatIfQuestion): WhatIfAnswer {
  const found = findings.filter((one) => one.fingerprint === fingerprint);
  const finding = found.find((one) => modelsOf(one) !== null);
  const explored = finding && modelsOf(finding);
  if (!explored) return { kind: found.length === 0 ? "no-finding" : "no-schedule" };
  const { failing, options } = explored;
  if (lock === null) return { kind: "locks", finding, locks: lockChoices(failing) };
  const named = lockNamed(failing, lock);
  if (named.kind === "unknown") return { kind: "unknown-lock", lock, locks: lockChoices(failing) };
  return { kind: "answer", finding, whatIf: whatIfHeld(failing, options, named) };
}
