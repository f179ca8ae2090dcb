import { WctrError } from '../../errors.ts';
import type { Command } from '../command.ts';
import { COMMANDS, type CommandEntry, isCommandEntry } from '../commands.ts';

export const command: Command = {
  usage: 'bash|zsh|fish',
  args: [1, 1],
  flags: [],
  examples: ['source <(wctr completion bash)', 'wctr completion fish > ~/.config/fish/completions/wctr.fish'],
  async run({ terminal }, [shell]) {
    const writer = SHELLS[shell!];
    if (writer === undefined) {
      throw new WctrError('invalid-argument', `no completion for "${shell}"`, { hint: 'write bash, zsh or fish' });
    }
    terminal.out(writer(await describe()));
    return 0;
  },
};

/** `image rm` -> its summary and flags; a group has no flags and lists its commands. */
interface Described {
  readonly path: string;
  readonly words: readonly string[];
}

async function describe(): Promise<Described[]> {
  const described: Described[] = [{ path: '', words: Object.keys(COMMANDS) }];
  for (const [name, entry] of Object.entries(COMMANDS)) {
    if (isCommandEntry(entry)) described.push({ path: name, words: await flagWords(entry) });
    else {
      described.push({ path: name, words: Object.keys(entry) });
      for (const [inner, command] of Object.entries(entry)) {
        described.push({ path: `${name} ${inner}`, words: await flagWords(command) });
      }
    }
  }
  return described;
}

async function flagWords(entry: CommandEntry): Promise<string[]> {
  const { flags } = await entry.load();
  return flags
    .filter(({ isHidden }) => isHidden !== true)
    .flatMap((flag) => [`--${flag.name}`, ...(flag.short === undefined ? [] : [`-${flag.short}`])]);
}

/** Commands whose arguments are images: their names come from the store at the time of asking. */
const IMAGE_COMMANDS = [
  'run',
  'pull',
  'tag',
  'rmi',
  'save',
  'history',
  'inspect',
  'image rm',
  'image inspect',
  'image tag',
  'image history',
  'image save',
];
/** The same for containers. */
const CONTAINER_WORDS =
  'attach commit cp diff exec export inspect kill logs pause port rename restart rm start stats stop top unpause update wait';
const CONTAINER_COMMANDS = CONTAINER_WORDS.split(' ').flatMap((word) =>
  word === 'inspect' ? ['container inspect'] : [word, `container ${word}`],
);
const LIST_CONTAINERS = "wctr ps -a --format '{{.Names}}' 2>/dev/null";
const LIST_IMAGES = "wctr images --format '{{.Repository}}:{{.Tag}}' 2>/dev/null";

const SHELLS: Readonly<Record<string, (commands: readonly Described[]) => string>> = {
  bash: (commands) => `# bash completion for wctr
_wctr() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path" in
      ""|${groups(commands).join('|')}) [[ "$word" != -* ]] && path="\${path:+$path }$word" ;;
    esac
  done
  local words=""
  case "$path" in
${commands.map(({ path, words }) => `    "${path}") words="${words.join(' ')}" ;;`).join('\n')}
  esac
  case "$path" in
    ${IMAGE_COMMANDS.map((path) => `"${path}"`).join('|')}) [[ "$current" != -* ]] && words="$words $(${LIST_IMAGES})" ;;
  esac
  case "$path" in
    ${[...CONTAINER_COMMANDS, 'inspect'].map((path) => `"${path}"`).join('|')}) [[ "$current" != -* ]] && words="$words $(${LIST_CONTAINERS})" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ \${#COMPREPLY[@]} -eq 0 ]] && COMPREPLY=($(compgen -f -- "$current"))
  type __ltrim_colon_completions >/dev/null 2>&1 && __ltrim_colon_completions "$current"
}
complete -F _wctr wctr
`,
  zsh: (commands) => `#compdef wctr
# zsh completion for wctr, over its bash completion
autoload -U +X bashcompinit && bashcompinit
${SHELLS.bash!(commands)}`,
  fish: (commands) => `# fish completion for wctr
complete -c wctr -f
${commands.flatMap(fishLines).join('\n')}
complete -c wctr -n '__fish_seen_subcommand_from ${IMAGE_COMMANDS.filter((path) => !path.includes(' ')).join(' ')}' -a "(${LIST_IMAGES})"
complete -c wctr -n '__fish_seen_subcommand_from ${CONTAINER_WORDS}' -a "(${LIST_CONTAINERS})"
`,
};

function groups(commands: readonly Described[]): string[] {
  return commands
    .filter(({ path, words }) => path !== '' && words.some((word) => !word.startsWith('-')))
    .map(({ path }) => path);
}

function fishLines({ path, words }: Described): string[] {
  const [first, second] = path.split(' ');
  const condition =
    path === ''
      ? '__fish_use_subcommand'
      : second === undefined
        ? `__fish_seen_subcommand_from ${first}`
        : `__fish_seen_subcommand_from ${first}; and __fish_seen_subcommand_from ${second}`;
  return words.map((word) => {
    const what = word.startsWith('--')
      ? `-l ${word.slice(2)}`
      : word.startsWith('-')
        ? `-s ${word.slice(1)}`
        : `-a ${word}`;
    return `complete -c wctr -n '${condition}' ${what}`;
  });
}
