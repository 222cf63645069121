//! Many launches of each kind, under the same conditions.

use crate::shuffle::Shuffle;
use crate::spawn::Spawn;
use crate::summary::Summary;

/// What the launches of one kind cost.
pub struct Measured {
    /// Microseconds, from before the spawn to waitpid's return.
    pub time: Summary,
    /// Page faults of the child.
    pub faults: Summary,
}

/// Runs every spawn once in each round; the results are in the spawns' order.
///
/// In rounds, because the machine's speed varies, and in a new order each time, because
/// a launch depends on the caches that the one before it left.
pub fn measure(spawns: &[Spawn], rounds: usize, shuffle: &mut Shuffle) -> Vec<Measured> {
    eprintln!("{rounds} rounds of {} launches", spawns.len());
    for spawn in spawns {
        spawn.run(); // reads the files into memory
    }
    let mut costs: Vec<_> = spawns.iter().map(|_| Vec::with_capacity(rounds)).collect();
    let mut order: Vec<_> = (0..spawns.len()).collect();
    for _ in 0..rounds {
        shuffle.shuffle(&mut order);
        for &index in &order {
            costs[index].push(spawns[index].run());
        }
    }
    costs
        .iter()
        .map(|costs| Measured {
            time: costs.iter().map(|cost| cost.time).collect(),
            faults: costs.iter().map(|cost| cost.faults).collect(),
        })
        .collect()
}
