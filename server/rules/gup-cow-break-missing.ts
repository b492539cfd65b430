// SPDX-License-Identifier: GPL-2.0-only
import { atLeast } from "../kernel/release.ts";
import type { Value } from "../program/code.ts";
import { extent } from "../program/extent.ts";
import { cowBreaksEitherWay } from "../scenarios/cow-breaks-either-way.ts";
import { dirtyCow, endlessFault, sharedDirty } from "../scenarios/follow-write.ts";
import type { Experiment } from "../scenarios/experiment.ts";
import { prove } from "../scenarios/prove.ts";
import { dropOf, writeDropped } from "../scenarios/write-dropped.ts";
import { proved, provedCandidate } from "./proved-only.ts";
import { accepts, cowMechanismOf, forces, helperIn, type CowMechanism, type Helper, type SlowPath } from "./gup-cow-mechanism.ts";
import { followFixes, predicateFixes } from "./fix/cow-break.ts";
import { walkerCandidates } from "./gup-unshare-check.ts";
import { linesOf } from "./other-lines.ts";
import type { At, Candidate, ObligationCheck, Rule, Site, Subject } from "./rule.ts";
import { opposite } from "../program/truth-table.ts";

const ID = "gup-cow-break-missing";

/** One obligation as judged on a side: where it stands, and the candidate where it is broken. */
interface Verdict {
  readonly check: ObligationCheck;
  readonly candidates: readonly Candidate[];
}

export const gupCowBreakMissing: Rule = {
  meta: {
    id: ID,
    title: "Read-only GUP that can return a page of the other side of a COW mapping",
    severity: "error",
    since: "4.4",
    until: null,
    why:
      "After fork() a page is shared until someone writes, and the writer may keep the page while the other side gets the copy. " +
      "A reference taken for reading then points to a page that now belongs to the other process. " +
      "Up to 5.8 GUP must force the break with FOLL_WRITE and accept what that fault made; from 5.19 a FOLL_PIN grab must unshare first.",
    messages: {
      predicate: "{function}() does not ask for a COW break for every {request} reference in a COW mapping: a read-only reference can end up on the page of the other process",
      tooBroad: "{function}() also asks for a COW break where nothing needs one ({why}): write faults for plain reads, which uffd-wp and DAX mappings notice",
      force: "{function}() still wants FOLL_FORCE: a read-only reference to a page of a PROT_READ mapping faults for ever, because the forced fault leaves the entry read-only",
      dirty: "{function}() accepts a read-only entry without asking whether it is dirty: it may be a page that this call did not make (Dirty COW)",
      cow: "{function}() accepts a dirty read-only entry without FOLL_COW: one that fork() write-protected is dirty too, and the other process reads its page",
      dropped: "{function}() takes FOLL_WRITE out of the flags once a fault has broken COW: if the copy is unmapped before the next lookup, that one accepts the page of the file (Dirty COW)",
      walker: "{function}() takes a read-only FOLL_PIN reference to a page that may be shared without asking gup_must_unshare(): the next write of the owner goes to a copy, and the pin keeps the old page",
    },
    offersEdits: true,
    scenarios: ["cow-breaks-either-way", "dirty-cow", "shared-dirty-page", "write-dropped", "endless-fault", "walker-without-unshare"],
    sources: [
      { thread: "Re: [PATCH 1/1] gup: document and work around \"COW can break either way\" issue", who: "John Hubbard", date: "2021-10-13", link: null },
      { thread: "gup: document and work around \"COW can break either way\" issue", who: "Linus Torvalds", date: "2020-06-02", link: "17839856fd588f4ab6b789f482ed3ffd7c403e1f" },
    ],
  },
  effects: ["gupFollow", "grabPage", "handlesFault"],
  *check(site: Site): Iterable<Candidate> {
    if (site.effect.kind === "handlesFault") yield* writeDrops(site);
    else yield* walkerCandidates(site);
  },
  checkSubject(subject: Subject) {
    // From 5.9 on another mechanism replaces this one (a308c71bf1e6).
    const mechanism = atLeast(subject.target.release, "5.9") ? null : cowMechanismOf(subject.unit);
    if (!mechanism) return { candidates: [], obligations: [] };
    const verdicts = [judgeForce(subject, mechanism), judgeForceFlag(subject, mechanism), judgeDirty(subject, mechanism)];
    return { candidates: verdicts.flatMap((one) => one.candidates), obligations: verdicts.map((one) => one.check) };
  },
};

/** COW-6, before FOLL_COW: the bit that says what the caller wants is used to say what was done. */
function* writeDrops(site: Site): Iterable<Candidate> {
  const { program } = site;
  const drop = dropOf(program);
  const experiment = drop && writeDropped(drop, site.target.release);
  if (!experiment || !proved(experiment, site)) return;
  yield {
    ...provedCandidate(site, ID, "dropped", { function: program.name }, experiment, { program, at: drop.assign.at, end: drop.assign.end }),
    related: linesOf("the fault that broke COW", program, [site.call]),
  };
}

const placeOfValue = (helper: Helper, value: Value): At => ({ program: helper.program, at: extent(value).at, end: Math.max(extent(value).end, extent(value).at + 1) });

/** The answer that all parts of an obligation give together: one broken part breaks it, one open part leaves it open. */
const statusOf = (parts: readonly (boolean | null)[]): ObligationCheck["status"] =>
  parts.includes(false) ? "broken" : parts.includes(null) ? "undecided" : "holds";

/** COW-1: the predicate is true for every reference in a COW mapping, and only there. */
function judgeForce(subject: Subject, { force, slow }: CowMechanism): Verdict {
  const requests: ("FOLL_GET" | "FOLL_PIN")[] = atLeast(subject.target.release, "5.6") ? ["FOLL_GET", "FOLL_PIN"] : ["FOLL_GET"];
  const asked = requests.map((request) => forces(force, true, [request]));
  const elsewhere = [forces(force, false, ["FOLL_GET"]), forces(force, true, [])];
  const missing = requests.find((_, index) => asked[index] === false);
  const broad = elsewhere[0] === true ? "mappings that are not COW" : elsewhere[1] === true ? "calls that take no reference" : "";
  const place = placeOfValue(force, force.value);
  const check: ObligationCheck = {
    id: "COW-1",
    ruleId: ID,
    status: statusOf([...asked, ...elsewhere.map(opposite)]),
    message: `the predicate asks for is_cow_mapping() and ${requests.join(" or ")}`,
    places: [place],
  };
  if (check.status !== "broken") return { check, candidates: [] };
  const experiments = missing ? (["normal", "hugetlb"] as const).map((path) => cowBreaksEitherWay(path, missing)) : [];
  return {
    check,
    candidates: [
      {
        ruleId: ID,
        messageId: missing ? "predicate" : "tooBroad",
        data: { function: force.code.name, request: missing ?? "", why: broad },
        place,
        related: forcedLines(slow),
        origin: missing ? "incomplete-fix" : "introduced",
        prove: slow && missing ? (max) => firstFailing(experiments, slow.program, subject, max) : null,
        ...(slow && missing ? { asked: (code) => mapProgram(code.program(slow.program), experiments) } satisfies Partial<Candidate> : {}),
        fixes: () => predicateFixes(force, subject.target.release),
      },
    ],
  };
}

/** Where the slow path forces, as far as the patch shows it. */
const forcedLines = (slow: SlowPath | null): Candidate["related"] => (slow ? linesOf("FOLL_WRITE is forced here", slow.program, slow.forcings.map(({ assign }) => assign)) : []);

const mapProgram = (program: Helper["program"] | null, experiments: readonly Experiment[]): ReturnType<NonNullable<Candidate["asked"]>> =>
  program && experiments.map((experiment) => ({ experiment, program }));

const firstFailing = (experiments: readonly Experiment[], program: Helper["program"], subject: Subject, max: number) => {
  const proofs = experiments.map((experiment) => prove(experiment, program, subject.target.release, max));
  return proofs.find((proof) => proof.verdict === "fail") ?? proofs[0] ?? null;
};

const OTHERS = ["FOLL_WRITE", "FOLL_GET"];

/** COW-5: what the forced fault made is accepted without FOLL_FORCE. */
const judgeForceFlag = (subject: Subject, mechanism: CowMechanism): Verdict =>
  judgeFollow(subject, mechanism, {
    id: "COW-5",
    message: "an entry that this call made writable by COW is accepted without FOLL_FORCE",
    parts: (helper) => [{ messageId: "force", holds: accepts(helper, false, true, ["FOLL_COW", ...OTHERS]), experiment: endlessFault }],
  });

/** COW-6: read-only, only an entry that is dirty is accepted, and only after a COW cycle of this call. */
const judgeDirty = (subject: Subject, mechanism: CowMechanism): Verdict =>
  judgeFollow(subject, mechanism, {
    id: "COW-6",
    message: "a read-only entry is accepted only after COW and when it is dirty",
    parts: (helper) => [
      { messageId: "dirty", holds: opposite(accepts(helper, false, false, ["FOLL_COW", "FOLL_FORCE", ...OTHERS])), experiment: dirtyCow },
      { messageId: "cow", holds: opposite(accepts(helper, false, true, ["FOLL_FORCE", ...OTHERS])), experiment: sharedDirty },
    ],
  });

interface FollowObligation {
  readonly id: string;
  readonly message: string;
  /** What must be true of each predicate; where it is not, the message and what shows it. */
  readonly parts: (helper: Helper) => readonly FollowPart[];
}

interface FollowPart {
  readonly messageId: string;
  readonly holds: boolean | null;
  readonly experiment: (value: Value) => Experiment;
}

function judgeFollow(subject: Subject, { follow, slow }: CowMechanism, { id, message, parts }: FollowObligation): Verdict {
  const broken = follow.flatMap((helper) => {
    const part = parts(helper).find((one) => one.holds === false);
    return part ? [{ helper, ...part }] : [];
  });
  const status = follow.length === 0 ? "not-visible" : statusOf(follow.flatMap((helper) => parts(helper).map((one) => one.holds)));
  return {
    check: { id, ruleId: ID, status, message, places: follow.map((helper) => placeOfValue(helper, helper.value)) },
    candidates: broken.map(({ helper, messageId, experiment }) => ({
      ruleId: ID,
      messageId,
      data: { function: helper.code.name },
      place: placeOfValue(helper, helper.value),
      related: messageId === "force" ? forcedLines(slow) : [],
      origin: "introduced",
      prove: (max) => prove(experiment(helper.value), helper.program, subject.target.release, max),
      asked: (code) => {
        const [program, there] = [code.program(helper.program), helperIn(code.unit, helper.code.name)];
        return program && there && [{ experiment: experiment(there.value), program }];
      },
      fixes: () => followFixes(helper),
    })),
  };
}
