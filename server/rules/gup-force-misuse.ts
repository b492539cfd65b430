// SPDX-License-Identifier: GPL-2.0-only
import { bitOf } from "../analysis/truth.ts";
import { ERAS, gupEra } from "../kernel/era.ts";
import { atLeast } from "../kernel/release.ts";
import type { EffectProgram, NodeId } from "../program/program.ts";
import type { Experiment } from "../scenarios/experiment.ts";
import type { PinFocus } from "../scenarios/pinning-driver.ts";
import { isProved, prove, type Proof } from "../scenarios/prove.ts";
import { forcedWriteFault, zeroPagePin } from "../scenarios/zero-page-pin.ts";
import { forcedForWriting, unforcedFixes } from "./fix/force-flag.ts";
import { flagLines, linesOf } from "./other-lines.ts";
import { askedOfCall } from "./pages-asked.ts";
import type { Candidate, Fix, Rule, Site } from "./rule.ts";
import { isAffordable, placeOf } from "./rule.ts";
import { isStored } from "./stored-pins.ts";

const MAX_STATES = 100_000;

export const gupForceMisuse: Rule = {
  meta: {
    id: "gup-force-misuse",
    title: "FOLL_FORCE for pages of a device",
    severity: "error",
    since: "5.6",
    until: null,
    why:
      "FOLL_FORCE overrides the permissions of the mapping: it is for debuggers. Alone it overrides the permission to read and breaks no COW. " +
      "With FOLL_WRITE it was the way to a reliable read-only pin before 6.2; from then on FOLL_LONGTERM does that, and the forced write fault marks pages written that nobody wrote.",
    messages: {
      write: "{function}() pins with FOLL_FORCE | FOLL_WRITE for a device: from 6.2 on FOLL_LONGTERM is enough for one that reads, and the forced fault writes to mappings that may be read-only",
      forced: "{function}() pins with FOLL_FORCE: from 6.2 on only debuggers override the permissions of a mapping, and a device that reads needs {reading}",
      read: "{function}() pins with FOLL_FORCE and without FOLL_WRITE: that overrides VM_READ and breaks no COW, so that the device keeps a page which the process leaves with its next write",
      readOnce: "{function}() pins with FOLL_FORCE and without FOLL_WRITE: that overrides VM_READ and breaks no COW, and a device that reads needs neither",
    },
    offersEdits: true,
    scenarios: ["forced-write-fault", "zero-page-pin"],
    sources: [{ thread: "Re: [PATCH 1/4] mm: Trial do_wp_page() simplification", who: "Jason Gunthorpe", date: "2020-09-15", link: null }],
  },
  effects: ["gup"],
  *check(site: Site): Iterable<Candidate> {
    const { fn, call, node, effect, target, states } = site;
    const { program } = fn;
    if (effect.kind !== "gup" || effect.reference !== "pin" || effect.flags === null || !isAffordable(site)) return;
    const { flags } = effect;
    const forced = states.filter(({ state }) => bitOf(state, flags, "FOLL_FORCE") === "yes");
    const has = (bit: string, value: "yes" | "no"): boolean => forced.some(({ state }) => bitOf(state, flags, bit) === value);
    const isLong = has("FOLL_LONGTERM", "yes");
    const isKept = isLong || isStored(program, effect);
    if (forced.length === 0) return;
    const isNew = atLeast(target.release, "6.2");
    const experiment = (of: "write" | "read", device: PinFocus["device"], at: NodeId, there: EffectProgram): Experiment =>
      of === "write" ? forcedWriteFault({ node: at, device }, there) : zeroPagePin({ node: at, device });
    const run = (of: "write" | "read", device: PinFocus["device"]): Proof => prove(experiment(of, device, node, program), program, target.release, MAX_STATES);
    const asked = (of: "write" | "read") => askedOfCall(site, ...(isLong ? (["return", "pin"] as const) : (["return"] as const)).map((device) => (at: NodeId, there: EffectProgram) => experiment(of, device, at, there)));
    const proved = (of: "write" | "read"): Proof | null => {
      const returned = run(of, "return");
      if (isProved(returned) || !isLong) return isProved(returned) ? returned : null;
      const meanwhile = run(of, "pin");
      return isProved(meanwhile) ? meanwhile : null;
    };
    const common = { ruleId: this.meta.id, data: { function: program.name }, place: placeOf(program, call), related: linesOf("FOLL_FORCE is set here", program, flagLines(program, flags, "FOLL_FORCE")) };
    if (isNew) {
      const proof = isLong && has("FOLL_WRITE", "yes") ? proved("write") : null;
      const fixes = (): readonly Fix[] => unforcedFixes(program, call, effect);
      // FORCE-BAD is a rule about the flag: a schedule shows what the write fault of a long-term pin does, and nothing of the others.
      yield proof ? { ...common, messageId: "write", prove: () => proof, asked: asked("write"), fixes } : { ...common, messageId: "forced", data: { ...common.data, reading: isKept ? "FOLL_LONGTERM alone" : "no flag" }, prove: null, fixes };
      return;
    }
    if (!has("FOLL_WRITE", "no") || ERAS[gupEra(target.release)].readOnlyGup === "forced-write") return;
    const proof = isKept ? proved("read") : null;
    if (proof) yield { ...common, messageId: "read", severity: "warning", prove: () => proof, asked: asked("read"), fixes: () => forcedForWriting(program, call, effect) };
    else if (!isKept) yield { ...common, messageId: "readOnce", severity: "warning", prove: null, fixes: () => unforcedFixes(program, call, effect) };
  },
};
