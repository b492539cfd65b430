// SPDX-License-Identifier: GPL-2.0-only
import type { Release } from "../kernel/release.ts";
import { documentPlace } from "../program/place.ts";
import type { CallNode, EffectProgram } from "../program/program.ts";
import { prove, type Proof } from "../scenarios/prove.ts";
import { endAfterRefusal, refusedInvalidation } from "../scenarios/refused-invalidation.ts";
import { blockingStartFixes } from "./fix/blocking-start.ts";
import { isResultTested } from "./result-tested.ts";
import type { Candidate, Rule } from "./rule.ts";
import { placeOf } from "./rule.ts";

/** The one function that the API was made for: mm/oom_kill.c, 93065ac753e4. */
export const OOM_REAPER = "__oom_reap_task_mm";

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
    if (isDefinition(program, call) || !isOwn(program, call)) return;
    const dropped = !isResultTested(program, call);
    yield {
      ruleId: this.meta.id,
      messageId: dropped ? "dropped" : "outsideOom",
      data: { function: program.name },
      place: placeOf(program, call),
      related: mapsBefore(program, call),
      prove: (maxStates) => worstProof([program, ...withHelper(unit.programs, program, call)], target.release, maxStates),
      asked: (code) => {
        const programs = [program, ...withHelper(unit.programs, program, call)].map((one) => code.program(one));
        return programs.every((one) => one !== null) ? EXPERIMENTS.flatMap((experiment) => programs.map((one) => ({ experiment, program: one }))) : null;
      },
      fixes: () => blockingStartFixes(program, call),
    };
  },
};

/** The wrapper itself, in the header that defines it. */
const isDefinition = (program: EffectProgram, call: CallNode): boolean => program.name === call.name || program.name.startsWith("mmu_notifier_");

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

/** Where the entries of the range were mapped: what a blocking start has to come before. */
function mapsBefore(program: EffectProgram, call: CallNode): Candidate["related"] {
  return program.nodes.flatMap((node) => {
    if (node.kind !== "call" || !node.effects.some((effect) => effect.kind === "mapPte")) return [];
    const [map, start] = [documentPlace(program.image, node.at), documentPlace(program.image, call.at)];
    // Places that only the tree shows have no line to compare.
    const isBefore = map && start ? map.line < start.line : program.image.missing !== undefined && node.at < call.at;
    return isBefore ? [{ message: `${node.result ?? "pte"} mapped here`, place: placeOf(program, node) }] : [];
  }).toSorted((a, b) => a.place.at - b.place.at);
}
