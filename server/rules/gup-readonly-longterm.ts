// SPDX-License-Identifier: GPL-2.0-only
import type { Bit, State } from "../analysis/state.ts";
import { bitOf, truthOf } from "../analysis/truth.ts";
import { statesAt } from "../analysis/unit.ts";
import { ERAS, gupEra, mayForceWrite } from "../kernel/era.ts";
import { formatRelease } from "../kernel/release.ts";
import type { NodeId } from "../program/program.ts";
import type { Experiment } from "../scenarios/experiment.ts";
import type { Gup } from "../scenarios/pinned-pages.ts";
import type { PinFocus } from "../scenarios/pinning-driver.ts";
import { isProved, prove, type Proof } from "../scenarios/prove.ts";
import { readOnlyPinLost } from "../scenarios/read-only-pin-lost.ts";
import { zeroPagePin } from "../scenarios/zero-page-pin.ts";
import { writePinFixes } from "./fix/write-pin.ts";
import type { Candidate, Rule, Site } from "./rule.ts";
import { isAffordable, placeOf } from "./rule.ts";
import { flagLines, linesOf } from "./other-lines.ts";
import { callerFollowsChanges, followsChanges, isStored, storesOf, usesNotifier } from "./stored-pins.ts";

/** States that deciding about a pin without FOLL_LONGTERM may cost: drivers need a few hundred. */
const SMALL = 100_000;

export const gupReadonlyLongterm: Rule = {
  meta: {
    id: "gup-readonly-longterm",
    title: "Read-only long-term pin without FOLL_WRITE",
    severity: "error",
    since: "4.15",
    until: "6.2",
    why:
      "A pin without FOLL_WRITE takes the page as it is mapped. " +
      "If that page is shared copy-on-write, is the zero page or belongs to a private file mapping, the next write gives the process another page, and the device keeps the old one. " +
      "From 5.19 on anonymous pages are unshared first, from 6.2 on every page of a private mapping is.",
    messages: {
      longterm: "{function}() takes a long-term pin without FOLL_WRITE{path}: when the process writes next it gets another page, and the device keeps the old one",
      stored: "{function}() pins without FOLL_WRITE{path} and keeps the pages: when the process writes next it gets another page, and the device keeps the old one",
      backported: "{function}() {how} without FOLL_WRITE{path}: where the next write goes to another page, the device keeps the old one; does the target have the forced COW break that {release}.y got (17839856fd58)?",
      zeroPage: "{function}() {how} without FOLL_WRITE{path}: before 6.2 that may be the zero page or a private file page, which the process leaves with its next write",
    },
    offersEdits: true,
    scenarios: ["read-only-pin-lost", "zero-page-pin"],
    sources: [
      { thread: "Re: [PATCH 1/4] mm: Trial do_wp_page() simplification", who: "Jason Gunthorpe", date: "2020-09-15", link: null },
      { thread: "Re: [PATCH 1/4] mm: Trial do_wp_page() simplification", who: "Peter Xu", date: "2020-09-15", link: null },
    ],
  },
  effects: ["gup"],
  readsOfFile: (text) => String(usesNotifier(text)),
  *check(site: Site): Iterable<Candidate> {
    const { fn, call, node, effect, target, states } = site;
    if (effect.kind !== "gup" || followsChanges(fn.program)) return;
    const era = gupEra(target.release);
    const { readOnlyGup, anonReuse } = ERAS[era];
    // 5.8 and its backports break COW for every read-only reference.
    if (readOnlyGup === "forced-write") return;
    const unshares = readOnlyGup === "unshare-pin";
    const isDoubtful = mayForceWrite(target.release);
    // FOLL_LONGTERM without FOLL_PIN is refused by then.
    if (unshares && effect.reference === "get") return;
    const readOnlyOf = (all: Site["states"]): Site["states"] =>
      all.filter(({ context, state }) => writeBit(state, effect) === "no" && !isOfShared(state) && !isForced(state, effect) && !callerFollowsChanges(context));
    const readOnly = readOnlyOf(states);
    const longterm = readOnly.some(({ state }) => effect.impliesLongterm || (effect.flags !== null && bitOf(state, effect.flags, "FOLL_LONGTERM") === "yes"));
    const experiment = (device: PinFocus["device"], at: NodeId): Experiment =>
      unshares ? zeroPagePin({ node: at, device }) : readOnlyPinLost({ node: at, device, child: anonReuse === "mapcount" ? "alive" : "exited" });
    const run = (device: PinFocus["device"], maxStates: number): Proof => prove(experiment(device, node), fn.program, target.release, maxStates);
    if (readOnly.length === 0 || isSafeInTree(site, readOnlyOf)) return;
    if (!longterm && !(isAffordable(site) && isStored(fn.program, effect) && run("return", SMALL).verdict === "fail")) return;
    const writeLines = readOnly.length < states.length ? linesOf("FOLL_WRITE depends on this", fn.program, flagLines(fn.program, effect.flags, "FOLL_WRITE")) : [];
    yield {
      ruleId: this.meta.id,
      messageId: unshares ? "zeroPage" : isDoubtful ? "backported" : longterm ? "longterm" : "stored",
      data: { function: fn.program.name, path: readOnly.length < states.length ? " on some path" : "", how: longterm ? "takes a long-term pin" : "keeps a pin", release: formatRelease(target.release) },
      place: placeOf(fn.program, call),
      related: [...writeLines, ...(longterm ? [] : linesOf("kept here", fn.program, storesOf(fn.program, effect).filter(({ at }) => at > call.at)))],
      severity: unshares || isDoubtful ? "warning" : "error",
      ...(isDoubtful ? { asks: true } : {}),
      prove: isAffordable(site) ? (maxStates) => tell(run("return", maxStates), longterm ? () => run("pin", maxStates) : null) : null,
      ...(isAffordable(site) ? {
        asked: (code) => {
          const [program, at] = [code.program(fn.program), code.node(fn.program, node)];
          const devices = longterm ? (["return", "pin"] as const) : (["return"] as const);
          return program === null || at === null ? null : devices.map((device) => ({ experiment: experiment(device, at), program }));
        },
      } satisfies Partial<Candidate> : {}),
      fixes: () => writePinFixes(fn.program, call, effect, target.release),
    };
  },
};

/** True where a whole tree is at hand, and no way into the function there has the pin taken so. */
function isSafeInTree({ unit, fn, node }: Site, readOnlyOf: (all: Site["states"]) => Site["states"]): boolean {
  const followed = unit.follow?.(fn.program, (context) =>
    context.interpretation.complete && readOnlyOf(statesAt({ program: fn.program, contexts: [context], complete: true }, node)).length === 0 ? "safe" : "open");
  return followed !== undefined && !followed.hasOpen && followed.decided.length > 0;
}

/**
 * A device that works with the page once the function has returned makes the better story. Where the function gives the
 * page back, or where its end rests on what an unknown callee returns, a long-term pin is lost in between all the same.
 */
function tell(returned: Proof, meanwhile: (() => Proof) | null): Proof {
  if (isProved(returned) || !meanwhile) return returned;
  const other = meanwhile();
  return isProved(other) || returned.verdict !== "fail" ? other : returned;
}

/** A write to a shared mapping copies nothing: on this path a test of the VMA has let only those through. */
const isOfShared = (state: State): boolean =>
  [...state.truths].some(([key, truth]) => (truth ? IS_SHARED.test(key) : /\bis_cow_mapping\(/.test(key)));

const IS_SHARED = /^[\w.>-]*\bvm_flags & (?:VM_SHARED|VM_MAYSHARE)$/;

/** Pins with FOLL_FORCE are what another rule is about. */
const isForced = (state: State, { flags, reference }: Gup): boolean => reference === "pin" && flags !== null && bitOf(state, flags, "FOLL_FORCE") === "yes";

export function writeBit(state: State, { flags, write }: Gup): Bit {
  if (flags) return bitOf(state, flags, "FOLL_WRITE");
  const truth = write && truthOf(state, write);
  return truth === null ? "maybe" : truth ? "yes" : "no";
}
