// SPDX-License-Identifier: GPL-2.0-only
import type { Release as KernelRelease } from "../../kernel/release.ts";
import type { CallNode, EffectProgram } from "../../program/program.ts";
import { modelBuilder, type ModelBuilder } from "../../simulator/build.ts";
import { assign } from "../../simulator/effect.ts";
import { and, eq, ne, type Field } from "../../simulator/expression.ts";
import type { BuiltModel, Experiment } from "../experiment.ts";
import { lift } from "../lift.ts";
import { insertBefore, synthetic, without } from "../rewrite.ts";
import type { LiftedStep, Lifting } from "../world.ts";
import { MEANT, type PagesFocus } from "./experiment.ts";
import { withHandings } from "./handed.ts";
import { userPages } from "./names.ts";
import { pageData, withStores, type DataUse } from "./page-data.ts";
import { pageFields, pagesWorld, releaseOf, someTaken, type PageFields } from "./world.ts";

/*
 * Pages that were written and are given back clean. Taking them for writing dirtied them once; writeback cleaned them since,
 * and what is written after that is in no copy but this one, which reclaim drops. Documentation/core-api/pin_user_pages.rst;
 * mm/gup.c:661-664 (6.1.192): dirty at the time of the pin.
 */

interface DataFields {
  readonly dirty: Field;
  /** 1: the page has data that the file has not. */
  readonly unsaved: Field;
  /** 1: taken with FOLL_WRITE. */
  readonly forWriting: Field;
  /** 1: a device may write. */
  readonly device: Field;
  /** 1: given back by the call that is looked at. */
  readonly givenBack: Field;
}

const dataFields = (model: ModelBuilder): DataFields => ({
  dirty: model.field("PG_dirty", 0, { labels: { 0: "clean", 1: "dirty" } }),
  unsaved: model.field("data of the page", 0, { labels: { 0: "on disk", 1: "only in memory" } }),
  forWriting: model.field("taken for writing", 0, { hidden: true }),
  device: model.field("mapped for the device", 0, { hidden: true }),
  givenBack: model.field("given back here", 0, { hidden: true }),
});

const ADDED = "set_page_dirty_lock() of each page";
const isAdded = (call: CallNode): boolean => call.at < 0 && call.name === ADDED;

function build(focus: PagesFocus & { readonly release: CallNode }, program: EffectProgram, kernel: KernelRelease): BuiltModel | null {
  const found = userPages(program, focus.node);
  if (!found) return null;
  const model = modelBuilder("written-page-given-back-clean");
  const fields = pageFields(model);
  const data = dataFields(model);
  const marked = withStores(withHandings(program, found), found);
  const { useOf } = pageData(marked, found);
  const lifted = lift(model, marked, kernel, () =>
    pagesWorld({
      program: marked, found, fields, meant: MEANT, release: null,
      more: {
        sees: (effect, call) => isAdded(call) || useOf(effect, call) !== null,
        reads: () => [],
        readsFlags: (effect) => (effect.kind === "gup" && effect.flags ? [{ word: effect.flags, bit: "FOLL_WRITE" }] : []),
        refine: (effect, call, lifting) => useStep(isAdded(call) ? "marks-dirty" : useOf(effect, call), call, lifting, data),
        onTake: (gup, lifting) => {
          const write = gup.flags && lifting.flag(gup.flags, "FOLL_WRITE");
          return write ? [assign(data.forWriting, write), assign(data.dirty, write)] : [];
        },
        onRelease: (call) => (call.at === focus.release.at ? [assign(data.givenBack, 1)] : []),
      },
    }),
  );
  for (const step of lifted.stepsOf.get(focus.node) ?? []) model.reach(lifted.thread, step, "the pinning call");
  addWriteback(model, data);
  addReclaim(model, fields, data);
  return { model: model.finish(), assumptions: lifted.assumptions };
}

function useStep(use: DataUse | null, call: CallNode, lifting: Lifting, { dirty, unsaved, forWriting, device }: DataFields): LiftedStep[] {
  switch (use) {
    case "writes":
      return [{ alternatives: [{ guard: eq(forWriting, 1), effect: [assign(unsaved, 1), ...lifting.set(call.result, 0)], note: "writes the page" }, { guard: eq(forWriting, 0), effect: lifting.set(call.result, 0) }], ...(call.at < 0 ? { text: "stores to the page" } : {}) }];
    case "device-on": {
      const access = call.effects.find((effect) => effect.kind === "deviceAccess");
      const [worked, failed] = access?.failure === "nonzero" ? [0, 1] : [1, 0];
      const ways = [{ effect: [assign(device, 1), ...lifting.set(call.result, worked)], note: "the device may write" }];
      return [{ alternatives: access?.failure ? [...ways, { effect: lifting.set(call.result, failed), note: "fails" }] : ways }];
    }
    case "device-off":
      return [{ alternatives: [{ effect: [assign(device, 0)] }], hidden: true }];
    case "waits":
      return [{
        alternatives: [
          { guard: and(eq(device, 1), eq(forWriting, 1)), effect: [assign(unsaved, 1), ...lifting.set(call.result, 1)], note: "the device has written the page" },
          { guard: eq(device, 0), effect: lifting.set(call.result, 1) },
          { effect: lifting.set(call.result, 0), note: "woken without" },
        ],
      }];
    case "marks-dirty":
      return [{ alternatives: [{ effect: [assign(dirty, 1), ...lifting.set(call.result, 1)] }] }];
    default:
      return [];
  }
}

/** Cleans a page that is pinned as any other. */
function addWriteback(model: ModelBuilder, { dirty, unsaved }: DataFields): void {
  const thread = model.thread("writeback", "daemon");
  thread.step({ text: "writes the dirty page out: it is clean now", guard: eq(dirty, 1), effect: [assign(dirty, 0), assign(unsaved, 0)] });
}

function addReclaim(model: ModelBuilder, fields: PageFields, { dirty, unsaved, givenBack }: DataFields): void {
  const thread = model.thread("reclaim", "daemon");
  thread.step({
    text: "the page is clean and nobody uses it: drops it",
    guard: and(eq(givenBack, 1), eq(someTaken(fields), 0), eq(fields.lost, 0), eq(dirty, 0)),
    checks: [{ holds: ne(unsaved, 1), property: "lost-data", message: "the page is dropped as clean: what was written to it is lost" }],
  });
}

/** A release of pages that were written and are not marked dirty. */
export function writtenPageGivenBackClean(focus: PagesFocus & { readonly release: CallNode }): Experiment {
  const isRelease = (one: EffectProgram["nodes"][number]): boolean => one.kind === "call" && one.at === focus.release.at && one.effects.some(releaseOf);
  const mark = { ...synthetic("", { kind: "maySleep" }), name: ADDED, shown: ADDED };
  return {
    name: "written-page-given-back-clean",
    primary: ["lost-data"],
    secondary: [],
    bounds: "environment {writeback once, reclaim}, a page of a shared file mapping, two pages where the text asks for n, loops unbounded, SC",
    build: (program, kernel) => build(focus, program, kernel),
    fix: (program) => ({ title: `${ADDED} before ${focus.release.name}()`, program: insertBefore(program, (one) => (isRelease(one) ? [mark] : [])) }),
    mutate: (fixed) => without(fixed, (one) => one.kind === "call" && isAdded(one)),
    wrongFixes: [],
  };
}
