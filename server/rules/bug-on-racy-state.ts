// SPDX-License-Identifier: GPL-2.0-only
import { atLeast } from "../kernel/release.ts";
import { assertedState, racyAssertion } from "../scenarios/racy-assertion.ts";
import { proofOf, prove } from "../scenarios/prove.ts";
import { written } from "../program/written.ts";
import type { Candidate, Rule, Site } from "./rule.ts";
import { isAffordable, placeOf } from "./rule.ts";
import { MAX_STATES } from "./budget.ts";
import { mmapLockAt } from "./mmap-lock.ts";
import { tableMappingAt } from "./table-mapping.ts";

export const bugOnRacyState: Rule = {
  meta: {
    id: "bug-on-racy-state",
    title: "assertion on state that another thread may change",
    severity: "error",
    since: "2.6.12",
    until: null,
    why:
      "BUG_ON() says that something cannot happen. The MMU sets accessed and dirty bits of a present entry whatever locks are held, and since 6.6 " +
      "khugepaged takes page tables of file mappings away without mmap_lock: what user space can bring about stops the kernel.",
    messages: {
      pmd: "{function}() asserts {condition} without the pmd lock or the page-table lock: khugepaged may take the table of a file mapping away, and a fault may map a huge page",
      anonymous: "{function}() asserts {condition} without the lock of the pmd: {reason}; -EAGAIN would be right either way",
      pte: "{function}() asserts that an entry is the same as before: the MMU of another CPU may set its accessed or dirty bit meanwhile",
    },
    scenarios: ["racy-assertion"],
    sources: [
      { thread: "userfaultfd: don't BUG_ON() if khugepaged yanks our page table", who: "commit 4828d207dc51", date: "6.11", link: null },
    ],
  },
  effects: ["bugIf"],
  *check(site: Site): Iterable<Candidate> {
    const { program, call, node, effect, target } = site;
    if (effect.kind !== "bugIf" || program.openEnd || program.openStart || !isAffordable(site)) return;
    const state = assertedState(program, node, effect.condition, target.release);
    if (state === null) return;
    const proof = proofOf(racyAssertion(call, state), program, target.release, MAX_STATES);
    if (!proof || (state.level === "pmd" && callersHoldLocks(site))) return;
    const mapping = state.level === "pmd" ? tableMappingAt(site) : "file";
    // What keeps the table of anonymous memory is that others cannot have the mmap lock for writing: who has it asserts what it knows.
    if (mapping === "anonymous" && mmapLockAt(site) === "write") return;
    // An assertion that fails without anyone else is another defect, or one that the model does not understand.
    if (prove(racyAssertion(call, state, true), program, target.release, MAX_STATES).verdict !== "pass") return;
    yield {
      ruleId: this.meta.id,
      data: { function: program.name, condition: `${call.name}(${call.args.map((arg) => written(program, arg)).join(", ")})`, reason: atLeast(target.release, "6.14") ? RECLAIMED : KEPT },
      place: placeOf(program, call),
      related: [],
      ...(mapping === "anonymous"
        ? // No schedule is shown: until 6.14 nobody takes that table away.
          { messageId: "anonymous", severity: effect.how === "bug" ? ("warning" as const) : ("info" as const), prove: null }
        : { messageId: state.level, severity: effect.how === "bug" ? ("error" as const) : ("warning" as const), prove: () => proof }),
      ...(mapping === "unknown" ? { asks: true } : {}),
    };
  },
};

/** Why the pmd of anonymous memory stays as it is, or not. mm/khugepaged.c, retract_page_tables(); mm/pt_reclaim.c (6.14). */
const KEPT = "true only until tables of anonymous memory are taken away from readers of mmap_lock, as from 6.14 on";
const RECLAIMED = "since 6.14 tables that are empty are taken away from readers of mmap_lock";

/** True where every caller holds a spinning lock already. */
const callersHoldLocks = ({ states }: Site): boolean => states.length > 0 && states.every(({ state }) => state.atomic.some(({ at, reason }) => at < 0 && reason === "spinlock"));
