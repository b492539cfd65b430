// SPDX-License-Identifier: GPL-2.0-only
import { isGeneric } from "../analysis/state.ts";
import { givesUp, isOneLock, lockHolding } from "../scenarios/obligation/lock-holding.ts";
import type { EffectProgram } from "../program/program.ts";
import type { ObligationKind } from "../scenarios/obligation/obligation.ts";
import { endsForCaller, keepsForCaller, saysNothing } from "../scenarios/obligation/for-caller.ts";
import { checkObligation } from "./obligation-check.ts";
import type { Candidate, Rule, Site } from "./rule.ts";

/** Names of functions that are left with what they took. */
const TAKES_FOR_CALLER = /(?:^|_)(?:try)?(?:lock|get|grab|hold|begin|start|acquire|enter|down)(?:_|$)/;

const MESSAGES = { leftOpen: "held", endedTwice: "twice", otherwise: "unheld" } as const;

/** A function takes locks more than once. */
const kinds = new WeakMap<EffectProgram, ObligationKind>();

function kindIn(program: EffectProgram): ObligationKind {
  const kind = kinds.get(program) ?? lockHolding(program);
  kinds.set(program, kind);
  return kind;
}

export const lockImbalance: Rule = {
  meta: {
    id: "lock-imbalance",
    title: "lock held after a failure, released twice, or released without being held",
    severity: "error",
    since: "2.6.12",
    until: null,
    why:
      "A way out that forgets to unlock leaves the lock held for good: the next one who wants it waits for ever. " +
      "Releasing a lock that is not held lets two into the section at once, or wakes nobody who should be woken.",
    messages: {
      held: "{function}() returns an error with {name} held: whoever takes it next waits for ever",
      twice: "{function}() releases {name} twice on one way: the second release lets others into a section that is not theirs, or corrupts the lock",
      unheld: "{function}() releases {name} on a way on which it did not get it",
    },
    offersEdits: true,
    scenarios: ["lock-imbalance"],
    sources: [
      { thread: "callees that drop mmap_lock", who: "mm/memory.c, mm/gup.c", date: "6.1.192", link: null },
    ],
  },
  effects: ["acquire", "lockEntryTable"],
  seesInlined: true,
  *check(site: Site): Iterable<Candidate> {
    const { program, effect, call, node } = site;
    // What a helper takes is its caller's to release where its name says so; whatever else it does, it is judged itself. A lock of a driver
    // is given up in more ways than show, by the release function of a count for one.
    if (call.inlined !== undefined && (!TAKES_FOR_CALLER.test(call.inlined) || !("lock" in effect) || isGeneric(effect.lock))) return;
    // Whoever only takes a lock takes it for its caller.
    if (TAKES_FOR_CALLER.test(program.name) || !givesUp(program, effect, call) || !isOneLock(program, effect, call)) return;
    const kind = kindIn(program);
    const role = kind.role(effect, call);
    // One that takes it on one way and gives it up on another is told by its caller which of the two to do.
    if (role?.does === "begin" && role.place !== null) {
      if (saysNothing(program) && endsForCaller(program, kind, role.place)) return;
      // One that waits for something with the lock given up takes it for its caller as well.
      if (keepsForCaller(program, kind, role.place, node)) return;
    }
    yield* checkObligation("lock-imbalance", MESSAGES, kind, site, undefined, { kindIn, begun: "taken" });
  },
};
