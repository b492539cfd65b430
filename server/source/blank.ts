// SPDX-License-Identifier: GPL-2.0-only

/** C text whose comments, strings and preprocessor lines are blanks of the same length. */
export interface Blanked {
  readonly code: string;
  /** True where the text begins inside a comment. */
  readonly opensComment: boolean;
  /** True where it ends inside one. */
  readonly leavesComment: boolean;
}

const TOKEN = /\/\*|\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|^[ \t]*#(?:[^\n\\]|\\[\s\S])*/gm;

const blank = (text: string): string => text.replace(/[^\n]/g, " ");

/** Blanks everything in which a brace does not count. Linear in the text. */
export function blankComments(text: string): Blanked {
  const pieces: string[] = [];
  let from = 0;
  let opensComment = false;
  let comment = -1;
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
    const token = match[0];
    const end = match.index + token.length;
    if (token === "/*") {
      if (comment < 0) {
        pieces.push(text.slice(from, match.index));
        comment = match.index;
      }
    } else if (token === "*/") {
      if (comment >= 0) pieces.push(blank(text.slice(comment, end)));
      else {
        // The start of this comment is not visible: everything before belongs to it.
        opensComment = true;
        pieces.length = 0;
        pieces.push(blank(text.slice(0, end)));
      }
      comment = -1;
      from = end;
    } else if (comment < 0) {
      pieces.push(text.slice(from, match.index), blank(token));
      from = end;
    } else {
      // A quote or a // inside a comment says nothing: look for the comment's end right behind its first character.
      TOKEN.lastIndex = match.index + 1;
      const close = text.indexOf("*/", match.index);
      TOKEN.lastIndex = close < 0 ? text.length : close;
    }
  }
  pieces.push(comment >= 0 ? blank(text.slice(comment)) : text.slice(from));
  return { code: pieces.join(""), opensComment, leavesComment: comment >= 0 };
}
