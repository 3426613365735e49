/** What can follow a command: the words are fastlane's own, so none needs quotes. */
export interface Level {
  /** `["hosts", "drain"]`; the program itself has none. */
  path: readonly string[];
  commands: readonly { word: string; about: string }[];
  flags: readonly {
    words: readonly string[];
    about: string;
    takesValue: boolean;
    choices: readonly string[];
    isFile: boolean;
  }[];
  /** Of its argument. */
  choices: readonly string[];
}

export function bashScript(levels: readonly Level[]): string {
  const offers = levels.map(
    (level) => `    ${caseOf(level)}) words="${wordsOf(level).join(" ")}" ;;`,
  );
  const values = valuesOf(levels).map(
    ({ at, choices }) =>
      `    ${at}) ${choices === null ? "return" : `words="${choices.join(" ")}"`} ;;`,
  );
  return `# Completion of fastlane in bash: source <(fastlane completion bash)
_fastlane() {
  local at= word words= cur=\${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$at/$word" in
    ${pathsOf(levels).join(" | ")}) at=$at/$word ;;
    esac
  done
  case "$at" in
${offers.join("\n")}
  esac
  case "$at \${COMP_WORDS[COMP_CWORD-1]}" in
${values.join("\n")}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -o default -F _fastlane fastlane
`;
}

export function zshScript(levels: readonly Level[]): string {
  const offers = levels.map((level) => {
    const described = [
      ...level.commands.map(({ word, about }) => [word, about] as const),
      ...level.choices.map((choice) => [choice, ""] as const),
      ...level.flags.flatMap(({ words, about }) => words.map((word) => [word, about] as const)),
    ];
    const items = described.map(([word, about]) =>
      quoted(about === "" ? word : `${word}:${about}`),
    );
    return `    ${caseOf(level)}) found=(${items.join(" ")}) ;;`;
  });
  const values = valuesOf(levels).map(
    ({ at, choices }) =>
      `    ${at}) ${choices === null ? "_files; return" : `found=(${choices.join(" ")})`} ;;`,
  );
  return `#compdef fastlane
# Completion of fastlane in zsh: source <(fastlane completion zsh), behind compinit
_fastlane() {
  local at= word
  local -a found
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$at/$word" in
    ${pathsOf(levels).join(" | ")}) at=$at/$word ;;
    esac
  done
  case "$at" in
${offers.join("\n")}
  esac
  case "$at \${words[CURRENT-1]}" in
${values.join("\n")}
  esac
  _describe -V fastlane found || _files
}
if [ "\${funcstack[1]}" = _fastlane ]; then _fastlane "$@"; else compdef _fastlane fastlane; fi
`;
}

export function fishScript(levels: readonly Level[]): string {
  const lines = levels.flatMap(({ path, commands, flags, choices }) => {
    const below = commands.map(({ word }) => word).join(" ");
    const seen = path.map((word) => `__fish_seen_subcommand_from ${word}`);
    const here = below === "" ? seen : [...seen, `not __fish_seen_subcommand_from ${below}`];
    const when = here.length === 0 ? "" : ` -n ${quoted(here.join("; and "))}`;
    return [
      ...commands.map(({ word, about }) => `${when} -f -a ${word} -d ${quoted(about)}`),
      ...choices.map((choice) => `${when} -f -a ${choice}`),
      ...flags.map(({ words, about, takesValue, choices: values, isFile }) => {
        const names = words.map((word) => word.replace(/^--/, "-l ").replace(/^-(?=\w$)/, "-s "));
        const value =
          takesValue && !isFile
            ? ` -x${values.length > 0 ? ` -a ${quoted(values.join(" "))}` : ""}`
            : takesValue
              ? " -r"
              : "";
        return `${when} ${names.join(" ")}${value} -d ${quoted(about)}`;
      }),
    ];
  });
  const complete = lines.map((line) => `complete -c fastlane${line}\n`);
  return `# Completion of fastlane in fish\ncomplete -c fastlane -f\n${complete.join("")}`;
}

const caseOf = ({ path }: Level) => `"${path.map((word) => `/${word}`).join("")}"`;
const pathsOf = (levels: readonly Level[]) =>
  levels.filter(({ path }) => path.length > 0).map(caseOf);

function wordsOf({ commands, choices, flags }: Level): string[] {
  return [...commands.map(({ word }) => word), ...choices, ...flags.flatMap(({ words }) => words)];
}

/** After which flags a value is completed: one of its choices, or a file where there is none. */
function valuesOf(levels: readonly Level[]) {
  return levels.flatMap(({ path, flags }) =>
    flags
      .filter(({ takesValue }) => takesValue)
      .map(({ words, choices }) => ({
        at: words.map((word) => `"${path.map((each) => `/${each}`).join("")} ${word}"`).join(" | "),
        choices: choices.length === 0 ? null : choices,
      })),
  );
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
