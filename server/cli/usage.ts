// SPDX-License-Identifier: GPL-2.0-only

export const USAGE = `\
usage: patchwalk <command> [options]

  lint [FILE|DIR|-]...    lint patches, mails, mailboxes, maildirs and C files;
                          standard input with - or no argument
  scan TREE [PATH]...     analyze the C files of a kernel tree with their
                          callers; PATH defaults to mm, fs/userfaultfd.c,
                          fs/hugetlbfs, fs/proc/task_mmu.c, virt/kvm
  index TREE [PATH]...    build or refresh what is kept about a tree
  rules                   list the rules
  explain RULE            show what a rule is about
  simulate [SCENARIO]     explore a known race; without a name list them
  lsp --stdio             run the language server

Options of lint:
  --tree DIR              kernel work tree or Git repository: shows the code
                          around the hunks, and decides the release
  --fixes                 show edits that were applied, linted again and
                          explored; each costs another review
  --fix-diff              print proved fixes as a diff, not a report
  --fix                   write FILE.fixed with proved fixes
  --fix-inplace           write them to FILE

Options of lint and scan:
  --release R             target release, such as 6.1 or mainline
  --arch A                target architecture, such as x86_64 or arm64
  --config KEY=y,...      kernel configuration of the target
  --format F              text (default), json, jsonl
  --output FILE           write the report to FILE
  --fail-on T             exit with 1 from this tier on: proved, contract
                          (default), pattern, never
  --min-tier T            report from this tier on: proved, contract (default),
                          pattern
  --types A,B             only these rules, as MM_TYPE or rule-id
  --ignore A,B            all rules but these
  --rule ID=LEVEL,...     severity of a rule: info, warning, error, or off
  --config-file FILE      this configuration, not the nearest .patchwalk.json
                          above each input (for standard input, above the
                          current folder)
  --no-config-file        no configuration
  --baseline FILE         report what is not in FILE
  --update-baseline       write what is found to that FILE and report nothing
  --show-suppressed       also what a configuration or a mail says is none
  --show-refuted          also what is no finding: candidates that provably
                          cannot get into the bad state, and defects that a
                          patch mends
  --no-simulate           no exploration; findings end at tier contract
  --color[=WHEN]          auto (default), always, never; auto honors NO_COLOR
  -q                      findings only: no notes, no checklists, no summary
  --no-summary            no last line
  --timings               say how long it took

Options of scan and index:
  --cache DIR             keep results in DIR, not in the user's cache folder
  --no-cache              keep nothing
  --jobs N                threads of scan; default: one for each processor, up
                          to four

Options of simulate:
  --finding F FILE        not a scenario: what is behind the finding with this
                          fingerprint (see lint --format json) in a file
  --tree DIR              with --finding: as for lint
  --variant V             a variant, or buggy, or fixed; default: all
  --release R, --era E, --arch A
                          where it plays; eras are those of GUP, E0 to E7
  --assume-held LOCK      what if callers hold it: NAME, NAME (read) or
                          NAME (write); an unknown name lists the locks
  --max-states N          give up after this many states
  --export F              one variant as promela, itf, mermaid or svg
  --step                  step through it, forwards and backwards
  --format F              text (default), json

  rules takes --format text or json.
  --help, --version

Exit status: 0 clean, 1 findings, 2 usage error or unreadable input,
3 internal error, 130 interrupted.
`;
