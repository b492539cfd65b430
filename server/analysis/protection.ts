// SPDX-License-Identifier: GPL-2.0-only
import { PRIVATE_TESTS, SHARE_TESTS } from "../kernel/private-mapping.ts";
import { isOtherMapping } from "./mapping.ts";
import { isHeld, withEntry, type State, type WalkOrigin } from "./state.ts";

/** Only files have shared mappings, so a VMA without one is no hugetlb mapping that shares. */
const ASKS_SHARED = new RegExp(`^(?:${SHARE_TESTS.join("|")})\\(|^\\w+->vm_file$`);
const ASKS_PRIVATE = new RegExp(`^(?:${PRIVATE_TESTS.join("|")})\\(`);

const BARE_FLAGS = /^\(*\w+ & VM_MAYSHARE\b|\bis_cow_mapping\(\w+\)/;

/** True where the text of a condition, decided as it is, says that the VMA is private. */
export function saysPrivate(state: State, vma: string | null): boolean {
  const names = vma === null ? null : new RegExp(`(?<![\\w$>.])${vma.replace(/[^\w]/g, "\\$&")}(?!\\w)`);
  for (const [key, truth] of state.truths) {
    // A local copy of flags whose VMA is not known may be this one's.
    if (names && !names.test(key) && !BARE_FLAGS.test(key)) continue;
    if (/\bis_cow_mapping\(/.test(key) && truth) return true;
    if (ASKS_PRIVATE.test(key) && truth) return true;
    if (ASKS_SHARED.test(key) && !truth) return true;
    if (/& VM_MAYSHARE\b/.test(key) && !/\bVM_MAYWRITE\b/.test(key) && !truth) return true;
  }
  return false;
}

/**
 * True where the table of a hugetlb walk cannot be freed: the VMA's hugetlb lock, its mapping's i_mmap_rwsem, or a
 * private VMA (PMDs are shared between MAP_SHARED VMAs only). mm/hugetlb.c, fe7d4c6d5a42, 9c67a20704e7.
 */
export const protects = (state: State, { vma, alsoNamed }: Pick<WalkOrigin, "vma" | "alsoNamed">): boolean =>
  isHeld(state, "hugetlb_vma_lock", vma) ||
  state.held.some((held) => held.lock === "hugetlb_vma_lock" && alsoNamed?.has(held.object) === true) ||
  state.held.some((held) => held.lock === "i_mmap_rwsem" && !isOtherMapping(held.object, vma, alsoNamed)) ||
  saysPrivate(state, vma);

/** How one of the locks that unsharing needs is held; an assertion that leaves the mode open counts as `write`. null: not held. */
export const heldMode = (state: State, lock: "hugetlb_vma_lock" | "i_mmap_rwsem", { vma, alsoNamed }: Pick<WalkOrigin, "vma" | "alsoNamed">): "write" | "read" | null => {
  const held = state.held.filter((one) => one.lock === lock && (lock === "i_mmap_rwsem" ? !isOtherMapping(one.object, vma, alsoNamed) : vma === null || one.object === "" || one.object === vma || alsoNamed?.has(one.object) === true));
  return held.some(({ mode }) => mode !== "read") ? "write" : held.length > 0 ? "read" : null;
};

/** True where the table behind a walk's pointer still exists: it was protected all the time, or it never was shared. */
export const isSafe = (state: State, origin: WalkOrigin): boolean =>
  saysPrivate(state, origin.vma) || (origin.protectedSince && protects(state, origin));

/** The state after a lock was given up: tables of walks that nothing protects any more may be freed. */
export function loseProtection(state: State): State {
  let walks = state.walks;
  for (const [variable, origin] of state.walks)
    if (origin.protectedSince && !protects(state, origin)) walks = withEntry(walks, variable, { ...origin, protectedSince: false });
  return { ...state, walks };
}
