// SPDX-License-Identifier: GPL-2.0-only

const commentOrDirective = /^(?:\/\*|\*|\/\/|#\s*(?:define|include|if|ifdef|ifndef|elif|else|endif|undef|pragma|error)\b)/;
const keyword =
  /^(?:static|struct|union|enum|unsigned|signed|int|long|short|char|void|bool|const|extern|inline|typedef|volatile|return|goto|if|else|for|while|do|switch|case|default|break|continue|[su]\d\d?|__\w+|\w+_t)\b/;
const codeSign = /[;{}]$|^[{}]|\w\(|->|[=!<>]=|[&|+*/-]=|&&|\|\||^\w+:$|\w\[|\s=\s|\\$|[(,]$|\);?$/;
const plainWords = /(?:^|\s)(?:[A-Za-z][a-z']*[,.]?\s+){3}[A-Za-z][a-z']*/;
const token = /[;{}()[\]]|->|&&|\|\||[=!<>]=|\s=\s|^\t|\b(?:return|goto|struct|static|if)\b/g;

/** True where a line reads as a sentence: four plain words in a row, and none of the shapes that only code has. */
export const looksLikeProse = (text: string): boolean => {
  const line = text.trim();
  return plainWords.test(line) && !commentOrDirective.test(line) && !keyword.test(line) && !/[;{}\\]$|->/.test(line);
};

/** True where a line reads as C (or as a comment or directive of C). Blank lines do not. */
export const looksLikeCode = (text: string): boolean => {
  const line = text.trim();
  if (line === "" || line.length > 2000) return false;
  if (commentOrDirective.test(line)) return true;
  return !looksLikeProse(line) && (codeSign.test(line) || keyword.test(line));
};

/** Number of signs of C in a line: brackets, semicolons, operators, an indentation by tab, a few keywords. */
export const codeTokens = (text: string): number => (text.length > 2000 ? 0 : (text.match(token)?.length ?? 0));
