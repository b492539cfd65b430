// SPDX-License-Identifier: GPL-2.0-only
import { unitOf, type Unit } from "../analysis/unit.ts";
import { frameFor } from "../kernel/frames.ts";
import { namesWithEffect } from "../kernel/facts.ts";
import type { Release } from "../kernel/release.ts";
import type { Target } from "../kernel/target.ts";
import type { FileDiff, Patch } from "../patch/model.ts";
import { RULES } from "../rules/registry.ts";
import type { Subject } from "../rules/rule.ts";
import { imageOfDiff, imageOfFile, type Image } from "../source/image.ts";

/** Calls that some rule asks about: text without any of them needs no parsing. */
export const TRIGGER_NAMES: ReadonlySet<string> = new Set(RULES.flatMap((rule) => rule.effects.flatMap((kind) => [...namesWithEffect(kind)])));

const TRIGGERS = new RegExp(`\\b(?:${[...TRIGGER_NAMES].join("|")})\\b`);

const isC = (file: FileDiff): boolean => {
  const path = file.newPath ?? file.oldPath;
  return path === null || /\.[ch]$/.test(path);
};

/** One side of the C files that a patch touches. */
export const imagesOf = (document: string, patch: Patch, side: "old" | "new", release: Release): Image[] =>
  patch.files.filter(isC).map((file) => imageOfDiff(document, file, side, (name) => frameFor(name, release))).filter((image) => image.text !== "");

/** Both sides of a patch, lowered; null where nothing in it concerns a rule. */
export function subjectOf(document: string, patch: Patch, target: Target): Subject | null {
  const files = patch.files.filter(isC);
  const unit = (side: "old" | "new"): Unit => unitOf(imagesOf(document, patch, side, target.release), target.release);
  const text = files.flatMap((file) => file.hunks.flatMap((hunk) => hunk.lines.map((line) => line.text))).join("\n");
  return TRIGGERS.test(text) ? { target, unit: unit("new"), old: unit("old") } : null;
}

/** True where a text has a call that some rule asks about. */
export const concernsRules = (text: string): boolean => TRIGGERS.test(text);

/** A C file as it stands. */
export const subjectOfFile = (path: string, text: string, target: Target): Subject | null =>
  TRIGGERS.test(text) ? { target, unit: unitOf([imageOfFile(path, text)], target.release), old: null } : null;
