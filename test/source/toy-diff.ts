// SPDX-License-Identifier: GPL-2.0-only
import type { PatchDocument } from "../../server/patch/model.ts";
import { readPatches } from "../../server/patch/read.ts";
import { earlierPatches, type EarlierPatches } from "../../server/source/earlier-patches.ts";
import { preImagesOf, type PreImage } from "../../server/source/pre-image.ts";
import type { TreeAtHand } from "../../server/source/tree-at-hand.ts";

/** A line of an edit: kept, added or deleted. */
export type Edit = readonly [" " | "+" | "-", string];

export const oldOf = (edits: readonly Edit[]): string[] => edits.flatMap(([sign, text]) => (sign === "+" ? [] : [text]));
export const newOf = (edits: readonly Edit[]): string[] => edits.flatMap(([sign, text]) => (sign === "-" ? [] : [text]));

/** The hunks of an edit with so many lines of context, as `diff -u` writes them. */
export function hunksOf(edits: readonly Edit[], context = 3): string {
  const near = edits.map((_, at) => edits.slice(Math.max(0, at - context), at + context + 1).some(([sign]) => sign !== " "));
  let text = "";
  let [oldLine, newLine] = [0, 0];
  for (let at = 0; at < edits.length; ) {
    let end = at;
    while (near[end]) end++;
    const body = edits.slice(at, end);
    const [old, later] = [oldOf(body).length, newOf(body).length];
    if (body.length > 0) text += `@@ -${old === 0 ? oldLine : oldLine + 1},${old} +${later === 0 ? newLine : newLine + 1},${later} @@\n${body.map(([sign, line]) => `${sign}${line}\n`).join("")}`;
    const step = Math.max(1, body.length);
    oldLine += oldOf(edits.slice(at, at + step)).length;
    newLine += newOf(edits.slice(at, at + step)).length;
    at += step;
  }
  return text;
}

export const diffOf = (hunks: string, path = "mm/toy.c", index = ""): string => `diff --git a/${path} b/${path}\n${index}--- a/${path}\n+++ b/${path}\n${hunks}`;

interface ToyTree {
  readonly files?: Readonly<Record<string, string>>;
  readonly blobs?: Readonly<Record<string, string>>;
}

export const toyTree = ({ files = {}, blobs = {} }: ToyTree): TreeAtHand => ({
  release: "6.1",
  blob: (name) => (blobs[name] === undefined ? null : { text: blobs[name] }),
  file: (path) => (files[path] === undefined ? null : { text: files[path] }),
  releaseOf: () => null,
});

/** The pre-images of all patches of a document, in order. */
export function preImages(text: string, tree: ToyTree, earlier: EarlierPatches = earlierPatches()): readonly PreImage[] {
  const document: PatchDocument = readPatches(text);
  const at = toyTree(tree);
  return document.messages.flatMap((message) => message.patches.flatMap((patch) => preImagesOf(text, patch, at, earlier.before(message))));
}

export const mail = (subject: string, diff: string): string =>
  `From 52423cda1442c76c60e7e42e44830a1a739688b1 Mon Sep 17 00:00:00 2001\nFrom: Example Developer <dev@example.org>\nDate: Mon, 16 Jan 2023 10:20:00 +0000\nSubject: ${subject}\n\nText.\n\n---\n${diff}-- \n2.39.5\n\n`;
