//! Who is due for what: the steps of liquidation, as the program would see them.

use ballast::logic::{Assessment, Marks};
use ballast_risk::{
    health::Stage,
    liquidation::{self, Step},
    oracle::Action,
};
use ballast_units::{Position, Price};
use solana_pubkey::Pubkey;

use super::{View, ViewError};

/// What anyone may do to an account now, and where.
pub struct Due {
    /// The account's stage.
    pub stage: Stage,
    /// What may be done.
    pub step: Step,
    /// The market in which it may be done: that of the position with the most relief. `None` without a position: then a
    /// bankrupt account is one for `cover_bad_debt`.
    pub market: Option<u16>,
    /// The account at the marks that liquidation uses, with that market as the primary.
    pub assessment: Assessment,
}

/// The terms of a takeover now. How many lots of it restore the account is for the program to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The market.
    pub market: u16,
    /// The position on offer.
    pub position: Position,
    /// The price per lot.
    pub price: Price,
    /// The mark that the discount is measured from.
    pub mark: Price,
    /// What insurance has to add per lot, in atoms.
    pub shortfall: u64,
    /// The position's bankruptcy price.
    pub bankruptcy_price: i64,
}

impl View<'_> {
    /// What may be done to the account at `now`, at the marks that liquidation uses.
    ///
    /// # Errors
    /// See [`ViewError`]; also when the price of one of its markets does not allow liquidation.
    pub fn due(&self, key: &Pubkey, now: i64) -> Result<Due, ViewError> {
        let account = self.account(key)?;
        // As the program does: a mere claim on a pool needs no price.
        for slot in account.slots.iter().filter(|slot| slot.lots != 0 || slot.seat != 0) {
            let Some(index) = slot.market() else { continue };
            self.market(index)?.market.require_price(Action::Liquidate, now)?;
        }
        let first = self.assess(key, Marks::Confirmed, None)?;
        let Some(market) = first.most_relief else {
            let stage = first.account.stage();
            return Ok(Due { stage, step: Step::None, market: None, assessment: first });
        };
        let assessment = self.assess(key, Marks::Confirmed, Some(market))?;
        let params = self.market(market)?.market.params.liquidation();
        let step = account.progress().to_owned().step(&assessment.account, now, &params);
        Ok(Due { stage: assessment.account.stage(), step, market: Some(market), assessment })
    }

    /// On what terms the account's position can be taken over now; `None` when it cannot.
    ///
    /// # Errors
    /// As [`due`](Self::due).
    pub fn offer(&self, key: &Pubkey, due: &Due) -> Result<Option<Offer>, ViewError> {
        let (Some(market), Some(seconds)) = (due.market, takeover_seconds(due.step)) else { return Ok(None) };
        let Some(state) = self.position(key, market)? else { return Ok(None) };
        let Some(side) = state.position.side() else { return Ok(None) };
        let bankruptcy_price = due.assessment.bankruptcy_price(state.position)?;
        let mark = due.assessment.primary_mark;
        let params = self.market(market)?.market.params.liquidation().takeover;
        let terms = liquidation::takeover_price(side, mark, bankruptcy_price, seconds, &params)?;
        Ok(Some(Offer {
            market,
            position: state.position,
            price: terms.price,
            mark,
            shortfall: terms.shortfall,
            bankruptcy_price,
        }))
    }
}

/// For how long takeovers have been allowed.
fn takeover_seconds(step: Step) -> Option<u64> {
    match step {
        Step::Takeover { seconds } | Step::Backstop { seconds } | Step::Bankrupt { seconds, .. } => Some(seconds),
        Step::None | Step::Wait { .. } | Step::Partial => None,
    }
}
