// SPDX-License-Identifier: GPL-2.0-only
import type { TextDocuments } from "vscode-languageserver/node";
import type { TextDocument } from "vscode-languageserver-textdocument";
import type { PatchDocument } from "../patch/model.ts";
import { readPatches } from "../patch/read.ts";
import { clientText, kindOf, MAX_LENGTH } from "./text.ts";

/** What the reader makes of the open documents, read once for each version. */
export interface ReadingCache {
  /** Null for a document that is no patch or mail, that is too long, or that is not open. */
  readonly of: (uri: string) => PatchDocument | null;
  readonly forget: (uri: string) => void;
}

const isShown = ({ patches, messages }: PatchDocument): boolean =>
  patches.length > 0 || messages.some((message) => message.kind === "cover");

export function createReadingCache(documents: TextDocuments<TextDocument>): ReadingCache {
  const known = new Map<string, { readonly document: TextDocument; readonly version: number; readonly reading: PatchDocument | null }>();

  function read(document: TextDocument): PatchDocument | null {
    const text = clientText(document);
    if (kindOf(document) === "c" || text.length > MAX_LENGTH) return null;
    const reading = readPatches(text);
    return isShown(reading) ? reading : null;
  }

  function newest(uri: string): PatchDocument | null {
    const document = documents.get(uri);
    if (document === undefined) return null;
    const before = known.get(uri);
    if (before?.document === document && before.version === document.version) return before.reading;
    const reading = read(document);
    known.set(uri, { document, version: document.version, reading });
    return reading;
  }

  return { of: newest, forget: (uri) => void known.delete(uri) };
}
