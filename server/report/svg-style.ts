// SPDX-License-Identifier: GPL-2.0-only

/** Colors of one scheme. Text on its background reaches a contrast of 4.5 to 1. */
interface Scheme {
  readonly page: string;
  readonly ink: string;
  readonly quiet: string;
  readonly rail: string;
  readonly box: string;
  readonly edge: string;
  readonly lock: string;
  readonly lockInk: string;
  readonly atomic: string;
  readonly atomicInk: string;
  readonly bad: string;
  readonly badFill: string;
  readonly wait: string;
  readonly waitFill: string;
  readonly good: string;
  readonly goodFill: string;
}

const LIGHT: Scheme = {
  page: "#ffffff", ink: "#1f2328", quiet: "#59636e", rail: "#d1d9e0", box: "#f6f8fa", edge: "#c3ccd6",
  lock: "#b6d4f5", lockInk: "#0b3d73", atomic: "#f3ecfb", atomicInk: "#6a3fa6",
  bad: "#c1121f", badFill: "#ffe9e9", wait: "#8a5a00", waitFill: "#fff3d6", good: "#1a7f37", goodFill: "#e6f6ea",
};

const DARK: Scheme = {
  page: "#0d1117", ink: "#e6edf3", quiet: "#9198a1", rail: "#30363d", box: "#161b22", edge: "#3d444d",
  lock: "#1f4470", lockInk: "#cfe4ff", atomic: "#211b33", atomicInk: "#c3a6f5",
  bad: "#ff7b72", badFill: "#3b1618", wait: "#e3b341", waitFill: "#33280d", good: "#56d364", goodFill: "#12301b",
};

const rules = (of: Scheme): string => [
  `.page{fill:${of.page}}`,
  `.ink{fill:${of.ink}}.quiet{fill:${of.quiet}}.rail{stroke:${of.rail}}.hop{stroke:${of.quiet}}`,
  `.box{fill:${of.box};stroke:${of.edge}}.head{fill:${of.page};stroke:${of.edge}}`,
  `.lock{fill:${of.lock}}.lock-ink{fill:${of.lockInk}}`,
  `.atomic{fill:${of.atomic}}.atomic-ink{fill:${of.atomicInk}}`,
  `.bad{fill:${of.badFill};stroke:${of.bad}}.bad-ink{fill:${of.bad}}.bad-line{stroke:${of.bad}}`,
  `.blocked{fill:${of.waitFill};stroke:${of.wait}}.blocked-ink{fill:${of.wait}}.blocked-line{stroke:${of.wait}}`,
  `.added{fill:${of.goodFill};stroke:${of.good}}.added-line{stroke:${of.good}}`,
  `.well{fill:${of.goodFill};stroke:${of.good}}.well-ink{fill:${of.good}}`,
].join("");

/** Every rule starts with the id of its picture: pictures that stand in one page keep to themselves. */
const scoped = (css: string, id: string): string => css.replace(/(^|[{}])\./g, (match, before: string) => (before === "{" ? match : `${before}#${id} .`));

const SHAPES =
  '.text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace;white-space:pre}' +
  ".small{font-size:10.5px}.strong{font-weight:600}.title{font-size:14px}" +
  ".rail{stroke-width:1;stroke-dasharray:2 4}.hop{fill:none;stroke-width:1.25}.sign{fill:none;stroke-width:2;stroke-linecap:round}" +
  ".awaited{stroke-width:2}.blocked{stroke-dasharray:5 3}";

/** The style sheet of a picture: light, and dark where the reader's system is. */
export const styleOf = (id: string): string =>
  `${scoped(SHAPES + rules(LIGHT), id)}@media (prefers-color-scheme:dark){${scoped(rules(DARK), id)}}`;
