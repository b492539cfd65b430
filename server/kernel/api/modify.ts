// SPDX-License-Identifier: GPL-2.0-only
import type { ApiFact, Effect } from "../effect.ts";

type Modification = Extract<Effect, { kind: "modifyEntry" }>;
type Shape = Omit<Modification, "kind">;

/** (space, address, entry, ...): how nearly all of them take their arguments. */
const usual = (level: Shape["level"], how: Shape["how"], onlyPresent = false): Shape => ({ pte: 2, address: 1, space: 0, level, how, onlyPresent });

/** (entry): forms that know neither the address nor the mm. */
const bare = (level: Shape["level"]): Shape => ({ pte: 0, address: null, space: null, level, how: "clear", onlyPresent: false });

const byName = (names: string, shape: Shape): (readonly [name: string, shape: Shape])[] => names.split(" ").map((name) => [name, shape]);

/**
 * The primitives that a notifier range must enclose when the old entry may be cached by a secondary MMU. Upgrades of
 * permissions and clearing of accessed bits are no modification in this sense.
 */
const MODIFICATIONS: ReadonlyMap<string, Shape> = new Map([
  ...byName("ptep_clear_flush ptep_clear_flush_notify ptep_get_and_clear ptep_get_and_clear_full ptep_clear pte_clear pte_clear_not_present_full", usual("pte", "clear")),
  ...byName("get_and_clear_full_ptes clear_full_ptes", usual("pte", "clear")),
  ...byName("ptep_set_wrprotect wrprotect_ptes", usual("pte", "protect")),
  ...byName("ptep_modify_prot_start", usual("pte", "begin")),
  ...byName("ptep_modify_prot_commit", usual("pte", "commit")),
  ...byName("set_pte_at set_pte_at_notify set_ptes", usual("pte", "set", true)),
  ...byName(
    "pmdp_huge_get_and_clear pmdp_huge_get_and_clear_full pmdp_huge_clear_flush pmdp_huge_clear_flush_notify pmdp_invalidate pmdp_invalidate_ad pmdp_collapse_flush",
    usual("pmd", "clear"),
  ),
  ...byName("pmdp_set_wrprotect", usual("pmd", "protect")),
  ...byName("set_pmd_at", usual("pmd", "set", true)),
  ...byName("pmd_clear", bare("pmd")),
  ...byName("pudp_huge_get_and_clear pudp_huge_get_and_clear_full pudp_huge_clear_flush pudp_huge_clear_flush_notify pudp_invalidate", usual("pud", "clear")),
  ...byName("pudp_set_wrprotect", usual("pud", "protect")),
  ...byName("set_pud_at", usual("pud", "set", true)),
  ...byName("pud_clear", bare("pud")),
  ...byName("p4d_clear", bare("p4d")),
  ...byName("huge_ptep_get_and_clear huge_ptep_clear_flush huge_pte_clear", usual("hugetlb", "clear")),
  ...byName("huge_ptep_set_wrprotect", usual("hugetlb", "protect")),
  ...byName("huge_ptep_modify_prot_start", usual("hugetlb", "begin")),
  ...byName("huge_ptep_modify_prot_commit", usual("hugetlb", "commit")),
  ...byName("set_huge_pte_at", usual("hugetlb", "set", true)),
]);

/** The old form takes (mm, &address, entry), the new one (mm or gather, vma, address, entry). */
const unshare = (fact: ApiFact): Shape =>
  fact.arity === 3
    ? { ...usual("hugetlb", "unshare") }
    : { pte: 3, address: 2, space: 1, level: "hugetlb", how: "unshare", onlyPresent: false };

const shapeOf = (fact: ApiFact): Shape | undefined => (fact.name === "huge_pmd_unshare" ? unshare(fact) : MODIFICATIONS.get(fact.name));

/** The fact, with the modification that the call is. */
export function withModification(fact: ApiFact): ApiFact {
  const shape = shapeOf(fact);
  return shape === undefined ? fact : { ...fact, effects: [...fact.effects, { kind: "modifyEntry", ...shape }] };
}
