// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, it } from "vitest";
import { architectureRows } from "../../server/kernel/architecture.ts";
import { parseRelease } from "../../server/kernel/release.ts";
import type { Architecture, Target } from "../../server/kernel/target.ts";

const target = (release: string, arch: Architecture | null = null, config: Target["config"] = {}): Target => {
  const parsed = parseRelease(release);
  if (!parsed) throw new Error(`not a release: ${release}`);
  return { release: parsed, arch: arch ?? "x86_64", archIsSet: arch !== null, config };
};

/** Phrase, freeing, and what irq-off and RCU walkers may do: `d` read entries, `l` take the lock, `*` current mm only. */
const summary = (of: Target): string[] =>
  architectureRows(of).map(({ phrase, hugePmdShare, tableFree, rcuProtectsDeref, irqOffProtects: irq }) =>
    [
      phrase,
      hugePmdShare ? "shares" : "never shares",
      tableFree,
      `rcu ${rcuProtectsDeref}`,
      `irq ${irq.deref ? "d" : ""}${irq.ptl ? "l" : ""}${irq.onlyCurrentMm ? "*" : ""}`.trim(),
    ].join(" | "),
  );

describe("architectureRows", () => {
  it("holds the matrix of 6.1 before unsharing interrupts walkers", () => {
    expect(summary(target("6.1"))).toEqual([
      "x86_64, PARAVIRT=y, bare metal | shares | after-ipi | rcu no | irq dl*",
      "x86_64, PARAVIRT=y, guest with paravirtual TLB flush | shares | rcu-or-immediate | rcu unless-batch-page-fails | irq d",
      "x86_64, PARAVIRT=n | shares | after-ipi | rcu no | irq dl*",
      "arm64 | shares | rcu-or-immediate | rcu unless-batch-page-fails | irq d",
      "riscv64 | shares | at-once | rcu no | irq",
      "powerpc64 | never shares | rcu-or-immediate | rcu unless-batch-page-fails | irq d",
      "s390x | never shares | rcu-or-immediate | rcu unless-batch-page-fails | irq d",
    ]);
  });

  it("holds the matrix of 6.1.192, which interrupts them", () => {
    expect(summary(target("6.1.192")).slice(0, 5)).toEqual([
      "x86_64, PARAVIRT=y, bare metal | shares | after-ipi | rcu no | irq dl",
      "x86_64, PARAVIRT=y, guest with paravirtual TLB flush | shares | rcu-or-immediate | rcu unless-batch-page-fails | irq dl",
      "x86_64, PARAVIRT=n | shares | after-ipi | rcu no | irq dl*",
      "arm64 | shares | rcu-or-immediate | rcu unless-batch-page-fails | irq dl",
      "riscv64 | shares | at-once | rcu no | irq",
    ]);
  });

  it("keeps to the architecture and configuration that were set", () => {
    expect(architectureRows(target("6.1", "arm64")).map(({ name }) => name)).toEqual(["arm64"]);
    expect(architectureRows(target("6.1", "x86_64", { PARAVIRT: false })).map(({ name }) => name)).toEqual(["x86_64-no-paravirt"]);
    expect(architectureRows(target("6.1", "x86_64", { PARAVIRT: true }))).toHaveLength(2);
  });

  it("has one default row, the first, in every release", () => {
    for (const release of ["4.4", "6.1", "6.13", "6.14", "6.17"]) {
      const rows = architectureRows(target(release));
      expect(rows.map(({ isDefault }) => isDefault)).toEqual(rows.map((_, at) => at === 0));
      expect(new Set(rows.map(({ phrase }) => phrase)).size).toBe(rows.length);
      expect(rows.filter(({ source }) => source === "")).toEqual([]);
    }
  });

  it("drops the PARAVIRT axis where x86 always frees tables by RCU", () => {
    expect(architectureRows(target("6.14", "x86_64")).map(({ phrase }) => phrase)).toEqual(["x86_64"]);
  });
});
