// SPDX-License-Identifier: GPL-2.0-only
import { describe, expect, test } from "vitest";
import { DEFAULT_OPTIONS } from "../../server/review/options.ts";
import { review } from "../../server/review/review.ts";

/*
 * Walkers of a shared PMD table that only RCU or disabled interrupts protect, row by row: how the architecture frees page
 * tables decides what is safe. Rows: 6.1 (and what changed later); columns: read the entry (hugetlb-walk-unlocked), take the
 * table's lock (hugetlb-ptl-under-rcu).
 */

const walker = (enter: string, leave: string, use: string, mm: string): string => `
static bool toy_peek(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long addr, unsigned long sz)
{
	unsigned long flags;
	bool present = false;
	spinlock_t *ptl;
	pte_t *ptep;

	${enter};
	ptep = huge_pte_offset(${mm}, addr, sz);
	if (ptep) {
		${use}
	}
	${leave};
	return present;
}
`;

const READ = "present = pte_present(huge_ptep_get(ptep));";
const LOCK = "ptl = huge_pte_lock(hstate_vma(vma), vma->vm_mm, ptep);\n\t\tspin_unlock(ptl);";
const RCU = ["rcu_read_lock()", "rcu_read_unlock()"] as const;
const IRQ = ["local_irq_save(flags)", "local_irq_restore(flags)"] as const;

type Row = readonly [release: string, arch: string, config: readonly string[]];
const X86: Row = ["6.1", "x86_64", ["PARAVIRT=y"]];
const X86_LATE: Row = ["6.1.192", "x86_64", ["PARAVIRT=y"]];
const X86_NO_PV: Row = ["6.1", "x86_64", ["PARAVIRT=n"]];
const ARM64: Row = ["6.1", "arm64", []];
const RISCV: Row = ["6.1", "riscv64", []];

/**
 * What the rule says: `fails` on the row as it is, `if` something else goes wrong, `deadlock` where the lock lives but its holder
 * waits for the walker's CPU, `holds` where no schedule fails.
 */
function outcome([release, arch, config]: Row, protection: readonly [string, string], use: string, mm: string): string {
  const text = walker(protection[0], protection[1], use, mm);
  const [found] = review({ path: "mm/toy.c", text, kind: "c" }, { ...DEFAULT_OPTIONS, release, arch, config });
  expect(found?.findings).toHaveLength(1);
  const findings = found?.findings.filter((finding) => finding.ruleId === (use === LOCK ? "hugetlb-ptl-under-rcu" : "hugetlb-walk-unlocked")) ?? [];
  expect(findings).toHaveLength(1);
  const [finding] = findings;
  if (finding?.evidence?.verdict !== "fail") return "holds";
  if (finding.evidence.property === "deadlock") return "deadlock";
  return finding.message.startsWith("only on ") ? "if" : "fails";
}

describe("RCU alone", () => {
  test.each([
    ["x86_64, PARAVIRT=y: bare metal frees at once", X86, "fails", "fails"],
    ["x86_64, PARAVIRT=n", X86_NO_PV, "fails", "fails"],
    ["arm64: the page waits for a grace period unless the batch page fails, the lock never does", ARM64, "if", "fails"],
    ["riscv64", RISCV, "fails", "fails"],
  ] as const)("%s", (_, row, read, lock) => {
    expect([outcome(row, RCU, READ, "vma->vm_mm"), outcome(row, RCU, LOCK, "vma->vm_mm")]).toEqual([read, lock]);
  });
});

describe("interrupts off", () => {
  test.each([
    ["x86_64, PARAVIRT=y, own mm: only a guest with a paravirtual flush loses the lock, bare metal waits", X86, "current->mm", "holds", "deadlock"],
    ["x86_64, PARAVIRT=y, another mm: on bare metal nobody interrupts this CPU (before 1013af4f585f)", X86, "mm", "fails", "fails"],
    ["x86_64, PARAVIRT=n, own mm: the flush interrupts this CPU", X86_NO_PV, "current->mm", "holds", "deadlock"],
    ["x86_64, PARAVIRT=n, another mm: nobody interrupts this CPU", X86_NO_PV, "mm", "fails", "fails"],
    ["arm64: the page stays, the lock does not (before 1013af4f585f)", ARM64, "vma->vm_mm", "holds", "fails"],
    ["riscv64: freed before any flush", RISCV, "vma->vm_mm", "fails", "fails"],
  ] as const)("%s", (_, row, mm, read, lock) => {
    expect([outcome(row, IRQ, READ, mm), outcome(row, IRQ, LOCK, mm)]).toEqual([read, lock]);
  });

  test("from 6.1.192 unsharing interrupts all CPUs: bare metal holds for another mm as well, and waits for whoever spins", () => {
    expect([outcome(X86_LATE, IRQ, READ, "mm"), outcome(X86_LATE, IRQ, LOCK, "mm")]).toEqual(["holds", "deadlock"]);
  });

  test("from 6.1.192 unsharing interrupts all CPUs: arm64 keeps the lock as well, and waits for whoever spins", () => {
    expect(outcome(["6.1.192", "arm64", []], IRQ, LOCK, "vma->vm_mm")).toBe("deadlock");
  });
});

describe("what unshares", () => {
  const evidence = (release: string) => {
    const text = walker("mmap_read_lock(mm)", "mmap_read_unlock(mm)", READ, "mm");
    const [found] = review({ path: "mm/toy.c", text, kind: "c" }, { ...DEFAULT_OPTIONS, release, arch: "x86_64", config: ["PARAVIRT=y"] });
    return found?.findings[0]?.evidence ?? null;
  };
  const environment = (release: string): string[] =>
    evidence(release)?.schedule.filter(({ thread }) => thread !== "toy_peek()").map(({ step }) => step) ?? [];

  test("from 6.1 the trylock of the vma lock comes inside i_mmap_rwsem, and B unmaps as the last user", () => {
    expect(environment("6.1")).toEqual([
      "i_mmap_lock_write(mapping)",
      "hugetlb_vma_trylock_write(A) [acquired]",
      "huge_pmd_unshare(A) [one user is left]",
      "hugetlb_vma_unlock_write(A)",
      "i_mmap_unlock_write(mapping)",
      "hugetlb_vma_lock_write(B)",
      "i_mmap_lock_write(mapping)",
      "__unmap_hugepage_range(B) [last user: zaps the entries]",
      "i_mmap_unlock_write(mapping)",
      "hugetlb_vma_unlock_write(B)",
      "free_pgtables(B) [table and lock are freed]",
    ]);
    expect(evidence("6.1")?.fixed).toMatchObject({ title: "hugetlb_vma_lock_read(vma) from before the lookup to after the last use", verdict: "pass", mutationFails: true });
    expect(evidence("6.1")?.fixed?.blockedAt).toMatch(/^hole punch of the file: hugetlb_vma_lock_write\(A\)/);
  });

  test.each(["4.4", "5.15", "6.0"])("%s has i_mmap_rwsem only", (release) => {
    expect(environment(release)).toEqual([
      "i_mmap_lock_write(mapping)",
      "huge_pmd_unshare(A) [one user is left]",
      "i_mmap_unlock_write(mapping)",
      "i_mmap_lock_write(mapping)",
      "__unmap_hugepage_range(B) [last user: zaps the entries]",
      "i_mmap_unlock_write(mapping)",
      "free_pgtables(B) [table and lock are freed]",
    ]);
    expect(evidence(release)?.fixed).toMatchObject({ title: "i_mmap_lock_read(mapping) from before the lookup to after the last use", verdict: "pass", mutationFails: true });
    expect(evidence(release)?.fixed?.blockedAt).toBe("hole punch of the file: i_mmap_lock_write(mapping)");
  });

  test("where nobody has read how tables go away, the evidence says so", () => {
    expect(evidence("6.12")?.assumptions.join("\n")).not.toContain("not verified");
    expect(evidence("6.16")?.assumptions.join("\n")).toContain("not verified");
  });
});

test("what does not share PMD tables is not concerned", () => {
  const text = walker(RCU[0], RCU[1], READ, "vma->vm_mm");
  const [found] = review({ path: "mm/toy.c", text, kind: "c" }, { ...DEFAULT_OPTIONS, release: "6.1", arch: "s390x" });
  expect(found?.findings).toEqual([]);
});

test("where the architecture is not set, all are run and the default row speaks first", () => {
  const text = walker(IRQ[0], IRQ[1], READ, "current->mm");
  const [found] = review({ path: "mm/toy.c", text, kind: "c" }, { ...DEFAULT_OPTIONS, release: "6.1" });
  const [finding] = found?.findings ?? [];
  expect(finding?.message).toMatch(/^only on (?:arm64|riscv64|x86_64, PARAVIRT=y, guest)/);
  expect(finding?.evidence?.bounds).toContain("x86_64, PARAVIRT=y, bare metal");
});
