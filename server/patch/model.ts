// SPDX-License-Identifier: GPL-2.0-only
import type { SubjectTag } from "../mail/subject-tag.ts";
import type { Problem } from "../text/problem.ts";

/** How a line of a hunk takes part in the two sides of the diff. */
export type LineKind = "context" | "added" | "deleted";

/** One line of code inside a hunk or a quoted fragment, tied to the three places where it lives. */
export interface PatchLine {
  readonly kind: LineKind;
  /** The code, without quote marks and without the diff marker; no-break spaces are blanks. */
  readonly text: string;
  /** 1-based line of the document the user sees that holds the first character. */
  readonly line: number;
  /** UTF-16 offset in the document of the first character of `text`. */
  readonly start: number;
  /**
   * Where the line was decoded or put together again: the offset in the document of each UTF-16 unit of `text`, and one more
   * for its end. Null where the text stands in the document as it is, so that `start + i` is the place of `text[i]`.
   */
  readonly places: Int32Array | null;
  /** 1-based line in the new file; null where it cannot be known (no header, or after a loss of unknown size). */
  readonly newLine: number | null;
  /** 1-based line in the old file; null where it cannot be known. */
  readonly oldLine: number | null;
  /**
   * `exact`; `shifted`: newLine/oldLine may be too small by at most `Hunk.lostContext` lines (blank context lost in an archive);
   * `uncertain`: the line may not belong to the hunk at all (prose after the last hunk of archive text).
   */
  readonly certainty: "exact" | "shifted" | "uncertain";
}

/** A hunk, or a fragment of a quoted patch that has no `@@` header. */
export interface Hunk {
  /** The `@@` header as written; null for a quoted fragment without one. */
  readonly header: {
    readonly oldStart: number;
    readonly oldCount: number;
    readonly newStart: number;
    readonly newCount: number;
  } | null;
  /** The text after the second `@@`: a hint at the enclosing (or the previous) function; "" where absent. */
  readonly section: string;
  /** Document line of the header, or of the first line of the fragment. */
  readonly line: number;
  readonly lines: readonly PatchLine[];
  /** Number of blank context lines that an archive dropped from this hunk. */
  readonly lostContext: number;
  /** True where a gap of unknown size precedes (`[...]`, snipped quote). */
  readonly afterGap: boolean;
  /** True in the diff of a merge, which leaves out what the merge took from one parent as it was. */
  readonly ofMerge?: true;
}

/** The part of a patch that changes one file. */
export interface FileDiff {
  /** Path without `a/`/`b/`, or null where unknown (quoted fragment) or where the side does not exist (`/dev/null`). */
  readonly oldPath: string | null;
  readonly newPath: string | null;
  /** Abbreviated blob names of the `index` line, or null. */
  readonly index: { readonly old: string; readonly new: string } | null;
  readonly change: "modified" | "created" | "deleted" | "renamed" | "unknown";
  readonly hunks: readonly Hunk[];
  /** Document line of `diff --git` (or `---`), or of the first line of a fragment. */
  readonly line: number;
}

/** A remark that a reviewer wrote between quoted lines. */
export interface Remark {
  readonly line: number;
  readonly endLine: number;
  readonly text: string;
  /** Document line of the diff line above the remark, or null. */
  readonly anchor: number | null;
}

/** A line of mail body or commit message: everything that is not the diff. */
export interface ProseLine {
  readonly line: number;
  readonly text: string;
}

/** One patch: a mail, one mail of an mbox, or a bare diff. */
export interface Patch {
  /** `mail`: mail headers seen; `diff`: bare diff; `quoted`: rebuilt from quotes of a review; `archive`: white space was stripped. */
  readonly form: "mail" | "diff" | "quoted" | "archive";
  readonly messageId: string | null;
  /** Subject, unfolded; null where absent. */
  readonly subject: string | null;
  readonly from: string | null;
  /** The Date header as written. */
  readonly date: string | null;
  /** Commit id from a `From <sha1> Mon Sep 17 00:00:00 2001` line or `commit <sha1>`, or null. */
  readonly commit: string | null;
  /** True where indentation and runs of blanks are gone, so that columns say nothing. */
  readonly whitespaceLost: boolean;
  readonly prose: readonly ProseLine[];
  readonly files: readonly FileDiff[];
  readonly remarks: readonly Remark[];
  /** First and last document line, 1-based, inclusive. */
  readonly startLine: number;
  readonly endLine: number;
}

/** What a patch or a series is based on, as git writes it below a diff or a cover letter. */
export interface Base {
  readonly commit: string | null;
  /** Patch ids of the patches that must come before. */
  readonly prerequisites: readonly string[];
}

/** One mail of a document, or the whole document where it is none. */
export interface MailMessage {
  /**
   * `patch`: brings a diff of its own; `cover`: the 0/M of a series; `reply`: answers another mail, with or without quoted
   * or own code; `text`: anything else.
   */
  readonly kind: "patch" | "cover" | "reply" | "text";
  readonly messageId: string | null;
  readonly inReplyTo: string | null;
  readonly references: readonly string[];
  readonly subject: string | null;
  readonly from: string | null;
  /** Who wrote the patch: a `From:` line that opens the body, else the sender. */
  readonly author: string | null;
  readonly date: string | null;
  readonly commit: string | null;
  readonly tag: SubjectTag | null;
  readonly base: Base;
  readonly patches: readonly Patch[];
  /** First and last document line, 1-based, inclusive; separator and header are part of it. */
  readonly startLine: number;
  readonly endLine: number;
  /** Document line of the first line of the body. */
  readonly bodyLine: number;
}

/** What the reader made of a document. */
export interface PatchDocument {
  readonly text: string;
  /** In document order. */
  readonly messages: readonly MailMessage[];
  /** The patches of all messages. */
  readonly patches: readonly Patch[];
  readonly problems: readonly Problem[];
}
