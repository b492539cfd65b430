// SPDX-License-Identifier: GPL-2.0-only
import type { State } from "../analysis/state.ts";
import { bitOf, truthOf } from "../analysis/truth.ts";
import { invalidFor, type InvalidArguments } from "../kernel/gup-flags.ts";
import { functionText } from "../program/statements.ts";
import type { BoundEffect } from "../program/program.ts";
import { argumentsAt, calleeAt, replaced } from "./fix/statement-edits.ts";
import { flagLines, linesOf } from "./other-lines.ts";
import type { Candidate, Fix, Rule, Site } from "./rule.ts";
import { placeOf } from "./rule.ts";

type Gup = BoundEffect & { readonly kind: "gup" };

export const gupFlagsInvalid: Rule = {
  meta: {
    id: "gup-flags-invalid",
    title: "flags or arguments that GUP refuses",
    severity: "error",
    since: "2.6.27",
    until: null,
    why:
      "GUP checks its arguments before it looks at any page: flags that exclude each other or belong to mm/ alone, and an array that is missing. " +
      "What it refuses, it refuses always: the call warns and returns -EINVAL, whatever is mapped.",
    messages: {
      flags: "{function}() hands {flags} to {call}(): {outcome}",
      pages: "{function}() hands {call}() no array for the pages{with}: {outcome}",
    },
    offersEdits: true,
    scenarios: [],
    sources: [
      { thread: "is_valid_gup_flags()", who: "mm/gup.c:2171-2188", date: "6.1.192", link: null },
      { thread: "is_valid_gup_args()", who: "commit d64e2dbc33a1", date: "6.3", link: null },
    ],
  },
  effects: ["gup"],
  *check(site: Site): Iterable<Candidate> {
    const { program, call, effect, target } = site;
    if (effect.kind !== "gup" || effect.flags === null) return;
    const invalid = invalidFor(effect, target.release);
    if (invalid.length === 0) return;
    // One thing that is refused is enough.
    const found = invalid.find((one) => site.states.some(({ state }) => isGiven(state, effect, one)));
    if (!found) return;
    const flags = found.flags.join(" | ");
    yield {
      ruleId: this.meta.id,
      messageId: found.and === "no-pages" ? "pages" : "flags",
      data: { function: program.name, call: call.name, flags, with: flags === "" ? "" : ` and ${flags}`, outcome: found.outcome },
      place: placeOf(program, call),
      related: found.flags.flatMap((flag) => linesOf(`${flag} is set here`, program, flagLines(program, effect.flags, flag))),
      prove: null,
      fixes: () => (found.isSurplus ? withoutFlagFixes(site, effect, flags) : []),
    };
  },
};

/** True where the call gets all of it for certain. */
function isGiven(state: State, { flags, pages, locked }: Gup, { flags: asked, and }: InvalidArguments): boolean {
  if (flags === null || !asked.every((flag) => bitOf(state, flags, flag) === "yes")) return false;
  if (and === "no-pages") return pages !== null && truthOf(state, pages) === false;
  return and === "locked" ? locked !== undefined && truthOf(state, locked) === true : true;
}

/** The same call without a flag that its word names. */
function withoutFlagFixes({ program, call }: Site, { flags }: Gup, flag: string): readonly Fix[] {
  const fn = functionText(program);
  const index = flags ? call.args.indexOf(flags) : -1;
  const word = fn && argumentsAt(fn, calleeAt(fn, call))?.args[index];
  const text = word ? fn.text.slice(word.at, word.end) : "";
  const without = text === flag ? "0" : text.replace(new RegExp(`\\b${flag}\\s*\\|\\s*|\\s*\\|\\s*${flag}\\b`), "");
  return word && without !== text ? [{ title: `${call.name}() without ${flag}`, edits: [replaced(word.at, word.end, without)] }] : [];
}
