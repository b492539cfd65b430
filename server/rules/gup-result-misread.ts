// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import type { BoundEffect } from "../program/program.ts";
import { namesIn, render } from "../program/render.ts";
import { misreadSigns, signedFixes, type Misread } from "./gup-result-sign.ts";
import { endlessAt, unsetPage } from "./gup-result-zero.ts";
import type { Candidate, Rule, Site } from "./rule.ts";
import { placeOf } from "./rule.ts";

type Gup = BoundEffect & { readonly kind: "gup" };

export const gupResultMisread: Rule = {
  meta: {
    id: "gup-result-misread",
    title: "result of GUP taken for something else: an error for a number of pages, or no page for one",
    severity: "error",
    since: "2.6.12",
    until: null,
    why:
      "GUP returns how many pages it took, which may be fewer than were asked for, or an error code. Compared with an unsigned number, an error is larger than " +
      "any count. And 0 is neither an error nor a page: whoever tests only for errors waits for pages that do not come, or uses a page that there is not.",
    messages: {
      compared: "{function}() compares {name}, which {call}() returned, with {other}, which is unsigned: an error counts as more pages than there are",
      looped: "{function}() runs up to {name}, which {call}() returned, with {other}, which is unsigned: after an error the loop goes on far behind the array",
      unsigned: "{function}() keeps what {call}() returned in {name}, which is unsigned: this test never finds an error",
      endless: "{function}() calls {call}() again as long as pages are missing: where it returns 0, nothing has changed, and the loop does not end",
      unset: "{function}() uses {page} where {call}() may have returned 0, which is no error: then nobody has set it",
    },
    offersEdits: true,
    scenarios: [],
    sources: [
      { thread: "the comments above get_user_pages_remote() and get_user_pages_fast_only()", who: "mm/gup.c", date: "6.1.192", link: null },
    ],
  },
  effects: ["gup"],
  *check(site: Site): Iterable<Candidate> {
    const { program, call, effect } = site;
    if (effect.kind !== "gup" || call.result === null || program.openStart || program.openEnd) return;
    const counts = effect.returns === undefined || effect.returns === "count-or-error";
    if (counts) for (const misread of misreadSigns(site)) yield signed(site, misread);
    if (!mayBeZero(effect)) return;
    const common = { ruleId: this.meta.id, severity: "warning" as const, place: placeOf(program, call), prove: null };
    const end = endlessAt(site);
    if (end) yield { ...common, messageId: "endless", data: { function: program.name, call: call.name }, related: [{ message: "what is asked on every turn", place: end }] };
    const unset = unsetPage(site, effect);
    if (unset) yield { ...common, messageId: "unset", data: { function: program.name, call: call.name, page: unset.page }, related: [{ message: `${unset.page} is used here`, place: unset.use }] };
  },
};

/** True where no page, and no error, is an answer to be expected: nobody waits for a page to be brought in. */
const mayBeZero = ({ form, flags, returns }: Gup): boolean => (form === "fast-only" && returns !== "bool") || (flags !== null && alwaysHas(flags, "FOLL_NOWAIT"));

const alwaysHas = (word: Value, flag: string): boolean =>
  word.kind === "binary" && word.operator === "|" ? alwaysHas(word.left, flag) || alwaysHas(word.right, flag) : namesIn(word).length === 1 && render(word) === flag;

function signed({ program, call }: Site, { name, other, place, how }: Misread): Candidate {
  return {
    ruleId: "gup-result-misread",
    messageId: how,
    data: { function: program.name, call: call.name, name, other },
    place,
    related: [{ message: "the pages are taken here", place: placeOf(program, call) }],
    prove: null,
    fixes: () => (how === "unsigned" ? signedFixes(program, name) : []),
  };
}
