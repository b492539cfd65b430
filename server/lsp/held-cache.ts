// SPDX-License-Identifier: GPL-2.0-only
import type { TextDocuments } from "vscode-languageserver/node";
import type { TextDocument } from "vscode-languageserver-textdocument";
import type { HeldLines } from "../review/held.ts";
import type { ReviewOptions } from "../review/options.ts";
import type { ReviewInput } from "../review/review.ts";
import type { SettingsCache } from "./settings.ts";
import { clientText, kindOf, MAX_LENGTH } from "./text.ts";

export type HeldFunction = (input: ReviewInput, options: ReviewOptions) => HeldLines;

/** What holds at the lines of the open documents, for one version of each. */
export interface HeldCache {
  /** Null for a document that is too long, that is not open, or that cannot be read. */
  readonly of: (uri: string) => Promise<HeldLines | null>;
  readonly forget: (uri: string) => void;
}

export function createHeldCache(documents: TextDocuments<TextDocument>, settings: SettingsCache, held: HeldFunction | null, log: (message: string) => void): HeldCache {
  const known = new Map<string, { readonly document: TextDocument; readonly version: number; readonly options: ReviewOptions; readonly lines: HeldLines | null }>();

  function read(document: TextDocument, options: ReviewOptions): HeldLines | null {
    const text = clientText(document);
    if (held === null || text.length > MAX_LENGTH) return null;
    try {
      return guarded(held({ path: document.uri, text, kind: kindOf(document) }, options), (error) => log(`what is held in ${document.uri}: ${String(error)}`));
    } catch (error) {
      log(`what is held in ${document.uri}: ${String(error)}`);
      return null;
    }
  }

  return {
    async of(uri) {
      const options = await settings.of(uri);
      const document = documents.get(uri);
      if (document === undefined) return null;
      const before = known.get(uri);
      if (before?.document === document && before.version === document.version && before.options === options) return before.lines;
      const lines = read(document, options);
      known.set(uri, { document, version: document.version, options, lines });
      return lines;
    },
    forget: (uri) => void known.delete(uri),
  };
}

/** One function that cannot be followed costs its own lines, not the others. */
function guarded(lines: HeldLines, onError: (error: unknown) => void): HeldLines {
  const attempt = <T>(work: () => T): T | null => {
    try {
      return work();
    } catch (error) {
      onError(error);
      return null;
    }
  };
  return { at: (line) => attempt(() => lines.at(line)), summaryOf: (name) => attempt(() => lines.summaryOf(name)) };
}
