// SPDX-License-Identifier: GPL-2.0-only
import type { Certainty, ReleaseRange } from "./effect.ts";
import { atLeast, covers, type Release } from "./release.ts";
import type { Architecture, Target } from "./target.ts";

/** Whether what a lockless walker does with a table of another owner is safe while interrupts stay off. */
export interface IrqOffProtection {
  /** Reading entries of the table. */
  readonly deref: boolean;
  /** Taking the page-table lock of the table. */
  readonly ptl: boolean;
  /** True where both hold only for a walk of the current mm, because the flush interrupts only CPUs that run the mm. */
  readonly onlyCurrentMm: boolean;
}

/** One way in which page tables of shared hugetlb PMDs are freed: an architecture under a configuration. */
export interface ArchitectureRow extends ReleaseRange {
  readonly arch: Architecture;
  readonly name: string;
  /** Phrase for messages, for example "x86_64, PARAVIRT=n". */
  readonly phrase: string;
  /** What must hold at run time besides the configuration; "" where nothing must. */
  readonly condition: string;
  /** Configuration that the row needs. */
  readonly config: Readonly<Record<string, boolean>>;
  /** True for the one row that stands for the default target. */
  readonly isDefault: boolean;
  /** Whether hugetlb PMD tables can be shared at all; without it a lockless walk has nothing to fear. */
  readonly hugePmdShare: boolean;
  /**
   * How the table page goes away. `rcu`: after a grace period; `rcu-or-immediate`: the same, but after an interrupt
   * to all CPUs and at once where the batch page cannot be allocated; `after-ipi`: after the TLB flush interrupted the
   * CPUs that run the mm; `at-once`: before any flush.
   */
  readonly tableFree: "rcu" | "rcu-or-immediate" | "after-ipi" | "at-once";
  /** The lock of the table is freed with the table's destructor: never delayed by RCU. */
  readonly ptlFree: "at-once";
  /** Whether an RCU read-side section keeps the table readable. It never keeps the lock. */
  readonly rcuProtectsDeref: "yes" | "unless-batch-page-fails" | "no";
  readonly irqOffProtects: IrqOffProtection;
  /** True where a TLB flush is an instruction that reaches all CPUs and interrupts none. */
  readonly broadcastsFlush: boolean;
  readonly source: string;
  readonly certainty: Certainty;
}

type Row = Omit<ArchitectureRow, "irqOffProtects" | "broadcastsFlush" | "ptlFree" | "certainty"> & {
  readonly broadcastsFlush?: true;
  /** First release for which nobody has read the row's source again. Missing: none. */
  readonly unverifiedFrom?: string;
  /** Without the interrupt that unsharing sends since 1013af4f585f, and with it. */
  readonly irqOff: readonly [before: IrqOffProtection, since: IrqOffProtection];
};

const NOTHING: IrqOffProtection = { deref: false, ptl: false, onlyCurrentMm: false };
const DEREF: IrqOffProtection = { deref: true, ptl: false, onlyCurrentMm: false };
const BOTH: IrqOffProtection = { deref: true, ptl: true, onlyCurrentMm: false };
const BOTH_IN_CURRENT_MM: IrqOffProtection = { deref: true, ptl: true, onlyCurrentMm: true };

const BATCHED = { tableFree: "rcu-or-immediate", rcuProtectsDeref: "unless-batch-page-fails", irqOff: [DEREF, BOTH] } as const;

/** Where x86 frees tables by RCU whatever the configuration (the release is not verified). */
const X86_ALWAYS_RCU = "6.14";
/** Where riscv64 frees tables by RCU (6.8 to 6.10, the release is not verified: the later one is taken). */
const RISCV_RCU = "6.10";

const ROWS: readonly Row[] = [
  {
    arch: "x86_64",
    name: "x86_64-paravirt-bare-metal",
    phrase: "x86_64, PARAVIRT=y, bare metal",
    condition: "no hypervisor that replaces the TLB flush",
    config: { PARAVIRT: true },
    isDefault: true,
    until: X86_ALWAYS_RCU,
    unverifiedFrom: "6.13",
    hugePmdShare: true,
    tableFree: "after-ipi",
    rcuProtectsDeref: "no",
    irqOff: [BOTH_IN_CURRENT_MM, BOTH],
    source: "arch/x86/kernel/paravirt.c:319, arch/x86/Kconfig:254 (6.1.192): pv_ops.mmu.tlb_remove_table is tlb_remove_page()",
  },
  {
    arch: "x86_64",
    name: "x86_64-paravirt-guest",
    phrase: "x86_64, PARAVIRT=y, guest with paravirtual TLB flush",
    condition: "Xen PV, KVM with PV flush, or Hyper-V",
    config: { PARAVIRT: true },
    isDefault: false,
    until: X86_ALWAYS_RCU,
    unverifiedFrom: "6.13",
    hugePmdShare: true,
    ...BATCHED,
    source: "arch/x86/xen/mmu_pv.c:2169, arch/x86/kernel/kvm.c:844, arch/x86/hyperv/mmu.c:242 (6.1.192)",
  },
  {
    arch: "x86_64",
    name: "x86_64-no-paravirt",
    phrase: "x86_64, PARAVIRT=n",
    condition: "",
    config: { PARAVIRT: false },
    isDefault: false,
    until: X86_ALWAYS_RCU,
    unverifiedFrom: "6.13",
    hugePmdShare: true,
    tableFree: "after-ipi",
    rcuProtectsDeref: "no",
    // Without RCU table free, the interrupt of 1013af4f585f is a no-op (include/asm-generic/tlb.h:234).
    irqOff: [BOTH_IN_CURRENT_MM, BOTH_IN_CURRENT_MM],
    source: "include/asm-generic/tlb.h:234,745-747, arch/x86/Kconfig:254 (6.1.192)",
  },
  {
    arch: "x86_64",
    name: "x86_64",
    phrase: "x86_64",
    condition: "",
    config: {},
    isDefault: true,
    since: X86_ALWAYS_RCU,
    hugePmdShare: true,
    ...BATCHED,
    source: "arch/x86/Kconfig: RCU table free without condition from about 6.14 (unverified)",
    unverifiedFrom: X86_ALWAYS_RCU,
  },
  {
    arch: "arm64",
    name: "arm64",
    phrase: "arm64",
    condition: "4K pages, or 16K pages without VA36",
    config: {},
    isDefault: false,
    hugePmdShare: true,
    ...BATCHED,
    broadcastsFlush: true,
    source: "arch/arm64/Kconfig:100,204, mm/mmu_gather.c:203-207 (6.1.192)",
  },
  {
    arch: "riscv64",
    name: "riscv64",
    phrase: "riscv64",
    condition: "",
    config: {},
    isDefault: false,
    until: RISCV_RCU,
    unverifiedFrom: "6.8",
    hugePmdShare: true,
    tableFree: "at-once",
    rcuProtectsDeref: "no",
    irqOff: [NOTHING, NOTHING],
    source: "arch/riscv/include/asm/pgalloc.h:152, arch/riscv/Kconfig:48 (6.1.192)",
  },
  {
    arch: "riscv64",
    name: "riscv64-rcu",
    phrase: "riscv64",
    condition: "",
    config: {},
    isDefault: false,
    since: RISCV_RCU,
    hugePmdShare: true,
    ...BATCHED,
    source: "arch/riscv/Kconfig: RCU table free from about 6.8 to 6.10 (unverified)",
    unverifiedFrom: RISCV_RCU,
  },
  ...(["powerpc64", "s390x"] as const).map((arch): Row => ({
    arch,
    name: arch,
    phrase: arch,
    condition: "",
    config: {},
    isDefault: false,
    hugePmdShare: false,
    ...BATCHED,
    source: `arch/${arch === "s390x" ? "s390" : "powerpc"}/Kconfig (6.1.192): no shared PMD tables, RCU table free`,
  })),
];

/**
 * Whether unsharing interrupts all CPUs before the table can get another use (1013af4f585f): from 6.16, and in 6.1.192.
 * Older sublevels of 6.1 may have it too; only what was read counts.
 */
export const unshareInterrupts = (release: Release): boolean =>
  atLeast(release, "6.16") ||
  (release.major === 6 && release.minor === 1 && release.sublevel !== null && release.sublevel >= 192);

const configAllows = (row: Row, target: Target): boolean =>
  Object.entries(row.config).every(([key, value]) => !Object.hasOwn(target.config, key) || target.config[key] === value);

/**
 * The rows that a target stands for: of its architecture where the user chose one, else of all. What the user did not
 * decide about the configuration stays open. Ordered with the default row first.
 */
export function architectureRows(target: Target): readonly ArchitectureRow[] {
  const selected = ROWS.filter(
    (row) =>
      covers(row, target.release) && (!target.archIsSet || row.arch === target.arch) && configAllows(row, target),
  );
  const later = unshareInterrupts(target.release) ? 1 : 0;
  return selected.map(({ irqOff, unverifiedFrom, ...row }) => ({
    ...row,
    ptlFree: "at-once",
    irqOffProtects: irqOff[later],
    broadcastsFlush: row.broadcastsFlush ?? false,
    certainty: unverifiedFrom !== undefined && atLeast(target.release, unverifiedFrom) ? "plausible" : "verified",
  }));
}
