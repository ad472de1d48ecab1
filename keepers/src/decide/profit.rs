//! Whether a transaction is worth what it costs. What it brings is known from its simulation, which is the program's own
//! arithmetic on the newest state; what it costs, from what is bid for it.

use ballast_units::wide;

/// Lamports in a SOL.
const LAMPORTS: u64 = 1_000_000_000;

/// Least profit of a transaction that the program pays for, in atoms; negative: the largest loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Least {
    /// It is sent whatever it costs.
    Any,
    /// It is sent from this profit on.
    Atoms(i64),
}

/// What a transaction brings and what it costs, in atoms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worth {
    /// The reward.
    pub reward: u64,
    /// The fee, and what has to be paid afterwards to have the reward in hand.
    pub cost: u64,
}

impl Worth {
    /// For a fee of `lamports` at `sol_price` atoms a SOL, rounded up, and `afterwards` atoms.
    pub fn new(reward: u64, lamports: u64, sol_price: u64, afterwards: u64) -> Worth {
        let fee = wide::mul_div_ceil_u64(lamports, sol_price, LAMPORTS).unwrap_or(u64::MAX);
        Worth { reward, cost: fee.saturating_add(afterwards) }
    }

    /// Whether the profit is at least this.
    pub fn suffices(&self, least: Least) -> bool {
        match least {
            Least::Any => true,
            Least::Atoms(least) => i128::from(self.reward) - i128::from(self.cost) >= i128::from(least),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fee_is_counted_in_atoms_rounded_up() {
        // 5,000 lamports at $150 are three quarters of a tenth of a cent.
        assert_eq!(Worth::new(0, 5_000, 150_000_000, 0).cost, 750);
        assert_eq!(Worth::new(0, 5_001, 150_000_000, 9).cost, 751 + 9);
        assert_eq!(Worth::new(0, u64::MAX, u64::MAX, 1).cost, u64::MAX);
    }

    #[test]
    fn what_does_not_pay_is_told_from_what_does() {
        let even = Worth { reward: 750, cost: 750 };
        assert!(even.suffices(Least::Atoms(0)) && !even.suffices(Least::Atoms(1)) && even.suffices(Least::Any));
        let loses = Worth { reward: 700, ..even };
        assert!(!loses.suffices(Least::Atoms(0)) && loses.suffices(Least::Atoms(-50)) && loses.suffices(Least::Any));
    }
}
