//! What the keeper can do, and to whom.

use ballast_client::ballast::logic::stage_code;
use ballast_risk::health::Stage;
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

/// An instruction that the keeper calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `deleverage`.
    Deleverage,
    /// `takeover`.
    Takeover,
    /// `liquidate`.
    Liquidate,
    /// `cover_bad_debt`.
    CoverBadDebt,
    /// `place_order`, to sell what was taken over.
    Unwind,
    /// `settle_seat`.
    SettleSeat,
    /// `sweep_insurance_fees`.
    SweepInsuranceFees,
    /// `rerank`.
    Rerank,
    /// `prune_orders`.
    PruneOrders,
    /// `prune_expired`.
    PruneExpired,
    /// `grow_book`.
    GrowBook,
    /// `cancel_unfunded`.
    CancelUnfunded,
    /// `roll_volume`.
    RollVolume,
    /// `refresh_market`.
    RefreshMarket,
    /// `execute_trigger`.
    ExecuteTrigger,
    /// `ratchet_trigger`.
    RatchetTrigger,
    /// `execute_ladder`.
    ExecuteLadder,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 17] = [
        Kind::Deleverage,
        Kind::Takeover,
        Kind::Liquidate,
        Kind::CoverBadDebt,
        Kind::Unwind,
        Kind::SettleSeat,
        Kind::SweepInsuranceFees,
        Kind::Rerank,
        Kind::PruneOrders,
        Kind::PruneExpired,
        Kind::GrowBook,
        Kind::CancelUnfunded,
        Kind::RollVolume,
        Kind::RefreshMarket,
        Kind::ExecuteTrigger,
        Kind::RatchetTrigger,
        Kind::ExecuteLadder,
    ];

    /// As it is logged and counted.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Deleverage => "deleverage",
            Kind::Takeover => "takeover",
            Kind::Liquidate => "liquidate",
            Kind::CoverBadDebt => "cover_bad_debt",
            Kind::Unwind => "unwind",
            Kind::SettleSeat => "settle_seat",
            Kind::SweepInsuranceFees => "sweep_insurance_fees",
            Kind::Rerank => "rerank",
            Kind::PruneOrders => "prune_orders",
            Kind::PruneExpired => "prune_expired",
            Kind::GrowBook => "grow_book",
            Kind::CancelUnfunded => "cancel_unfunded",
            Kind::RollVolume => "roll_volume",
            Kind::RefreshMarket => "refresh_market",
            Kind::ExecuteTrigger => "execute_trigger",
            Kind::RatchetTrigger => "ratchet_trigger",
            Kind::ExecuteLadder => "execute_ladder",
        }
    }

    /// Whether it is a forced reduction, or its end.
    pub fn is_forced(self) -> bool {
        matches!(self, Kind::Liquidate | Kind::Takeover | Kind::Deleverage | Kind::CoverBadDebt)
    }

    /// Whether the keeper's own position changes, so that only one may be under way.
    pub fn trades(self) -> bool {
        matches!(self, Kind::Takeover | Kind::Unwind)
    }
}

/// The name of a stage.
pub fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Healthy => "healthy",
        Stage::Restricted => "restricted",
        Stage::Partial => "partial",
        Stage::Takeover => "takeover",
        Stage::Bankrupt => "bankrupt",
    }
}

/// All stages, in the order of their numbers in the program's events.
pub const STAGES: [Stage; 5] = [Stage::Healthy, Stage::Restricted, Stage::Partial, Stage::Takeover, Stage::Bankrupt];

/// A stage's place in [`STAGES`].
pub fn stage_index(stage: Stage) -> usize {
    usize::from(stage_code(stage))
}

/// Which task comes first: forced reductions before upkeep, and of each what presses most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Something bankrupt waits for it.
    Blocking,
    /// A forced reduction, by margin ratio in basis points.
    Forced(i64),
    /// A price: first those that somebody is due at, then (`true`) those that are only new.
    Price(bool),
    /// An account's own protection: the more value it trades, the earlier.
    Protective(core::cmp::Reverse<u64>),
    /// Upkeep that pays others: the larger the atoms, the earlier.
    Owed(core::cmp::Reverse<u64>),
    /// Upkeep of the ranking index, by score.
    Rank(core::cmp::Reverse<u64>),
}

/// Margin ratios that differ by less than this press alike, in basis points.
const ALIKE_BPS: i64 = 500;

impl Urgency {
    /// The same, without differences that do not matter: among tasks that press alike every keeper has its own order.
    pub fn roughly(self) -> Urgency {
        match self {
            Urgency::Forced(ratio) => Urgency::Forced(ratio.div_euclid(ALIKE_BPS)),
            Urgency::Blocking | Urgency::Price(_) | Urgency::Protective(_) | Urgency::Owed(_) | Urgency::Rank(_) => {
                self
            }
        }
    }

    /// Whether somebody's money is at risk until it is done.
    pub fn presses(self) -> bool {
        matches!(self, Urgency::Blocking | Urgency::Forced(_) | Urgency::Price(_) | Urgency::Protective(_))
    }
}

/// Something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// What.
    pub kind: Kind,
    /// The market.
    pub market: u16,
    /// The margin account; the market's for [`Kind::SweepInsuranceFees`] and [`Kind::RefreshMarket`], the book's for what
    /// is done to books, the trader account's for [`Kind::RollVolume`].
    pub account: Pubkey,
    /// The account's stage.
    pub stage: Stage,
    /// Why.
    pub reason: &'static str,
    /// When it is its turn.
    pub urgency: Urgency,
}

/// A task with its instructions, decided on the newest view.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The task, with the reason that holds now.
    pub task: Task,
    /// What is sent.
    pub instructions: Vec<Instruction>,
    /// Lots that the decision expects to be closed or handed over; `None` when it says nothing about them.
    pub lots: Option<u64>,
    /// Lamports of rent that the keeper pays beside the fee.
    pub rent: u64,
}

impl Plan {
    /// A plan of one instruction.
    pub fn new(task: Task, instruction: Instruction) -> Self {
        Plan { task, instructions: vec![instruction], lots: None, rent: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forced_reductions_come_before_upkeep_and_the_worst_first() {
        use core::cmp::Reverse;
        let mut order = [
            Urgency::Rank(Reverse(9)),
            Urgency::Forced(6_000),
            Urgency::Owed(Reverse(1)),
            Urgency::Forced(-40),
            Urgency::Owed(Reverse(500)),
            Urgency::Price(true),
            Urgency::Protective(Reverse(3)),
            Urgency::Price(false),
            Urgency::Blocking,
        ];
        order.sort();
        assert_eq!(
            order,
            [
                Urgency::Blocking,
                Urgency::Forced(-40),
                Urgency::Forced(6_000),
                Urgency::Price(false),
                Urgency::Price(true),
                Urgency::Protective(Reverse(3)),
                Urgency::Owed(Reverse(500)),
                Urgency::Owed(Reverse(1)),
                Urgency::Rank(Reverse(9)),
            ]
        );
    }

    #[test]
    fn stages_are_in_the_order_of_their_numbers() {
        for (at, stage) in STAGES.into_iter().enumerate() {
            assert_eq!(stage_index(stage), at);
        }
    }
}
