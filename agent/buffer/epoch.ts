const LENGTH = 6;

/** A new epoch's name: six base-36 characters. `random` gives numbers from 0 up to but not including 1. */
export function newEpoch(random: () => number): string {
  let name = "";
  while (name.length < LENGTH) name += Math.floor(random() * 36).toString(36);
  return name;
}
