// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../kernel/release.ts";
import type { CallNode, EffectProgram } from "../program/program.ts";
import { prove, type Proof } from "../scenarios/prove.ts";
import { endAfterRefusal, refusedInvalidation } from "../scenarios/refused-invalidation.ts";
import { blockingStartFixes } from "./fix/blocking-start.ts";
import { mappedBefore } from "./mapped-before.ts";
import { isNotifierCore, OOM_REAPER } from "./oom-reaper.ts";
import { isResultTested } from "./result-tested.ts";
import type { Candidate, Rule } from "./rule.ts";
import { placeOf } from "./rule.ts";

export const notifierNonblockOutsideOom: Rule = {
  meta: {
    id: "notifier-nonblock-outside-oom",
    title: "Non-blocking MMU notifier start outside the OOM reaper",
    severity: "error",
    // The call exists since 4.19. Whoever calls it has it: the date of a patch is often years older than its last version.
    since: "2.6.27",
    until: null,
    why:
      "A non-blocking start lets any subscriber refuse with -EAGAIN; then the subscribers behind it are not called at all. " +
      "The OOM reaper can live with that, because all threads of its victim have been killed. " +
      "For a process that runs, mappings of KVM, IOMMU or device drivers stay behind and point to pages that moved or were freed.",
    messages: {
      dropped:
        "{function}() starts an invalidation that subscribers may refuse and drops the result: a secondary MMU keeps a mapping that the page table no longer has",
      outsideOom: "{function}() uses the non-blocking start, which is for the OOM reaper only: any subscriber may refuse it with -EAGAIN",
    },
    offersEdits: true,
    scenarios: ["refused-invalidation"],
    sources: [
      {
        thread: "Re: [PATCH 2/3] userfaultfd: UFFDIO_REMAP uABI",
        who: "Jann Horn",
        date: "2023-09-15",
        link: "CAJuCfpF3Hz9p6zQotM0aMG3WLT=FtYCu31jpFbU_VqE6BAP8NA@mail.gmail.com",
      },
    ],
  },
  effects: ["notifierStart"],
  *check({ unit, program, call, effect, target }): Iterable<Candidate> {
    if (effect.kind !== "notifierStart" || effect.blocking || program.name === OOM_REAPER) return;
    if (program.name === call.name || isNotifierCore(program) || !isOwn(program, call)) return;
    const dropped = !isResultTested(program, call);
    yield {
      ruleId: this.meta.id,
      messageId: dropped ? "dropped" : "outsideOom",
      data: { function: program.name },
      place: placeOf(program, call),
      related: mappedBefore(program, call),
      prove: (maxStates) => worstProof([program, ...withHelper(unit.programs, program, call)], target.release, maxStates),
      asked: (code) => {
        const programs = [program, ...withHelper(unit.programs, program, call)].map((one) => code.program(one));
        return programs.every((one) => one !== null) ? EXPERIMENTS.flatMap((experiment) => programs.map((one) => ({ experiment, program: one }))) : null;
      },
      fixes: () => blockingStartFixes(program, call),
    };
  },
};

/** False for a call that stands in the text of a helper: it is reported there. */
const isOwn = (program: EffectProgram, call: CallNode): boolean => call.at >= program.start && call.at < program.end;

/** Functions that have the call in the place of a call of their helper: what the helper starts, they go on with. */
const withHelper = (programs: readonly EffectProgram[], helper: EffectProgram, call: CallNode): EffectProgram[] =>
  programs.filter(
    (program) =>
      program !== helper && program.image === helper.image && program.nodes.some((node) => node.kind === "call" && node.at === call.at && node.name === call.name),
  );

const EXPERIMENTS = [refusedInvalidation, endAfterRefusal];

/** The first program that fails; where none does, what exploring the first one showed. */
function worstProof(programs: readonly EffectProgram[], release: Release, maxStates: number): Proof | null {
  const proofs: Proof[] = [];
  for (const experiment of EXPERIMENTS)
    for (const program of programs) {
      const proof = prove(experiment, program, release, maxStates);
      if (proof.verdict === "fail") return proof;
      proofs.push(proof);
    }
  return proofs.find(({ verdict }) => verdict !== "not-lifted") ?? proofs[0] ?? null;
}
