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

/// Whose money it is that a task uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Forced reductions with what they wait for, prices that somebody is due at, and the keeper's own position: all of it.
    Forced,
    /// Other prices, and traders' own protection, which pays for itself: all but what is kept back for forced reductions.
    Standing,
    /// Everything else: the share that is set aside for it.
    Routine,
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

    /// Whether it presses so much more than `before` that what was decided then is to be decided again: a value at least twice
    /// as large, or a margin ratio clearly lower.
    pub fn outweighs(self, before: Urgency) -> bool {
        match (self, before) {
            (Urgency::Protective(now), Urgency::Protective(then))
            | (Urgency::Owed(now), Urgency::Owed(then))
            | (Urgency::Rank(now), Urgency::Rank(then)) => now.0 / 2 >= then.0.max(1),
            _ => self.roughly() < before.roughly(),
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

impl Task {
    /// Whose money it uses.
    pub fn class(&self) -> Class {
        match self.urgency {
            Urgency::Blocking | Urgency::Forced(_) | Urgency::Price(false) => Class::Forced,
            _ if self.kind == Kind::Unwind => Class::Forced,
            Urgency::Price(true) => Class::Standing,
            _ if matches!(self.kind, Kind::ExecuteTrigger | Kind::ExecuteLadder) => Class::Standing,
            Urgency::Protective(_) | Urgency::Owed(_) | Urgency::Rank(_) => Class::Routine,
        }
    }
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
    /// Whether the program pays for it, so that it has to be worth its cost. What nobody pays for is done for the exchange.
    pub paid: bool,
    /// Atoms that the keeper has to pay afterwards to have its reward in hand.
    pub afterwards: u64,
}

impl Plan {
    /// A plan of one instruction that nobody pays for.
    pub fn new(task: Task, instruction: Instruction) -> Self {
        Plan { task, instructions: vec![instruction], lots: None, rent: 0, paid: false, afterwards: 0 }
    }

    /// The same, of one that the program pays for, if it `pays`.
    #[must_use]
    pub fn paid_if(self, pays: bool) -> Self {
        Plan { paid: pays, ..self }
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
    fn what_was_decided_holds_until_it_is_about_twice_as_much() {
        use core::cmp::Reverse;
        let owed = |atoms| Urgency::Owed(Reverse(atoms));
        assert!(owed(20).outweighs(owed(10)) && !owed(19).outweighs(owed(10)));
        assert!(!owed(0).outweighs(owed(0)) && !owed(1).outweighs(owed(0)) && owed(2).outweighs(owed(0)));
        assert!(Urgency::Forced(9_999).outweighs(owed(u64::MAX)));
        assert!(Urgency::Forced(8_000).outweighs(Urgency::Forced(8_600)));
        assert!(!Urgency::Forced(8_590).outweighs(Urgency::Forced(8_600)));
    }

    #[test]
    fn what_a_forced_reduction_waits_for_uses_its_money_and_nothing_else_does() {
        use core::cmp::Reverse;
        let class = |kind, urgency| {
            let (market, account, stage, reason) = (0, Pubkey::default(), Stage::Healthy, "test");
            Task { kind, market, account, stage, reason, urgency }.class()
        };
        assert_eq!(class(Kind::SettleSeat, Urgency::Blocking), Class::Forced);
        assert_eq!(class(Kind::SettleSeat, Urgency::Owed(Reverse(9))), Class::Routine);
        // A price that somebody is due at, and one that is only new.
        assert_eq!(class(Kind::RefreshMarket, Urgency::Price(false)), Class::Forced);
        assert_eq!(class(Kind::RefreshMarket, Urgency::Price(true)), Class::Standing);
        assert_eq!(class(Kind::Unwind, Urgency::Owed(Reverse(9))), Class::Forced);
        assert_eq!(class(Kind::ExecuteTrigger, Urgency::Protective(Reverse(9))), Class::Standing);
        assert_eq!(class(Kind::RatchetTrigger, Urgency::Protective(Reverse(9))), Class::Routine);
    }

    #[test]
    fn stages_are_in_the_order_of_their_numbers() {
        for (at, stage) in STAGES.into_iter().enumerate() {
            assert_eq!(stage_index(stage), at);
        }
    }
}
