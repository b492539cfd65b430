// SPDX-License-Identifier: GPL-2.0-only
import type { MailMessage } from "../patch/model.ts";

/** A file as the patches before left it. */
export type EarlierFile =
  | { readonly kind: "text"; readonly lines: readonly string[]; readonly fitsWorkTree: boolean }
  /** What an earlier patch made of it is not known. */
  | { readonly kind: "lost" };

/** The files that earlier patches of one series, or of one document, have changed. */
export interface EarlierFiles {
  readonly files: Map<string, EarlierFile>;
  /** True where patches of the series come before this one that were not seen: no tree without them is what it applies to. */
  readonly isIncomplete: boolean;
  /** True where the numbers of the mails say that each patch stands on the one before. */
  readonly isSeries: boolean;
}

/** What patches made of files, for the patches that stand on them. Kept over the inputs of one run. */
export interface EarlierPatches {
  /** The files on which the patches of a message stand; to be asked in the order of the messages. `first`: the first mail of its series, where that is known. */
  before(message: MailMessage, first?: MailMessage): EarlierFiles;
  /** Another document begins: patches without numbers stand on nothing of the former one. */
  nextDocument(): void;
}

/** Series of which the mails may come mixed. */
const MOST_SERIES = 16;

interface SeriesState {
  readonly files: Map<string, EarlierFile>;
  last: number;
  /** Numbers seen without a gap, from 1 on. */
  complete: number;
}

export function earlierPatches(): EarlierPatches {
  const series = new Map<string, SeriesState>();
  let others = new Map<string, EarlierFile>();
  let last: { readonly message: MailMessage; readonly files: EarlierFiles } | null = null;
  const before = (message: MailMessage, first: MailMessage): EarlierFiles => {
    const { tag } = message;
    // What somebody answers with may stand on anything.
    if (message.kind !== "patch") return { files: new Map(), isIncomplete: false, isSeries: false };
    if (tag === null || tag.index === null || tag.total === null || tag.index < 1) return { files: others, isIncomplete: false, isSeries: false };
    const key = `${tag.version} ${tag.total} ${tag.isRfc} ${rootOf(first) ?? ""}`;
    const known = series.get(key);
    // The same number again is another series, or the same one from its start.
    const state = known !== undefined && known.last < tag.index ? known : { files: new Map<string, EarlierFile>(), last: 0, complete: 0 };
    series.delete(key);
    series.set(key, state);
    for (const oldest of series.keys()) if (series.size > MOST_SERIES) series.delete(oldest);
    if (state.complete === tag.index - 1) state.complete = tag.index;
    state.last = tag.index;
    return { files: state.files, isIncomplete: state.complete < tag.index, isSeries: true };
  };
  return {
    nextDocument: () => void (others = new Map()),
    before(message, first = message) {
      if (last?.message !== message) last = { message, files: before(message, first) };
      return last.files;
    },
  };
}

/** The mail that a series hangs on: its cover letter or its first patch; null where mails have no names. */
const rootOf = ({ references, inReplyTo, messageId }: MailMessage): string | null => references[0] ?? inReplyTo ?? messageId;
