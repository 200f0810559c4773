/** What the library writes of a command, without what says nothing and as few lines as that leaves. */
export const helpText = (text: string, path: ReadonlyArray<string>): string =>
  text
    .split("\n")
    .filter((line) => !EMPTY.test(line))
    .join("\n")
    .replace(/\n{2,}/g, "\n\n")
    .replace(/^percept\n\npercept [^\n]*\n\n/, "")
    .replace(/^\$ (?:\S+)/gm, (usage) => (usage === "$ percept" ? usage : `$ percept ${path.join(" ")}`))
    .replace(
      /^(-\S.*|<.*>|\(-.*\))\n\n +(\S.*)$\n/gm,
      (_, name: string, about: string) => `  ${name.padEnd(WIDTH)}  ${about}`
    )
    .trim()

/** The library's script knows the commands of a command by other names than it asks for, and no files. */
export const bashCompletions = (script: string): string =>
  script
    .replace(
      /^( +)percept,(\w+),(\w+)\)$/gm,
      (_, space: string, group: string, name: string) =>
        `${space}percept__${group},${name.replaceAll("__", "-")})`
    )
    .replace(/^complete -F .*$/m, "complete -F _percept_bash_completions -o bashdefault -o default percept")
    .trimEnd()

/** The same of every option. */
const EMPTY = /^\s*(A user-defined piece of text\.|A true or false value\.|This setting is optional\.)$/

const WIDTH = 20
