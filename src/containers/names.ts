import { WctrError } from '../errors.ts';

/** Names for containers nobody named: a quality and somebody the field owes something to. */
const QUALITIES =
  'able amber avid bold brave brisk calm clever crisp curious deft eager early exact fair fast fine firm fond frank free fresh gentle glad grand happy hardy honest humble jolly keen kind lively lucid lucky mellow merry mild modest neat nimble noble open patient placid plain polite prime proud quick quiet rapid ready sharp shrewd silent sincere smart snug sober solid steady sunny swift tidy trusty upbeat vivid warm wise witty zesty'.split(
    ' ',
  );
const PEOPLE =
  'allen backus bartik booth cerf church cray dahl dijkstra eckert engelbart floyd gosling goldberg hamilton hamming hoare holberton hopper jennings johnson kahn karp kay kernighan kilburn knuth lamarr lamport liskov lovelace mauchly mccarthy mccluskey meltzer metcalfe milner minsky moore naur neumann noether perlis perlman postel ritchie rivest scott shamir shannon snyder stallman stroustrup sutherland tanenbaum tarjan thompson torvalds turing wegstein wilkes wirth yao zuse'.split(
    ' ',
  );

export function randomName(random: () => number): string {
  const pick = (list: readonly string[]) => list[Math.floor(random() * list.length)]!;
  return `${pick(QUALITIES)}_${pick(PEOPLE)}`;
}

/** docker's rule for container names. */
export function checkName(name: string): string {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name) && name.length <= 255) return name;
  throw new WctrError(
    'invalid-argument',
    `invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
    {
      hint: 'use letters, digits, "_", "." and "-", two characters or more',
    },
  );
}
