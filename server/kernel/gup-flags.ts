// SPDX-License-Identifier: GPL-2.0-only
import type { Effect, ReleaseRange } from "./effect.ts";
import { covers, type Release } from "./release.ts";

type Gup = Extract<Effect, { kind: "gup" }>;

/** What GUP refuses, whatever is mapped. */
export interface InvalidArguments extends ReleaseRange {
  /** Missing: both. */
  readonly reference?: Gup["reference"];
  /** Missing: every form. */
  readonly forms?: readonly Gup["form"][];
  /** Flags that the caller hands over, all of them. */
  readonly flags: readonly string[];
  /** What else must be so. `no-pages`: the array is NULL; `locked`: the pointer to the lock's state is not. */
  readonly and?: "no-pages" | "locked";
  /** What comes of it, and why, one sentence without a full stop. */
  readonly outcome: string;
  /** True where the call does without the flags what it was to do with them. */
  readonly isSurplus?: true;
  readonly source: string;
}

const FAST: readonly Gup["form"][] = ["fast", "fast-only"];
const WARNS = "it warns and takes no page";

const each = (flags: string, rest: Omit<InvalidArguments, "flags">): readonly InvalidArguments[] => flags.split(" ").map((flag) => ({ ...rest, flags: [flag] }));

/** What 6.1 asks of each form for itself: is_valid_gup_flags() and the first lines of the calls. */
const OF_6_1: readonly InvalidArguments[] = [
  { since: "6.1", reference: "get", forms: ["plain", "remote", "fast"], flags: ["FOLL_PIN"], outcome: `${WARNS}: FOLL_PIN is what pin_user_pages*() add themselves`, source: "mm/gup.c:2171-2188,2285,2331,3154 (6.1.192)" },
  { since: "6.1", reference: "get", forms: ["plain", "remote", "fast"], flags: ["FOLL_LONGTERM"], outcome: `${WARNS}: FOLL_LONGTERM is for pins`, source: "mm/gup.c:2171-2188 (6.1.192); is_valid_gup_args() (6.12.117)" },
  { since: "6.1", reference: "pin", flags: ["FOLL_GET"], outcome: `${WARNS}: FOLL_GET and FOLL_PIN exclude each other`, isSurplus: true, source: "mm/gup.c:3191,3217,3271,3309,3333 (6.1.192)" },
  { since: "6.1", until: "6.3", forms: ["unlocked"], flags: ["FOLL_LONGTERM"], outcome: `${WARNS}: the unlocked forms take FOLL_LONGTERM from 6.3 on`, source: "mm/gup.c:2367 (6.1.192)" },
  { since: "6.1", until: "6.3", forms: ["remote"], reference: "pin", flags: ["FOLL_LONGTERM"], and: "locked", outcome: `${WARNS}: before 6.3 FOLL_LONGTERM needs a NULL for \`locked\`, because the lock must not be dropped`, source: "mm/gup.c:2203-2205 (6.1.192)" },
];

/** d64e2dbc33a1: one check for all forms. */
const OF_6_3: readonly InvalidArguments[] = [
  ...each("FOLL_PIN FOLL_TRIED FOLL_UNLOCKABLE FOLL_REMOTE FOLL_FAST_ONLY", { since: "6.3", reference: "pin", outcome: `${WARNS}: the flag is internal to mm/`, isSurplus: true, source: "d64e2dbc33a1" }),
  ...each("FOLL_TRIED FOLL_UNLOCKABLE FOLL_REMOTE FOLL_FAST_ONLY", { since: "6.3", reference: "get", outcome: `${WARNS}: the flag is internal to mm/`, isSurplus: true, source: "d64e2dbc33a1" }),
  { since: "6.3", reference: "get", forms: ["unlocked", "fast-only"], flags: ["FOLL_PIN"], outcome: `${WARNS}: FOLL_PIN is what pin_user_pages*() add themselves`, source: "d64e2dbc33a1" },
  { since: "6.3", reference: "get", forms: ["unlocked", "fast-only"], flags: ["FOLL_LONGTERM"], outcome: `${WARNS}: FOLL_LONGTERM is for pins`, source: "d64e2dbc33a1" },
  ...each("FOLL_TOUCH FOLL_MADV_POPULATE", { since: "6.12", outcome: `${WARNS}: the flag is internal to mm/`, isSurplus: true, source: "mm/internal.h:1349-1351 (6.12.117)" }),
  { since: "6.3", flags: ["FOLL_LONGTERM", "FOLL_PCI_P2PDMA"], outcome: `${WARNS}: such pages may be unplugged at any time`, source: "mm/gup.c:2633 (6.12.117)" },
];

/** The fast forms take few flags, for they have no VMA and do not wait. */
const OF_FAST: readonly InvalidArguments[] = [
  ...each("FOLL_NOWAIT FOLL_HWPOISON FOLL_DUMP FOLL_SPLIT_PMD", { since: "6.1", forms: FAST, outcome: `${WARNS}: the fast forms do not know the flag`, source: "mm/gup.c:3047-3050 (6.1.192), :3445-3448 (6.12.117)" }),
  ...each("FOLL_TOUCH FOLL_REMOTE", { since: "6.1", until: "6.3", forms: FAST, outcome: `${WARNS}: the fast forms do not know the flag`, isSurplus: true, source: "mm/gup.c:3047-3050 (6.1.192)" }),
  ...each("FOLL_INTERRUPTIBLE", { since: "6.2", forms: FAST, outcome: `${WARNS}: the fast forms do not know the flag`, source: "mm/gup.c:3445-3448 (6.12.117)" }),
];

/** Without an array to put the pages into. */
const WITHOUT_PAGES: readonly InvalidArguments[] = [
  { since: "6.1", reference: "pin", flags: [], and: "no-pages", outcome: `${WARNS}: nobody could unpin them`, source: "mm/gup.c:3194,3274,3312,3336 (6.1.192)" },
  { until: "6.3", reference: "get", forms: FAST, flags: [], and: "no-pages", outcome: "it writes the pages that it finds through the NULL pointer", source: "mm/gup.c:2518 (6.1.192)" },
  { since: "6.3", reference: "get", forms: FAST, flags: [], and: "no-pages", outcome: `${WARNS}: nobody could put them`, source: "is_valid_gup_args() (6.12.117)" },
  { since: "6.1", reference: "get", forms: ["plain", "remote", "unlocked"], flags: ["FOLL_GET"], and: "no-pages", outcome: "it stops, or warns and takes no page: FOLL_GET needs an array", source: "mm/gup.c:1193 (6.1.192); is_valid_gup_args() (6.12.117)" },
];

const INVALID: readonly InvalidArguments[] = [...OF_6_1, ...OF_6_3, ...OF_FAST, ...WITHOUT_PAGES];

/** What a form refuses in a release. */
export const invalidFor = ({ reference, form }: Pick<Gup, "reference" | "form">, release: Release): readonly InvalidArguments[] =>
  INVALID.filter((one) => covers(one, release) && (one.reference === undefined || one.reference === reference) && (one.forms === undefined || one.forms.includes(form)));
