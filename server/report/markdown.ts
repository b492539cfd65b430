// SPDX-License-Identifier: GPL-2.0-only
import { visibleLine } from "./visible.ts";

/**
 * Text that may come from a patch as markdown without markup: no emphasis, HTML, image, link, automatic link or
 * `command:` link stays active, and nothing starts a block. Only what could be active is escaped, since some editors
 * show the source.
 */
export const plainMarkdown = (text: string): string =>
  visibleLine(text)
    .replace(/[\\`*[\]~]|<(?=[A-Za-z/!?])/g, "\\$&")
    .replace(/(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, "\\_")
    .replace(/&(?=#?\w+;)/g, "\\&")
    .replace(/@/g, "\\@")
    .replace(/:(?=\/\/)/g, "\\:")
    .replace(/\b(mailto|xmpp|command|javascript|data|file|vscode):/gi, "$1\\:")
    .replace(/\b(www)\./gi, "$1\\.")
    .replace(/^[#>+=|-]/, "\\$&")
    .replace(/^(\d+)([.)])/, "$1\\$2");

const longestRun = (text: string): number => Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));

/** A fenced block of plain text that no line inside can close. Lines must be free of line ends. */
export function fencedText(lines: readonly string[]): string {
  const fence = "`".repeat(Math.max(3, longestRun(lines.join("\n")) + 1));
  return [`${fence}text`, ...lines, fence].join("\n");
}

/** A link, only for an https address without characters that could end it early; else the text alone. */
export const markdownLink = (text: string, address: string | null): string =>
  address !== null && /^https:\/\/[\w.~%/?#@=&+,;:!-]+$/.test(address)
    ? `[${plainMarkdown(text)}](${address})`
    : plainMarkdown(text);
