//! The program's events out of transaction logs.

use std::collections::HashMap;

use anchor_lang::{AnchorDeserialize, Discriminator};
use ballast::events::{
    AccountClosed, AccountMigrated, AccountOpened, AdminAccepted, AdminProposed, BadDebtCovered, BookGrown, BountyPaid,
    CollateralTransferred, DelegateSet, Deleveraged, Deposited, DustSwept, ExchangeCreated, FeeScheduleSet,
    FeesWithdrawn, FundingHour, InsuranceFunded, LadderExecuted, LadderSet, Liquidated, MarkUpdated, MarketCreated,
    MarketParamsSet, MarketStatusChanged, OrderEvicted, OrderPlaced, OrderReduced, OrdersCancelled, OrdersPruned,
    PauseSet, PositionChanged, ReferralClaimed, Reranked, Settled, Traded, TraderOpened, TriggerExecuted, TriggerSet,
    TriggersRemoved, VolumeRolled, Withdrawn,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use solana_pubkey::Pubkey;

use crate::addresses::PROGRAM_ID;

/// Declares [`Event`] with one variant per event of the program, and its decoding by discriminator.
macro_rules! events {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Any event of the program.
        // One carries a market's parameters: rare, and events are few at a time.
        #[allow(clippy::large_enum_variant)]
        pub enum Event {
            $($(#[$doc])* $name($name),)*
        }

        impl Event {
            /// The event's name, as in the interface description.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Event::$name(_) => stringify!($name),)*
                }
            }

            /// Decodes what the program logged; `None` when it is no event that this client knows, or malformed.
            pub fn decode(data: &[u8]) -> Option<Event> {
                $(if let Some(mut fields) = data.strip_prefix($name::DISCRIMINATOR) {
                    let event = $name::deserialize(&mut fields).ok()?;
                    return fields.is_empty().then_some(Event::$name(event));
                })*
                None
            }
        }
    };
}

events! {
    /// An exchange was founded.
    ExchangeCreated,
    /// A market was created.
    MarketCreated,
    /// A market's status changed.
    MarketStatusChanged,
    /// A margin account was opened.
    AccountOpened,
    /// Collateral came in.
    Deposited,
    /// Collateral went out.
    Withdrawn,
    /// Insurance grew.
    InsuranceFunded,
    /// The mark moved.
    MarkUpdated,
    /// A taker met makers.
    Traded,
    /// An order came to rest.
    OrderPlaced,
    /// Orders left the book unfilled.
    OrdersCancelled,
    /// An order was made smaller and kept its place.
    OrderReduced,
    /// The worst order of a side made room for a better one.
    OrderEvicted,
    /// A book got room for more orders.
    BookGrown,
    /// An account's position changed.
    PositionChanged,
    /// Money moved between an account and the pool.
    Settled,
    /// An account was put through a stage of liquidation.
    Liquidated,
    /// A bankrupt position was closed against the other side.
    Deleveraged,
    /// Insurance paid a debt.
    BadDebtCovered,
    /// The caller of a permissionless instruction was paid.
    BountyPaid,
    /// What rounding left in the ranking index was settled with insurance.
    DustSwept,
    /// Orders that takers only pass over were removed.
    OrdersPruned,
    /// A position's rank was brought to date.
    Reranked,
    /// A market's trading fees were paid out.
    FeesWithdrawn,
    /// A market's parameters were set.
    MarketParamsSet,
    /// Deposits or withdrawals were stopped or resumed.
    PauseSet,
    /// The admin role was offered.
    AdminProposed,
    /// The admin role was taken over.
    AdminAccepted,
    /// An account's delegate was named.
    DelegateSet,
    /// An empty margin account was closed.
    AccountClosed,
    /// Collateral moved between two accounts of one owner.
    CollateralTransferred,
    /// An account got the layout of this version.
    AccountMigrated,
    /// An hour of funding ended.
    FundingHour,
    /// A trigger has new terms.
    TriggerSet,
    /// Triggers went without being executed.
    TriggersRemoved,
    /// A trigger was executed.
    TriggerExecuted,
    /// An account's ladder was set.
    LadderSet,
    /// A rung of a ladder was executed.
    LadderExecuted,
    /// The volumes of fee tiers and the referrers' share were set.
    FeeScheduleSet,
    /// An owner opened a trader account.
    TraderOpened,
    /// Volume was rolled into a fee tier, and a referrer credited.
    VolumeRolled,
    /// A referrer's earnings became collateral.
    ReferralClaimed,
}

/// What a transaction's logs hold.
#[derive(Default)]
pub struct Logged {
    /// The program's events, in order.
    pub events: Vec<Event>,
    /// The runtime cut the logs off: events may be missing.
    pub truncated: bool,
    /// Data lines of the program that this client cannot decode: it is older or newer than the program.
    pub unknown: usize,
}

/// Picks the program's events out of a transaction's logs. Lines of other programs, also of those that call this one or
/// that it calls, are not mistaken for its own.
pub fn parse_logs<S: AsRef<str>>(logs: impl IntoIterator<Item = S>) -> Logged {
    let program = PROGRAM_ID.to_string();
    let mut logged = Logged::default();
    // Of the invocations under way, which are the program's own.
    let mut stack: Vec<bool> = Vec::new();
    for line in logs {
        let line = line.as_ref();
        if line == "Log truncated" {
            // Shorter lines still get in after it, and ends of invocations may be missing: whose they are is unknown.
            logged.truncated = true;
            break;
        } else if let Some(data) = line.strip_prefix("Program data: ") {
            if stack.last() == Some(&true) {
                match Event::decode(&BASE64_STANDARD.decode(data.trim()).unwrap_or_default()) {
                    Some(event) => logged.events.push(event),
                    None => logged.unknown += 1,
                }
            }
        } else if let Some((id, rest)) = program_line(line) {
            if rest.starts_with("invoke [") {
                stack.push(id == program);
            } else if rest == "success" || rest.starts_with("failed") {
                stack.pop();
            }
        }
    }
    logged
}

/// `Program <address> <rest>`, where the address is one: programs can log lines that begin alike.
fn program_line(line: &str) -> Option<(&str, &str)> {
    let (id, rest) = line.strip_prefix("Program ")?.split_once(' ')?;
    id.parse::<Pubkey>().ok().map(|_| (id, rest))
}

/// One cell of a [`Deleveraged`] event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReducedCell {
    /// Bucket of entry prices (see [`ballast_rank::grid::row_bounds`]).
    pub row: u16,
    /// Column of distances to bankruptcy.
    pub column: u8,
    /// Lots taken from it.
    pub lots: u64,
    /// How far funding had moved since its row got its first cell, in units of 2^-20 of the row's middle price; `None` for a row
    /// beyond those that the event has room for.
    pub funding_since: Option<i64>,
}

/// The cells of a deleveraging, in the order in which they were reduced.
pub fn cells(event: &Deleveraged) -> impl Iterator<Item = ReducedCell> + '_ {
    let mut rows = event.funding_since.as_chunks::<4>().0.iter().map(|since| i64::from(i32::from_le_bytes(*since)));
    let mut known: HashMap<u16, Option<i64>> = HashMap::new();
    event.cells.as_chunks::<8>().0.iter().map(move |&[r0, r1, column, l0, l1, l2, l3, l4]| {
        let row = u16::from_le_bytes([r0, r1]);
        ReducedCell {
            row,
            column,
            lots: u64::from_le_bytes([l0, l1, l2, l3, l4, 0, 0, 0]),
            funding_since: *known.entry(row).or_insert_with(|| rows.next()),
        }
    })
}

#[cfg(test)]
mod tests {
    use anchor_lang::Event as _;

    use super::*;

    fn line(data: &[u8]) -> String {
        format!("Program data: {}", BASE64_STANDARD.encode(data))
    }

    fn deposited(amount: u64) -> Vec<u8> {
        Deposited { account: PROGRAM_ID, amount, collateral: amount + 1 }.data()
    }

    fn amounts(logged: &Logged) -> Vec<u64> {
        let amount = |event: &Event| match event {
            Event::Deposited(event) => event.amount,
            _ => panic!("{}", event.name()),
        };
        logged.events.iter().map(amount).collect()
    }

    #[test]
    fn events_are_told_from_other_programs_data() {
        let (ours, other) = (PROGRAM_ID, Pubkey::new_from_array([9; 32]));
        let logs = [
            format!("Program {other} invoke [1]"),
            line(&deposited(1)),
            format!("Program {ours} invoke [2]"),
            line(&deposited(2)),
            format!("Program {other} invoke [3]"),
            line(&deposited(3)),
            format!("Program {other} consumed 1 of 2 compute units"),
            format!("Program {other} success"),
            "Program log: Program data: x".to_string(),
            line(&deposited(4)),
            format!("Program {ours} success"),
            line(&deposited(5)),
            format!("Program {other} failed: custom program error: 0x1"),
        ];
        let logged = parse_logs(&logs);
        assert_eq!(amounts(&logged), [2, 4]);
        assert_eq!((logged.truncated, logged.unknown), (false, 0));
    }

    #[test]
    fn a_call_of_itself_does_not_end_the_caller() {
        let (ours, other) = (PROGRAM_ID, Pubkey::new_from_array([9; 32]));
        let logs = [
            format!("Program {ours} invoke [1]"),
            format!("Program {ours} success"),
            format!("Program {other} invoke [1]"),
            format!("Program {ours} invoke [2]"),
            line(&deposited(1)),
            format!("Program {ours} invoke [3]"),
            "Program data: not base64".to_string(),
            format!("Program {ours} success"),
            line(&deposited(2)),
        ];
        let logged = parse_logs(&logs);
        assert_eq!((amounts(&logged), logged.unknown), (vec![1, 2], 1));
    }

    #[test]
    fn a_program_cannot_forge_the_end_of_an_invocation() {
        let logs = [
            format!("Program {PROGRAM_ID} invoke [1]"),
            "Program log: success".to_string(),
            "Program logged success".to_string(),
            line(&deposited(7)),
        ];
        assert_eq!(amounts(&parse_logs(&logs)), [7]);
    }

    #[test]
    fn truncation_and_unknown_data_are_reported() {
        let logs = [
            format!("Program {PROGRAM_ID} invoke [1]"),
            line(&[1, 2, 3, 4, 5, 6, 7, 8, 9]),
            line(&[&deposited(1)[..], &[0]].concat()),
            "Log truncated".to_string(),
        ];
        let logged = parse_logs(&logs);
        assert!(logged.events.is_empty());
        assert_eq!((logged.truncated, logged.unknown), (true, 2));
    }

    #[test]
    fn what_follows_a_cut_is_nobodys() {
        let other = Pubkey::new_from_array([9; 32]);
        let logs = [
            format!("Program {PROGRAM_ID} invoke [1]"),
            line(&deposited(1)),
            // The start of the other program's invocation was too long for what room there was.
            "Log truncated".to_string(),
            line(&deposited(2)),
            format!("Program {other} success"),
            line(&deposited(3)),
        ];
        let logged = parse_logs(&logs);
        assert_eq!(amounts(&logged), [1]);
        assert!(logged.truncated);
    }

    #[test]
    fn discriminators_are_distinct() {
        let data = deposited(1);
        assert!(matches!(Event::decode(&data), Some(Event::Deposited(_))));
        let status = MarketStatusChanged { market: PROGRAM_ID, before: 1, after: 2 }.data();
        assert!(matches!(Event::decode(&status), Some(Event::MarketStatusChanged(event)) if event.after == 2));
    }

    #[test]
    fn the_cells_of_a_deleveraging_are_read_back() {
        let event = Deleveraged {
            market: 0,
            account: PROGRAM_ID,
            longs_reduced: true,
            lots: 5,
            price: 6,
            mark: 7,
            funding_index: 8,
            sequence: 9,
            in_profit_exhausted: false,
            insurance_drawn: 0,
            open_interest: 10,
            last_cell_before: 4,
            cells: [[2, 1, 7, 5, 1, 0, 0, 0], [3, 0, 0, 0, 0, 0, 0, 1], [2, 1, 8, 1, 0, 0, 0, 0]].concat(),
            funding_since: (-3i32).to_le_bytes().to_vec(),
            last_score: 0,
            position: -5,
            bankruptcy_price: 6,
            assessed_mark: 7,
            equity: -1,
            maintenance: 2,
            position_maintenance: 2,
        };
        let cell = |row, column, lots, funding_since| ReducedCell { row, column, lots, funding_since };
        let expected = [cell(258, 7, 261, Some(-3)), cell(3, 0, 1 << 32, None), cell(258, 8, 1, Some(-3))];
        assert_eq!(cells(&event).collect::<Vec<_>>(), expected);
    }
}
