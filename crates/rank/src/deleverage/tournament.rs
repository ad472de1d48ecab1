//! A tournament of losers: the greatest of some keys, replaced one at a time.
//!
//! Every inner node holds the loser of the match played there, so replacing the winner replays one path to the root with
//! one comparison per level; a binary heap needs two, and moves more. (Knuth, The Art of Computer Programming, volume
//! 3, 5.4.1, "replacement selection".) Works for any number of players, on two borrowed arrays.

use crate::grid::ROWS;

/// Bits of a key that name the player.
pub(super) const PLAYER_BITS: u32 = ROWS.trailing_zeros();

/// The player of a key.
#[inline(always)]
pub(super) const fn player(key: u64) -> usize {
    key as usize % ROWS
}

/// Plays the first matches of `players` players, whose keys are the first in `losers`; returns the greatest key, or zero.
///
/// A key's low ten bits are its player; a key of zero is out of the game. Afterwards `losers` holds the loser of each inner
/// node from 1. Node `n` is above nodes `2n` and `2n + 1`; player `i` enters at node `players + i`.
pub(super) fn play(losers: &mut [u64; ROWS], winners: &mut [u64; 2 * ROWS], players: usize) -> u64 {
    let Some(keys) = losers.get(..players) else { return 0 };
    let Some(leaves) = winners.get_mut(players..2 * players) else { return 0 };
    leaves.copy_from_slice(keys);
    let mut node = players;
    while node > 1 {
        node -= 1;
        let left = winners[2 * node % (2 * ROWS)];
        let right = winners[(2 * node + 1) % (2 * ROWS)];
        let (winner, loser) = if left > right { (left, right) } else { (right, left) };
        winners[node % (2 * ROWS)] = winner;
        losers[node % ROWS] = loser;
    }
    if players == 0 { 0 } else { winners[1] }
}

/// Gives `player`, the last winner, a new key, which may not exceed the old one; returns the next winner's.
///
/// Not inlined: the loop then has the registers to itself.
#[inline(never)]
pub(super) fn replay(losers: &mut [u64; ROWS], players: usize, player: usize, key: u64) -> u64 {
    let mut key = key;
    let mut node = players.wrapping_add(player) / 2 % ROWS;
    // As many levels as there can be: a loop with a known end is unrolled.
    for _ in 0..PLAYER_BITS {
        if node == 0 {
            break;
        }
        let loser = &mut losers[node % ROWS];
        if *loser > key {
            core::mem::swap(loser, &mut key);
        }
        node /= 2;
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn winners_come_in_descending_order(
            lists in prop::collection::vec(prop::collection::vec(1u64..1000, 1..20), 0..80),
        ) {
            let mut lists = lists;
            let mut expected = Vec::new();
            for (player, list) in lists.iter_mut().enumerate() {
                list.sort_unstable();
                expected.extend(list.iter().map(|score| (score << PLAYER_BITS) | player as u64));
            }
            expected.sort_unstable_by(|a, b| b.cmp(a));

            let mut next = |player: usize| {
                lists[player].pop().map_or(0, |score| (score << PLAYER_BITS) | player as u64)
            };
            let players = expected.iter().map(|key| player(*key) + 1).max().unwrap_or(0);
            let (mut winners, mut losers) = ([7; 2 * ROWS], [7; ROWS]);
            for (player, key) in losers.iter_mut().enumerate().take(players) {
                *key = next(player);
            }
            let mut key = play(&mut losers, &mut winners, players);
            let mut popped = Vec::new();
            while key != 0 {
                popped.push(key);
                key = replay(&mut losers, players, player(key), next(player(key)));
            }
            prop_assert_eq!(popped, expected);
        }
    }
}
