// The order of the launches in a round.

/** Shuffles by a seed: SplitMix64 (Steele, Lea, Flood 2014), and Fisher and Yates. */
export function shuffler(seed) {
  let state = BigInt(seed);
  const next = () => {
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
    let mixed = state;
    mixed = BigInt.asUintN(64, (mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n);
    mixed = BigInt.asUintN(64, (mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn);
    return mixed ^ (mixed >> 31n);
  };
  return (items) => {
    for (let last = items.length - 1; last > 0; last--) {
      const other = Number(next() % BigInt(last + 1));
      [items[last], items[other]] = [items[other], items[last]];
    }
  };
}
