// SPDX-License-Identifier: GPL-2.0-only
import type { ReleaseRange } from "./effect.ts";
import { covers, type Release } from "./release.ts";

/** What a function is called in a range of releases. */
interface Spelling extends ReleaseRange {
  readonly pattern: RegExp;
  /** Replaces what the pattern finds. */
  readonly as: string;
  /** The commit that gave it the other name. */
  readonly source: string;
}

const MMAP_LOCK = "d8ed45c5dcd4 (5.8): mmap locking API";
const GUP_FAST = "23babe1934d7 (6.10): mm/gup: consistently name GUP-fast functions";

/** Names that functions had before or after the releases for which scenarios are written. */
const SPELLINGS: readonly Spelling[] = [
  { until: "5.8", pattern: /\bmmap_read_lock\((\w+)\)/g, as: "down_read(&$1->mmap_sem)", source: MMAP_LOCK },
  { until: "5.8", pattern: /\bmmap_read_unlock\((\w+)\)/g, as: "up_read(&$1->mmap_sem)", source: MMAP_LOCK },
  { until: "5.8", pattern: /\bmmap_write_lock\((\w+)\)/g, as: "down_write(&$1->mmap_sem)", source: MMAP_LOCK },
  { until: "5.8", pattern: /\bmmap_write_unlock\((\w+)\)/g, as: "up_write(&$1->mmap_sem)", source: MMAP_LOCK },
  { until: "5.8", pattern: /\bmmap_write_downgrade\((\w+)\)/g, as: "downgrade_write(&$1->mmap_sem)", source: MMAP_LOCK },
  { until: "5.11", pattern: /\bptep_get_lockless\(/g, as: "gup_get_pte(", source: "2a4a06da8a4b (5.11)" },
  { until: "5.12", pattern: /\bpage_needs_cow_for_dma\(vma, page\)/g, as: "page_maybe_dma_pinned(page)", source: "97a7e4733b9b (5.12)" },
  { until: "5.18", pattern: /\btry_grab_folio\(/g, as: "try_grab_compound_head(", source: "ece1ed7bfa12 (5.18)" },
  { until: "6.5", pattern: /\bpte_val\(ptep_get\(ptep\)\)/g, as: "pte_val(*ptep)", source: "c33c794828f2 (6.5)" },
  { since: "6.10", pattern: /\bgup_pte_range\(/g, as: "gup_fast_pte_range(", source: GUP_FAST },
  { since: "6.10", pattern: /\bgup_huge_pmd\(/g, as: "gup_fast_pmd_leaf(", source: GUP_FAST },
];

/** A text of a step with the names that functions have in a release. */
export const spelledIn = (release: Release, text: string): string =>
  SPELLINGS.reduce((spelled, spelling) => (covers(spelling, release) ? spelled.replace(spelling.pattern, spelling.as) : spelled), text);
