//! Finding set bits: the virtual machine counts no zeros, so a multiplication and a table do.

/// A de Bruijn sequence: each of its 64 windows of six bits is different.
const SEQUENCE: u64 = 0x03f7_9d71_b4cb_0a89;
const POSITIONS: [u8; 64] = positions();

const fn positions() -> [u8; 64] {
    let mut table = [0; 64];
    let mut bit = 0;
    while bit < 64 {
        table[(SEQUENCE.wrapping_mul(1 << bit) >> 58) as usize] = bit as u8;
        bit += 1;
    }
    table
}

/// The lowest set bit of a word that is not zero.
#[inline(always)]
pub(crate) const fn lowest(word: u64) -> usize {
    POSITIONS[(SEQUENCE.wrapping_mul(word & word.wrapping_neg()) >> 58) as usize] as usize
}

/// The highest set bit of a word that is not zero.
#[inline(always)]
pub(crate) const fn highest(word: u64) -> usize {
    let mut below = word;
    below |= below >> 1;
    below |= below >> 2;
    below |= below >> 4;
    below |= below >> 8;
    below |= below >> 16;
    below |= below >> 32;
    lowest(below ^ (below >> 1))
}

/// Takes the lowest set bit off a word that is not zero; returns its position.
#[inline(always)]
pub(crate) const fn take_lowest(word: &mut u64) -> usize {
    let rest = *word & word.wrapping_sub(1);
    let bit = *word ^ rest;
    *word = rest;
    POSITIONS[(SEQUENCE.wrapping_mul(bit) >> 58) as usize] as usize
}

/// The set bits of some words, lowest first.
pub(crate) fn each<const N: usize>(words: [u64; N]) -> impl Iterator<Item = usize> {
    words.into_iter().enumerate().flat_map(|(index, word)| {
        let mut rest = word;
        core::iter::from_fn(move || {
            if rest == 0 {
                return None;
            }
            Some(index * 64 + take_lowest(&mut rest))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn finds_every_single_bit() {
        for bit in 0..64 {
            assert_eq!(lowest(1 << bit), bit);
            assert_eq!(lowest(u64::MAX << bit), bit);
            assert_eq!(highest(1 << bit), bit);
            assert_eq!(highest(u64::MAX >> (63 - bit)), bit);
        }
    }

    proptest! {
        #[test]
        fn each_lists_all_bits_in_order(words in any::<[u64; 2]>()) {
            let expected: Vec<usize> = (0..128).filter(|bit| words[bit / 64] >> (bit % 64) & 1 == 1).collect();
            prop_assert_eq!(each(words).collect::<Vec<_>>(), expected);
        }
    }
}
