// SPDX-License-Identifier: GPL-2.0-only
import type { Finding, SuppressedFinding } from "../finding.ts";
import { holdsFor, names, type Suppression } from "./suppression.ts";

/** Findings, sorted by what somebody says about them. */
export interface Sorted {
  readonly findings: readonly Finding[];
  readonly suppressed: readonly SuppressedFinding[];
  /** Suppressions that name some finding, whether they hold for the release or not. */
  readonly used: ReadonlySet<Suppression>;
  /** Of these, the ones that no longer hold. */
  readonly expired: ReadonlySet<Suppression>;
}

/** Takes out of findings what suppressions name; of several that do, the first counts. `fileOf`: where a finding is, in a kernel tree. */
export function sortOut(findings: readonly Finding[], suppressions: readonly Suppression[], release: string, fileOf: (finding: Finding) => string | null): Sorted {
  const left: Finding[] = [];
  const suppressed: SuppressedFinding[] = [];
  const used = new Set<Suppression>();
  const expired = new Set<Suppression>();
  for (const finding of findings) {
    const naming = suppressions.filter((one) => names(one, finding, fileOf(finding)));
    for (const one of naming) used.add(one);
    const holding = naming.find((one) => holdsFor(one, release));
    if (holding) suppressed.push({ finding, reason: holding.reason, until: holding.until, place: holding.place });
    else {
      for (const one of naming) expired.add(one);
      left.push(finding);
    }
  }
  return { findings: left, suppressed, used, expired };
}
