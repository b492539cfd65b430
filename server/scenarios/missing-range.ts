// SPDX-License-Identifier: GPL-2.0-only
import type { Value } from "../program/code.ts";
import type { BoundEffect, CallNode, EffectProgram, ProgramNode } from "../program/program.ts";
import type { Experiment } from "./experiment.ts";
import { buildInvalidation } from "./invalidation.ts";
import { DEVICE, KVM_GUEST, type Mirror } from "./mirror.ts";
import { insertAtEnd, insertAtStart, synthetic, without } from "./rewrite.ts";

/*
 * An entry is removed or write-protected, and nobody with a second mapping of its page is told: there is no invalidation, it does not cover the
 * entry, or the entry is removed before its start or after its end, when a fault may have mapped the page again.
 */

const RANGE: Value = { kind: "name", name: "$range", at: -1 };
const START = synthetic("mmu_notifier_invalidate_range_start(&range)", { kind: "notifierStart", range: RANGE, blocking: true });
const END = synthetic("mmu_notifier_invalidate_range_end(&range)", { kind: "notifierEnd", range: RANGE });

const isNotifier = (effect: BoundEffect): boolean => effect.kind === "notifierStart" || effect.kind === "notifierEnd";
const isOfNotifier = (node: ProgramNode): node is CallNode => node.kind === "call" && node.effects.some(isNotifier);

/** What the function's own invalidations are for the entry. */
export interface Coverage {
  /** True where the start and end of a range tell those who have the entry mapped. */
  covers(range: string): boolean;
  /** A guest; a guest that writes, of an entry that is write-protected; a device that only reads; the device that the entry belongs to. */
  readonly mirror: "guest" | "writer" | "reader" | "owner";
}

/** A driver that has mapped the page for reading only and heeds what an event says that it need not look at. */
const READER: Mirror = { ...DEVICE, stores: "the device reads through its mapping" };

/** Explores what becomes of a second mapping of the page that `entry` maps. */
export function missingRange(entry: string, { covers, mirror }: Coverage): Experiment {
  const seen = { guest: KVM_GUEST, writer: KVM_GUEST, reader: READER, owner: DEVICE }[mirror];
  const isAboutWriting = mirror === "writer";
  const first = mirror === "owner" ? { holds: "device-entry", unfollowed: "page" } as const : { unfollowed: "kept" } as const;
  return {
    name: "invalidation-missing",
    primary: ["stale-secondary-mapping"],
    secondary: ["notifier-imbalance"],
    bounds: `environment {${seen.thread} that has the page mapped}, loops unbounded, SC`,
    build: (program, release) =>
      buildInvalidation(program, release, { scenario: "invalidation-missing", entry, mirror: seen, ...first, isAboutWriting, covers: (range) => range === "$range" || covers(range) }),
    fix: (program: EffectProgram) => ({
      title: "an invalidation of the entry from before it is mapped until after it is unmapped",
      program: insertAtStart(insertAtEnd(without(program, isOfNotifier), [END]), [START]),
    }),
    mutate: (fixed) => without(fixed, (node) => isOfNotifier(node) && node.at < 0),
    wrongFixes: [],
  };
}
