const MAX_DISTANCE = 4;

/** @returns The candidate that a mistyped word was probably meant to be; `undefined` if none is near. */
export function closestWord(written: string, candidates: Iterable<string>): string | undefined {
  const word = written.toLowerCase();
  let closest: string | undefined;
  let least = Math.min(MAX_DISTANCE, Math.ceil(word.length / 2));
  for (const candidate of candidates) {
    const distance = editDistance(word, candidate.toLowerCase());
    if (distance >= least) continue;
    least = distance;
    closest = candidate;
  }
  return closest;
}

/** Levenshtein's distance; words whose lengths differ too much get the difference of the lengths. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > MAX_DISTANCE) return Number.POSITIVE_INFINITY;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
