// SPDX-License-Identifier: GPL-2.0-only
import { gupEra } from "../kernel/era.ts";
import type { Release } from "../kernel/release.ts";
import type { EffectProgram } from "../program/program.ts";
import { modelBuilder } from "../simulator/build.ts";
import { assign } from "../simulator/effect.ts";
import type { BuiltModel, Experiment } from "./experiment.ts";
import { privateMapping, store } from "./gup-era.ts";
import { askForReadAgain, askForWrite, dmaDevice, forceOnly, liftPinningDriver, pinObjects, withCallOf, withOnlyFlag, type PinFocus } from "./pinning-driver.ts";

/*
 * Memory that was never touched is pinned for reading: the pin gets the zero page. The first write of the process gets
 * it another page, and the device reads zeros for ever. A page of a private file mapping goes the same way. VFIO met it;
 * 84209e87c696 (6.2) ended it.
 */

/** The same for a mapping that the process may only read until it asks for more; `original`: the program as it is. */
export function forcedWriteFault(focus: PinFocus, original: EffectProgram): Experiment {
  const build = (program: EffectProgram, release: Release): BuiltModel | null => {
    const model = modelBuilder("forced-write-fault");
    const mapping = privateMapping(model, gupEra(release), "untouched");
    const writable = model.field("mapping", 0, { labels: { 0: "read-only", 1: "writable" } });
    const objects = { ...pinObjects(model, mapping, "untouched", true), writable };
    const lifted = liftPinningDriver(model, program, release, focus, objects);
    if (!lifted) return null;
    const process = model.thread("process A", "environment");
    process.step({ text: "mprotect(PROT_READ | PROT_WRITE)", effect: [assign(writable, 1)] });
    model.reach(process, process.step({ text: "writes to va for the first time", alternatives: store(mapping) }), "the process writes");
    dmaDevice(model, objects, "DMA reads the pinned page", "the device reads a page that the process no longer has");
    return { model: model.finish(), assumptions: lifted.assumptions };
  };
  return {
    name: "forced-write-fault",
    primary: ["permission-overridden"],
    secondary: ["lost-dma"],
    bounds: "environment {mprotect() and one write of the process, device}, private memory that was never touched, loops unbounded, SC",
    build,
    fix: (program) => ({ title: "FOLL_LONGTERM without FOLL_FORCE (and without FOLL_WRITE where the device only reads): from 6.2 on the page is unshared all the same", program: withOnlyFlag(program, focus.node, "FOLL_LONGTERM") }),
    mutate: (fixed) => withCallOf(fixed, focus.node, original),
    wrongFixes: [],
  };
}

export function zeroPagePin(focus: PinFocus): Experiment {
  const build = (program: EffectProgram, release: Release): BuiltModel | null => {
    const model = modelBuilder("zero-page-pin");
    const mapping = privateMapping(model, focus.era ?? gupEra(release), "untouched");
    const objects = pinObjects(model, mapping, "untouched", true);
    const lifted = liftPinningDriver(model, program, release, focus, objects);
    if (!lifted) return null;
    const process = model.thread("process A", "environment");
    model.reach(process, process.step({ text: "writes to va for the first time", alternatives: store(mapping) }), "the process writes");
    dmaDevice(model, objects, "DMA reads the pinned page", "the device reads the zero page for ever: what the process wrote is on another page");
    return { model: model.finish(), assumptions: lifted.assumptions };
  };
  return {
    name: "zero-page-pin",
    primary: ["lost-dma"],
    secondary: [],
    bounds: "environment {one write of the process, device}, private memory that was never touched (a private file page goes the same way), loops unbounded, SC",
    build,
    fix: (program) => ({ title: "FOLL_WRITE at the call: the pin gets a page of the process's own", program: askForWrite(program, focus.node) }),
    mutate: (fixed) => askForReadAgain(fixed, focus.node),
    wrongFixes: [{ title: "FOLL_FORCE without FOLL_WRITE", program: (program) => forceOnly(program, focus.node) }],
  };
}
