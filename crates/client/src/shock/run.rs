//! The rounds of a shock.

use std::collections::{BTreeMap, HashMap};

use ballast::{
    logic::{Assessment, SlotHealth, as_limit, deleverage_price, loss_per_lot, position_state},
    state::{Market, RANKS_MAGIC, Slot, slab_bytes_mut},
};
use ballast_book::BookView;
use ballast_rank::Index;
use ballast_risk::{
    health::{self, MarketState, PositionState, Stage},
    insurance::Budget,
    liquidation::{self, LiquidationParams},
    mark::MarkState,
    pnl_pool,
};
use ballast_units::{BPS, Lots, MAX_PRICE, Position, Price, Quote, Side};
use solana_pubkey::Pubkey;

use super::{
    AccountOutcome, MarketOutcome, ONE_PPM, Outcome, Round, Shock,
    book::{Depth, Got},
};
use crate::{
    accounts::{DecodeError, Slab},
    view::{View, ViewError},
};

/// The exchange while a shock runs through it.
pub(super) struct Scene<'a> {
    markets: BTreeMap<u16, Arena<'a>>,
    accounts: Vec<Held>,
    vault: u64,
    now: i64,
}

/// A market while a shock runs through it.
struct Arena<'a> {
    /// A copy, with the mark of the round and the pool as it is then.
    market: Market,
    book: BookView<'a>,
    ranks: Slab,
    bids: Depth,
    asks: Depth,
    budget: Budget,
    /// Whether somebody was deleveraged since holdings were read.
    reduced: bool,
    outcome: MarketOutcome,
}

/// An account while a shock runs through it.
struct Held {
    key: Pubkey,
    collateral: u64,
    slots: Vec<HeldSlot>,
}

/// What an account has in one market.
struct HeldSlot {
    market: u16,
    /// As in its account: what it has is asked of the ranking index and the book.
    slot: Slot,
    /// What it has. Its orders do not count for maintenance margin, and are gone once it is liquidated.
    state: PositionState,
    /// It was reduced here, so the ranking index says nothing of it any more.
    apart: bool,
}

impl<'a> Scene<'a> {
    pub fn new(view: &View<'a>, shock: &Shock) -> Result<Self, ViewError> {
        let mut scene = Scene { markets: BTreeMap::new(), accounts: Vec::new(), vault: shock.vault, now: shock.now };
        let moves: HashMap<u16, i64> = shock.moves.iter().copied().collect();
        for entry in view.snapshot().markets() {
            let index = entry.keys.index;
            let open = view.market(index)?;
            let mut market = *open.market;
            let mark = market.mark();
            let shocked = moved(mark, moves.get(&index).copied().unwrap_or(0));
            let terms = market.terms(shock.now)?;
            let depth = |side| Depth::new(&open.book, side, terms, mark, shocked);
            let (bids, asks, budget) = (depth(Side::Long), depth(Side::Short), *market.budget());
            set_mark(&mut market, shocked);
            let outcome = MarketOutcome {
                market: index,
                mark,
                shocked,
                end: shocked,
                budget: budget.available(shock.now).min(shock.vault),
                longs: open.ranks.open_interest(Side::Long),
                shorts: open.ranks.open_interest(Side::Short),
                ..MarketOutcome::default()
            };
            let ranks = entry.ranks.clone();
            let arena = Arena { market, book: open.book, ranks, bids, asks, budget, reduced: false, outcome };
            scene.markets.insert(index, arena);
        }
        for (key, account) in view.snapshot().accounts() {
            let of = |slot: &Slot| {
                let market = slot.market()?;
                Some(HeldSlot { market, slot: *slot, state: PositionState::default(), apart: false })
            };
            let slots: Vec<_> = account.slots.iter().filter_map(of).collect();
            if !slots.is_empty() {
                scene.accounts.push(Held { key: *key, collateral: account.collateral, slots });
            }
        }
        scene.accounts.sort_by_key(|held| held.key);
        scene.read_holdings(true)?;
        Ok(scene)
    }

    /// Brings what accounts have to date with the ranking indices: of all markets, or of those in which somebody was
    /// deleveraged since.
    fn read_holdings(&mut self, all: bool) -> Result<(), ViewError> {
        for held in &mut self.accounts {
            for slot in held.slots.iter_mut().filter(|slot| !slot.apart) {
                let arena = self.markets.get(&slot.market).ok_or(ViewError::NoMarket(slot.market))?;
                if !(all || arena.reduced) {
                    continue;
                }
                let ranks = arena.ranks.ranks().map_err(|error| ViewError::Slab(slot.market, error))?;
                let state = position_state(&slot.slot, &held.key, &arena.market, &arena.book, &ranks)?;
                let (bids, asks) = (Lots::ZERO, Lots::ZERO);
                slot.state = PositionState { bids, bid_quote: 0, asks, ask_quote: 0, ..state };
            }
        }
        self.markets.values_mut().for_each(|arena| arena.reduced = false);
        Ok(())
    }

    pub fn run(mut self, shock: &Shock) -> Result<Outcome, ViewError> {
        let mut outcome = Outcome::default();
        let mut seen: HashMap<usize, usize> = HashMap::new();
        loop {
            let due = self.due()?;
            let number = u32::try_from(outcome.rounds.len()).unwrap_or(u32::MAX);
            outcome.settled = due.is_empty();
            if outcome.settled || number >= shock.rounds {
                break;
            }
            let bankrupt = due.iter().filter(|(_, stage)| *stage == Stage::Bankrupt).count();
            outcome.rounds.push(Round {
                due: u32::try_from(due.len()).unwrap_or(u32::MAX),
                bankrupt: u32::try_from(bankrupt).unwrap_or(u32::MAX),
                marks: self.markets.iter().map(|(index, arena)| (*index, arena.market.mark())).collect(),
            });
            for (at, _) in due {
                let before = self.assess(at, None)?;
                let entry = *seen.entry(at).or_insert_with(|| {
                    outcome.accounts.push(AccountOutcome {
                        account: self.accounts[at].key,
                        round: number,
                        stage: before.account.stage(),
                        equity: before.account.equity.0,
                        maintenance: before.account.maintenance,
                        closed: 0,
                        bad_debt: 0,
                    });
                    outcome.accounts.len() - 1
                });
                self.resolve(at, &mut outcome.accounts[entry])?;
            }
            self.move_marks();
            self.read_holdings(false)?;
        }
        for at in 0..self.accounts.len() {
            let after = self.assess(at, None)?;
            if after.most_relief.is_none() {
                outcome.debt_left = outcome.debt_left.saturating_add(after.account.equity.negative_part());
            }
        }
        outcome.markets = self.markets.values().map(|arena| arena.outcome).collect();
        outcome.vault_left = self.vault;
        Ok(outcome)
    }

    /// Accounts with positions below maintenance margin, the lowest margin ratio first.
    fn due(&self) -> Result<Vec<(usize, Stage)>, ViewError> {
        let mut due = Vec::new();
        for at in 0..self.accounts.len() {
            let assessment = self.assess(at, None)?;
            let stage = assessment.account.stage();
            if stage >= Stage::Partial && assessment.most_relief.is_some() {
                due.push((assessment.account.margin_ratio_bps(), at, stage));
            }
        }
        due.sort_by_key(|(ratio, at, _)| (*ratio, *at));
        Ok(due.into_iter().map(|(_, at, stage)| (at, stage)).collect())
    }

    fn assess(&self, at: usize, primary: Option<u16>) -> Result<Assessment, ViewError> {
        let held = &self.accounts[at];
        let mut assessment = Assessment::new(held.collateral);
        for slot in &held.slots {
            let market = &self.arena(slot.market)?.market;
            let state = MarketState {
                mark: market.mark(),
                tiers: market.params.tiers(),
                pool: market.pool,
                profit_haircut_bps: market.params.profit_haircut_bps,
                margin_multiplier_bps: market.params.margin_multiplier_bps,
            };
            let health = SlotHealth { health: health::assess(&slot.state, &state)?, mark: state.mark, owed: 0 };
            assessment.add(slot.market, &health, primary == Some(slot.market))?;
        }
        Ok(assessment)
    }

    fn arena(&self, market: u16) -> Result<&Arena<'a>, ViewError> {
        self.markets.get(&market).ok_or(ViewError::NoMarket(market))
    }

    /// Does to one account what is due, position after position.
    fn resolve(&mut self, at: usize, outcome: &mut AccountOutcome) -> Result<(), ViewError> {
        // Each time round a position is closed, or as much of it as restores the account; prices obtained may make
        // another step necessary.
        for _ in 0..4 * self.accounts[at].slots.len() {
            let Some(market) = self.assess(at, None)?.most_relief else { break };
            let before = self.assess(at, Some(market))?;
            let closed = match before.account.stage() {
                Stage::Healthy | Stage::Restricted => break,
                Stage::Partial | Stage::Takeover => self.reduce(at, market, &before)?,
                Stage::Bankrupt => self.close(at, market, &before, outcome)?,
            };
            if closed.is_zero() {
                break;
            }
            let value = closed.value(before.primary_mark).map_err(ballast_risk::RiskError::from)?.positive_part();
            outcome.closed = outcome.closed.saturating_add(value);
        }
        Ok(())
    }

    /// What restores a solvent account: on the book, and by another account what the book does not take.
    fn reduce(&mut self, at: usize, market: u16, before: &Assessment) -> Result<Lots, ViewError> {
        let params = at_once(self.arena(market)?.market.params.liquidation());
        let held = self.position(at, market);
        let Some(side) = held.side() else { return Ok(Lots::ZERO) };
        let wanted = self.restoring(market, held, before, before.primary_mark, &params)?;
        let limit = as_limit(before.bankruptcy_price(held)?);
        let got = self.on_book(at, market, side, wanted, limit)?;
        if !got.lots.is_zero() {
            let after = self.assess(at, None)?;
            let account = &mut self.accounts[at];
            let left = after.account.equity.min(Quote(i64::try_from(account.collateral).unwrap_or(i64::MAX)));
            let fee = liquidation::fee(got.quote, left, &params)?;
            account.collateral -= fee.to_liquidator + fee.to_insurance;
        }
        if got.lots == wanted {
            return Ok(got.lots);
        }
        let now = self.assess(at, Some(market))?;
        if now.account.stage() < Stage::Partial || now.account.stage() == Stage::Bankrupt {
            return Ok(got.lots);
        }
        let taken = self.taken_over(at, market, &now, None)?;
        Ok(Lots(got.lots.0 + taken.0))
    }

    /// A bankrupt account's position: on the book, by another account as far as insurance pays, the rest by deleveraging.
    fn close(
        &mut self,
        at: usize,
        market: u16,
        before: &Assessment,
        outcome: &mut AccountOutcome,
    ) -> Result<Lots, ViewError> {
        let held = self.position(at, market);
        let Some(side) = held.side() else { return Ok(Lots::ZERO) };
        let got = self.on_book(at, market, side, held.lots(), as_limit(before.bankruptcy_price(held)?))?;
        let mut closed = got.lots;
        for deleverages in [false, true] {
            let now = self.assess(at, Some(market))?;
            let held = self.position(at, market);
            if held == Position::FLAT || now.account.stage() != Stage::Bankrupt {
                break;
            }
            let lots = if deleverages {
                self.deleverage(at, market, &now)?
            } else {
                let arena = self.arena(market)?;
                let available = arena.budget.available(self.now).min(self.vault);
                self.taken_over(at, market, &now, Some(available))?
            };
            let lacking = loss_per_lot(side, as_limit(now.bankruptcy_price(held)?), now.primary_mark);
            let debt = lacking.saturating_mul(lots.0);
            outcome.bad_debt = outcome.bad_debt.saturating_add(debt);
            let total = &mut self.arena_mut(market)?.outcome.bad_debt;
            *total = total.saturating_add(debt);
            closed.0 += lots.0;
        }
        Ok(closed)
    }

    fn arena_mut(&mut self, market: u16) -> Result<&mut Arena<'a>, ViewError> {
        self.markets.get_mut(&market).ok_or(ViewError::NoMarket(market))
    }

    fn position(&self, at: usize, market: u16) -> Position {
        let slot = self.accounts[at].slots.iter().find(|slot| slot.market == market);
        slot.map_or(Position::FLAT, |slot| slot.state.position)
    }

    /// Lots that restore the account when they close at `price`.
    fn restoring(
        &self,
        market: u16,
        held: Position,
        account: &Assessment,
        price: Price,
        params: &LiquidationParams,
    ) -> Result<Lots, ViewError> {
        let tiers = self.arena(market)?.market.params.tiers();
        Ok(liquidation::partial_lots(held, account.primary_mark, price, tiers, &account.account, params)?)
    }

    fn on_book(&mut self, at: usize, market: u16, side: Side, lots: Lots, limit: Price) -> Result<Got, ViewError> {
        let arena = self.arena_mut(market)?;
        // A long is sold to bids.
        let (depth, counted) = match side {
            Side::Long => (&mut arena.bids, &mut arena.outcome.longs_on_book),
            Side::Short => (&mut arena.asks, &mut arena.outcome.shorts_on_book),
        };
        let got = depth.take(lots, limit);
        counted.0 += got.lots.0;
        arena.outcome.book_quote = arena.outcome.book_quote.saturating_add(got.quote);
        self.trade(at, market, side, got, 0)?;
        Ok(got)
    }

    /// What another account takes over at the first discount: what restores the account, or, with `insurance` to pay what a
    /// bankrupt one lacks, as many lots as that is enough for.
    fn taken_over(
        &mut self,
        at: usize,
        market: u16,
        now: &Assessment,
        insurance: Option<u64>,
    ) -> Result<Lots, ViewError> {
        let held = self.position(at, market);
        let Some(side) = held.side() else { return Ok(Lots::ZERO) };
        let params = LiquidationParams { fee_bps: 0, ..at_once(self.arena(market)?.market.params.liquidation()) };
        let bankruptcy = now.bankruptcy_price(held)?;
        let terms = liquidation::takeover_price(side, now.primary_mark, bankruptcy, 0, &params.takeover)?;
        let mut lots = self.restoring(market, held, now, terms.price, &params)?;
        if let Some(affordable) = insurance.unwrap_or(0).checked_div(terms.shortfall) {
            lots = lots.min(Lots(affordable));
        }
        if lots.is_zero() {
            return Ok(lots);
        }
        let quote = lots.value(terms.price).map_err(ballast_risk::RiskError::from)?.positive_part();
        let paid = self.draw(market, lots.0.saturating_mul(terms.shortfall))?;
        self.trade(at, market, side, Got { lots, quote }, paid)?;
        let outcome = &mut self.arena_mut(market)?.outcome;
        match side {
            Side::Long => outcome.longs_taken_over.0 += lots.0,
            Side::Short => outcome.shorts_taken_over.0 += lots.0,
        }
        outcome.takeover_quote = outcome.takeover_quote.saturating_add(quote);
        Ok(lots)
    }

    /// Reduces the other side by what is left of the position, at its bankruptcy price less what insurance still has.
    fn deleverage(&mut self, at: usize, market: u16, now: &Assessment) -> Result<Lots, ViewError> {
        let held = self.position(at, market);
        let Some(side) = held.side() else { return Ok(Lots::ZERO) };
        let (lots, mark) = (held.lots(), now.primary_mark);
        let limit = as_limit(now.bankruptcy_price(held)?);
        let vault = self.vault;
        let time = self.now;
        let arena = self.arena_mut(market)?;
        let shortfall = loss_per_lot(side, limit, mark).saturating_mul(lots.0);
        let paid_per_lot = arena.budget.available(time).min(vault).min(shortfall) / lots.0.max(1);
        let price = deleverage_price(side, limit, paid_per_lot);
        let funding = arena.market.funding_index();
        let mut index = index_of(market, &mut arena.ranks)?;
        let done = index.deleverage(side.opposite(), lots, price, mark, funding, u32::MAX, |_| {});
        let done = done.map_err(|error| ViewError::Slab(market, DecodeError::Ranks(error)))?;
        if done.lots.is_zero() {
            return Ok(Lots::ZERO);
        }
        arena.reduced = true;
        match side {
            Side::Long => arena.outcome.shorts_deleveraged.0 += done.lots.0,
            Side::Short => arena.outcome.longs_deleveraged.0 += done.lots.0,
        }
        let forgone = loss_per_lot(side, price, mark).saturating_mul(done.lots.0);
        arena.outcome.forgone = arena.outcome.forgone.saturating_add(forgone);
        let quote = done.lots.value(price).map_err(ballast_risk::RiskError::from)?.positive_part();
        let paid = self.draw(market, done.lots.0.saturating_mul(paid_per_lot))?;
        self.trade(at, market, side, Got { lots: done.lots, quote }, paid)?;
        Ok(done.lots)
    }

    fn draw(&mut self, market: u16, wanted: u64) -> Result<u64, ViewError> {
        let (now, vault) = (self.now, self.vault);
        let arena = self.arena_mut(market)?;
        let drawn = arena.budget.draw(now, wanted, vault);
        arena.outcome.insured = arena.outcome.insured.saturating_add(drawn);
        arena.market.pool = arena.market.pool.saturating_add(drawn);
        self.vault -= drawn;
        Ok(drawn)
    }

    /// Closes lots of an account's position of `side`, credits what insurance paid, and settles what is realised. Its place
    /// in the ranking index is given up first.
    fn trade(&mut self, at: usize, market: u16, side: Side, got: Got, insurance: u64) -> Result<(), ViewError> {
        if got.lots.is_zero() {
            return Ok(());
        }
        let arena = self.markets.get_mut(&market).ok_or(ViewError::NoMarket(market))?;
        let Held { slots, collateral, .. } = &mut self.accounts[at];
        let Some(held) = slots.iter_mut().find(|slot| slot.market == market) else { return Ok(()) };
        if !held.apart && held.slot.is_member() {
            let (mark, funding) = (arena.market.mark(), arena.market.funding_index());
            let side = held.slot.position().side().unwrap_or(side);
            let mut index = index_of(market, &mut arena.ranks)?;
            let left = index.leave(side, held.slot.membership(), funding, mark);
            left.map_err(|error| ViewError::Slab(market, DecodeError::Ranks(error)))?;
        }
        held.apart = true;
        let failed = ballast_risk::RiskError::from;
        let base = got.lots.on(side.opposite()).map_err(failed)?;
        let quote = i64::try_from(got.quote).map_err(|_| ballast_risk::RiskError::Overflow)?;
        let cash = Quote(if side == Side::Long { quote } else { -quote });
        let state = &mut held.state;
        let cash_before = state.unsettled.add(state.funding).map_err(failed)?;
        let mut slot = Slot { lots: state.position.0, basis: state.basis.0, unsettled: cash_before.0, ..held.slot };
        slot.trade(base, cash)?;
        slot.unsettled = slot.unsettled.saturating_add_unsigned(insurance);
        pnl_pool::settle(&mut slot.unsettled, collateral, &mut arena.market.pool);
        state.position = slot.position();
        (state.basis, state.unsettled, state.funding) = (Quote(slot.basis), Quote(slot.unsettled), Quote::ZERO);
        Ok(())
    }

    /// The marks of the next round: the shocked ones, moved by how far forced trades went into the book.
    fn move_marks(&mut self) {
        for arena in self.markets.values_mut() {
            let shocked = arena.outcome.shocked.0;
            let down = arena.bids.worst.map_or(0, |worst| shocked.saturating_sub(worst.0));
            let up = arena.asks.worst.map_or(0, |worst| worst.0.saturating_sub(shocked));
            let next = Price(shocked.saturating_sub(down).saturating_add(up).clamp(1, MAX_PRICE));
            set_mark(&mut arena.market, next);
            arena.outcome.end = next;
        }
    }
}

/// A mark after a relative move in millionths, rounded down.
pub(super) fn moved(mark: Price, ppm: i64) -> Price {
    let factor = u64::try_from(ONE_PPM.saturating_add(ppm)).unwrap_or(0);
    let moved = u128::from(mark.0) * u128::from(factor) / ONE_PPM.unsigned_abs() as u128;
    Price(u64::try_from(moved).unwrap_or(u64::MAX).clamp(1, MAX_PRICE))
}

fn set_mark(market: &mut Market, mark: Price) {
    market.set_mark_state(MarkState { mark, ..*market.mark_state() });
}

/// Liquidation in one step: all that restores an account, without the cap that spreads it over several.
fn at_once(params: LiquidationParams) -> LiquidationParams {
    LiquidationParams { max_fraction_bps: BPS as u32, ..params }
}

fn index_of(market: u16, ranks: &mut Slab) -> Result<Index<'_>, ViewError> {
    let contents = slab_bytes_mut(ranks.data_mut(), RANKS_MAGIC)?;
    Index::load(contents).map_err(|error| ViewError::Slab(market, DecodeError::Ranks(error)))
}
