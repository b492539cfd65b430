// SPDX-License-Identifier: GPL-2.0-only
import type { ApiFact, Argument, Effect, ReleaseRange } from "../effect.ts";
import { dropsMmapLock, excludes, facts, maySleep, requires, returnsReference } from "./make.ts";

type Gup = Extract<Effect, { kind: "gup" }>;

/** Where a form takes what; `mm` is missing in forms for the current task. */
type Where = Partial<Gup> & { readonly mm?: Argument };

/** Flags that a form adds itself, besides FOLL_GET or FOLL_PIN (6.1.192). Only the `get` form of the plain call touches. */
const IMPLIED: Readonly<Record<Gup["form"], readonly string[]>> = {
  plain: [],
  remote: ["FOLL_TOUCH", "FOLL_REMOTE"],
  unlocked: ["FOLL_TOUCH"],
  locked: ["FOLL_TOUCH"],
  fast: [],
  "fast-only": ["FOLL_FAST_ONLY"],
};

const impliedFlags = (reference: Gup["reference"], form: Gup["form"]): readonly string[] => [
  reference === "pin" ? "FOLL_PIN" : "FOLL_GET",
  ...(reference === "get" && form === "plain" ? ["FOLL_TOUCH"] : IMPLIED[form]),
];

/** What a form asks of mmap_lock: held, kept or dropped by `*locked`, or free to be taken. */
function lockContract(form: Gup["form"], mm: Argument | null, locked: Argument | undefined): Effect[] {
  const mayDrop = locked === undefined ? [] : [dropsMmapLock(mm, "locked-cleared", "released", { tells: locked })];
  switch (form) {
    case "plain":
      return [requires("mmap_lock", "any", mm)];
    case "remote":
      return [requires("mmap_lock", "any", mm), ...mayDrop];
    case "locked":
      return [requires("mmap_lock", "read", mm), ...mayDrop];
    case "unlocked":
    case "fast":
      return [excludes("mmap_lock", mm)];
    case "fast-only":
      return [];
  }
}

const call = (reference: Gup["reference"], form: Gup["form"], { mm, ...where }: Where): Effect[] => {
  const gup: Gup = {
    kind: "gup",
    reference,
    form,
    flags: null,
    write: null,
    force: null,
    pages: null,
    impliesLongterm: false,
    implies: impliedFlags(reference, form),
    ...(form === "fast-only" ? { returns: "count" as const } : {}),
    ...where,
  };
  return [...(form === "fast-only" ? [] : [maySleep]), ...lockContract(form, mm ?? null, where.locked), gup];
};

const GUP = "mm/gup.c (6.1.192)";

/** Forms that take booleans: before 4.9, and the fast ones before 5.2. */
const BOOLEANS: readonly ApiFact[] = [
  ...facts("get_user_pages", "mm/gup.c (4.5), signature table of the eras", call("get", "plain", { mm: 1, write: 4, force: 5, pages: 6 }), {
    arity: 8,
    until: "4.6",
  }),
  ...facts("get_user_pages", "mm/gup.c, 4.4.168 stable only", call("get", "plain", { mm: 1, flags: 4, pages: 5 }), {
    arity: 7,
    since: "4.4",
    until: "4.5",
  }),
  ...facts("get_user_pages", "mm/gup.c (4.8), signature table of the eras", call("get", "plain", { write: 2, force: 3, pages: 4 }), {
    arity: 6,
    since: "4.6",
    until: "4.9",
  }),
  ...facts("get_user_pages_remote", "mm/gup.c (4.8), signature table of the eras", call("get", "remote", { mm: 1, write: 4, force: 5, pages: 6 }), {
    arity: 8,
    since: "4.6",
    until: "4.9",
  }),
  ...facts("get_user_pages_unlocked", "mm/gup.c (4.5), signature table of the eras", call("get", "unlocked", { mm: 1, write: 4, force: 5, pages: 6 }), {
    arity: 7,
    since: "4.0",
    until: "4.6",
  }),
  ...facts("get_user_pages_unlocked", "mm/gup.c (4.8), signature table of the eras", call("get", "unlocked", { write: 2, force: 3, pages: 4 }), {
    arity: 5,
    since: "4.6",
    until: "4.9",
  }),
  ...facts("get_user_pages_locked", "mm/gup.c (4.5)", call("get", "locked", { mm: 1, write: 4, force: 5, pages: 6, locked: 7 }), {
    arity: 8,
    since: "4.0",
    until: "4.6",
    certainty: "plausible",
  }),
  ...facts("get_user_pages_locked", "mm/gup.c (4.8)", call("get", "locked", { write: 2, force: 3, pages: 4, locked: 5 }), {
    arity: 6,
    since: "4.6",
    until: "4.9",
    certainty: "plausible",
  }),
  ...facts("get_user_pages_fast", "73b0140bf0fe (flags from 5.2)", call("get", "fast", { write: 2, pages: 3 }), {
    arity: 4,
    until: "5.2",
  }),
  ...facts("__get_user_pages_fast", "mm/gup.c (5.7), signature table of the eras", call("get", "fast-only", { write: 2, pages: 3 }), {
    arity: 4,
    until: "5.8",
  }),
];

interface Signature {
  readonly arity: number;
  readonly mm?: Argument;
  readonly flags: Argument;
  readonly pages: Argument;
  readonly locked?: Argument;
}

/** The `get` and `pin` forms with the same signature; there are no pins before 5.6. */
const both = (suffix: string, form: Gup["form"], { arity, ...where }: Signature, range: ReleaseRange & { pinSince?: string }, source: string): ApiFact[] => {
  const { pinSince, ...getRange } = range;
  return [
    ...facts(`get_user_pages${suffix}`, source, call("get", form, where), { arity, ...getRange }),
    ...facts(`pin_user_pages${suffix}`, source, call("pin", form, where), {
      arity,
      ...getRange,
      ...(pinSince === undefined ? {} : { since: pinSince }),
    }),
  ];
};

const dumpPage = (contract: readonly Effect[]): Effect[] => [
  maySleep,
  ...contract,
  {
    kind: "gup",
    reference: "get",
    form: "unlocked",
    flags: null,
    write: null,
    force: null,
    pages: null,
    impliesLongterm: false,
    implies: ["FOLL_FORCE", "FOLL_DUMP", "FOLL_GET"],
    returns: "page-or-null",
  },
  returnsReference("page", "null"),
];

const FLAGS: readonly ApiFact[] = [
  ...both("", "plain", { arity: 5, flags: 2, pages: 3 }, { since: "4.9", until: "6.5", pinSince: "5.6" }, GUP),
  ...both("", "plain", { arity: 4, flags: 2, pages: 3 }, { since: "6.5" }, "54d020692b34, 4c630f307455 (vmas dropped)"),
  ...facts("get_user_pages_remote", "mm/gup.c (4.9), signature table of the eras", call("get", "remote", { mm: 1, flags: 4, pages: 5 }), {
    arity: 7,
    since: "4.9",
    until: "4.10",
  }),
  ...facts("get_user_pages_remote", "5b56d49fc31d (locked added)", call("get", "remote", { mm: 1, flags: 4, pages: 5, locked: 7 }), {
    arity: 8,
    since: "4.10",
    until: "5.9",
  }),
  ...facts("pin_user_pages_remote", "mm/gup.c (5.8), signature table of the eras", call("pin", "remote", { mm: 1, flags: 4, pages: 5, locked: 7 }), {
    arity: 8,
    since: "5.6",
    until: "5.9",
  }),
  ...both("_remote", "remote", { arity: 7, mm: 0, flags: 3, pages: 4, locked: 6 }, { since: "5.9", until: "6.5" }, "64019a2e467a (tsk dropped)"),
  ...both("_remote", "remote", { arity: 6, mm: 0, flags: 3, pages: 4, locked: 5 }, { since: "6.5" }, "ca5e863233e8, 0b295316b3a9 (vmas dropped)"),
  ...facts("get_user_page_vma_remote", "ca5e863233e8", [...call("get", "remote", { mm: 0, flags: 2, returns: "page-or-error" }), returnsReference("page", "error-pointer")], { arity: 4, since: "6.5" }),
  ...facts("get_user_pages_unlocked", "mm/gup.c:2354 (6.1.192)", call("get", "unlocked", { flags: 3, pages: 2 }), { arity: 4, since: "4.9" }),
  ...facts("pin_user_pages_unlocked", "mm/gup.c:3329 (6.1.192)", call("pin", "unlocked", { flags: 3, pages: 2 }), { arity: 4, since: "5.8" }),
  ...facts("get_user_pages_locked", "mm/gup.c; removed in 5.18", call("get", "locked", { flags: 2, pages: 3, locked: 4 }), {
    arity: 5,
    since: "4.9",
    until: "5.18",
    certainty: "plausible",
  }),
  ...facts("pin_user_pages_locked", "mm/gup.c", call("pin", "locked", { flags: 2, pages: 3, locked: 4 }), {
    arity: 5,
    since: "5.8",
    until: "5.18",
    certainty: "plausible",
  }),
  ...both("_fast", "fast", { arity: 4, flags: 2, pages: 3 }, { since: "5.2", pinSince: "5.6" }, "mm/gup.c:3151,3187 (6.1.192)"),
  ...facts("get_user_pages_fast_only", "mm/gup.c:3106 (6.1.192)", call("get", "fast-only", { flags: 2, pages: 3 }), { arity: 4, since: "5.8" }),
  ...facts("get_user_page_fast_only", "include/linux/mm.h (6.1.192)", call("get", "fast-only", { flags: 1, pages: 2, returns: "bool" }), {
    arity: 3,
    since: "5.8",
  }),
  ...facts("pin_user_pages_fast_only", "mm/gup.c:3208 (6.1.192)", call("pin", "fast-only", { flags: 2, pages: 3 }), { arity: 4, since: "5.8" }),
  ...facts("get_user_pages_longterm", "mm/gup.c; 932f4a630a69 made it a flag in 5.2", call("get", "plain", { flags: 2, pages: 3, impliesLongterm: true }), {
    arity: 5,
    since: "4.15",
    until: "5.2",
  }),
  ...facts("get_dump_page", "mm/gup.c:1943 (6.1.192): takes the lock killably", dumpPage([excludes("mmap_lock", null)]), { arity: 1, since: "5.10", certainty: "plausible" }),
  ...facts("get_dump_page", "mm/gup.c (5.9): the lock is its caller's business", dumpPage([]), { arity: 1, until: "5.10", certainty: "plausible" }),
];

export const gupFacts: readonly ApiFact[] = [...BOOLEANS, ...FLAGS];
