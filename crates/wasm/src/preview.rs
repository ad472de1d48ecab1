//! What an order would do: it is really placed, on copies of the account, the market and its slabs, with the functions
//! that the program's own instruction is made of.

use ballast::{
    MAX_MAKERS, OrderArgs,
    error::BallastError,
    events::Cause,
    logic::{Marks, Others, Take, Venue, rates, reducible, require_initial_margin, settle_slot, take, touch},
    state::{MarginAccount, Market},
};
use ballast_book::{NewOrder, Stopped};
use ballast_client::{accounts::Slab, addresses, view::View};
use ballast_risk::fees;
use ballast_units::{Lots, MAX_LOTS, Price, Side};
use serde::{Deserialize, Serialize};
use solana_pubkey::Pubkey;
use tsify::Tsify;

use crate::{
    account::stage_name,
    desk::{Desk, open},
    error::Problem,
    market::stands_at,
};

/// How long an order lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub enum OrderKind {
    /// Matches, then rests.
    Limit,
    /// Rests, or is refused if it would match.
    PostOnly,
    /// Rests; one tick behind what it would match.
    PostOnlySlide,
    /// Matches; what is left is dropped.
    ImmediateOrCancel,
    /// Matches completely or not at all.
    FillOrKill,
}

/// What happens where an order would meet its owner's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub enum SelfTradeMode {
    /// The resting one is cancelled.
    #[default]
    CancelResting,
    /// What is left of the new one is dropped.
    CancelTaking,
    /// Both shrink by the smaller of the two; nothing is traded.
    Decrement,
}

impl From<SelfTradeMode> for ballast::SelfTradeMode {
    fn from(mode: SelfTradeMode) -> ballast::SelfTradeMode {
        match mode {
            SelfTradeMode::CancelResting => ballast::SelfTradeMode::CancelResting,
            SelfTradeMode::CancelTaking => ballast::SelfTradeMode::CancelTaking,
            SelfTradeMode::Decrement => ballast::SelfTradeMode::Decrement,
        }
    }
}

/// A fresh account of the same owner, with which an order is placed: its position risks only what is moved there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(rename_all = "camelCase")]
pub struct Isolated {
    /// Its number.
    pub number: u16,
    /// What is moved there first.
    pub collateral: u64,
}

/// An order to try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(rename_all = "camelCase")]
pub struct OrderInput {
    /// The market's index.
    pub market: u16,
    /// Whether it buys.
    pub buys: bool,
    /// How long it lives.
    pub kind: OrderKind,
    /// Worst price; of a pegged order its limit.
    pub price: u64,
    /// Lots.
    pub lots: u64,
    /// Whether it may only reduce the position.
    pub reduce_only: bool,
    /// Makers at most; as many as the program allows where nothing is said.
    #[serde(default)]
    pub max_makers: Option<u32>,
    /// Of an order that follows the mark: its distance from it.
    #[serde(default)]
    pub peg: Option<i64>,
    /// The first second at which it no longer matches; 0 for never.
    #[serde(default)]
    #[tsify(optional)]
    pub expires_at: i64,
    /// What happens where it would meet its owner's own orders.
    #[serde(default)]
    #[tsify(optional)]
    pub self_trade: SelfTradeMode,
    /// The fresh account that it is for, if it is not for the account itself.
    #[serde(default)]
    pub isolated: Option<Isolated>,
}

impl OrderInput {
    fn makers(&self) -> u32 {
        self.max_makers.unwrap_or(u32::from(MAX_MAKERS))
    }

    /// As the program takes it.
    fn to_args(&self) -> Result<OrderArgs, Problem> {
        Ok(OrderArgs {
            buys: self.buys,
            kind: match self.kind {
                OrderKind::Limit => ballast::OrderKind::Limit,
                OrderKind::PostOnly => ballast::OrderKind::PostOnly,
                OrderKind::PostOnlySlide => ballast::OrderKind::PostOnlySlide,
                OrderKind::ImmediateOrCancel => ballast::OrderKind::ImmediateOrCancel,
                OrderKind::FillOrKill => ballast::OrderKind::FillOrKill,
            },
            price: self.price,
            lots: self.lots,
            reduce_only: self.reduce_only,
            client_id: 0,
            expires_at: self.expires_at,
            self_trade: self.self_trade.into(),
            max_makers: u8::try_from(self.makers()).map_err(|_| Problem::of(BallastError::TooLarge))?,
            peg: self.peg,
        })
    }
}

/// How an account stands, with its position in the order's market.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// The position in lots, positive long.
    pub lots: i64,
    /// What it cost.
    pub basis: i64,
    /// Value of all positions at their marks.
    pub notional: u64,
    /// What is left if everything closes at the marks.
    pub equity: i64,
    /// Equity as it counts for opening.
    pub initial_equity: i64,
    /// Initial margin.
    pub initial: u64,
    /// Maintenance margin.
    pub maintenance: u64,
    /// Equity over maintenance margin; `None` without positions.
    pub margin_ratio_bps: Option<i64>,
    /// The mark at which the account is still above liquidation.
    pub liquidation_price: Option<u64>,
    /// The position's bankruptcy price.
    pub bankruptcy_price: Option<i64>,
    /// The stage.
    pub stage: String,
}

/// Why a part of an order is not traded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub enum Lack {
    /// The book has no more at its price.
    Orders,
    /// It meets as many resting orders as it may, and more would match.
    Makers,
    /// It meets an order of its owner's.
    Own,
    /// What is left is too little to rest, or the account's other orders reduce the position already.
    Rest,
}

/// What an order would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[tsify(large_number_types_as_bigints)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// Lots that match at once.
    pub filled: u64,
    /// Their value.
    pub quote: u64,
    /// The taker fee for them.
    pub fee: u64,
    /// Resting orders that it meets.
    pub makers: u32,
    /// The best price that it meets; `None` when it meets nothing.
    pub best: Option<u64>,
    /// The worst price that it meets.
    pub worst: Option<u64>,
    /// Lots that come to rest.
    pub rests: u64,
    /// The price at which they stand now.
    pub rests_at: Option<u64>,
    /// Lots that are dropped.
    pub dropped: u64,
    /// What they lack, or where they went.
    pub lacks: Option<Lack>,
    /// The account before.
    pub before: Standing,
    /// The account after.
    pub after: Standing,
    /// Why the program would refuse, as far as can be seen from here; the rest is said by simulating it.
    pub refusal: Option<Problem>,
}

/// What placing the order on copies did.
struct Tried {
    margin: MarginAccount,
    filled: u64,
    quote: u64,
    fee: u64,
    makers: u32,
    rests: u64,
    rests_at: Option<u64>,
    dropped: u64,
    lacks: Option<Lack>,
}

impl Tried {
    /// Nothing of `dropped` lots.
    fn nothing(margin: MarginAccount, dropped: u64) -> Tried {
        let (filled, quote, fee, makers, rests) = (0, 0, 0, 0, 0);
        Tried { margin, filled, quote, fee, makers, rests, rests_at: None, dropped, lacks: None }
    }
}

/// The market after placing the order on copies of it.
struct Attempt {
    tried: Tried,
    market: Market,
    book: Slab,
    ranks: Slab,
}

impl Attempt {
    /// Everything else as it is, with the market as it would be.
    fn view<'a>(&'a self, desk: &'a Desk) -> Result<View<'a>, Problem> {
        let mut view = desk.view()?;
        view.replace(self.market, self.book.book()?, self.ranks.ranks()?)?;
        Ok(view)
    }
}

impl Desk {
    pub(crate) fn preview(&self, key: &Pubkey, order: &OrderInput) -> Result<Preview, Problem> {
        let view = self.view()?;
        let (key, margin) = &self.trader(&view, key, order)?;
        let margin = *margin;
        let before = standing(&view, key, &margin, order.market)?;
        let attempt = self.attempt(&view, key, margin, order)?;
        let (tried, changed) = (&attempt.tried, attempt.view(self)?);
        let after = standing(&changed, key, &tried.margin, order.market)?;
        let (best, worst) = self.reach(order, tried.filled)?;
        let mut refusal = self.refused_at_once(key, margin, order).err();
        if refusal.is_none() {
            let assessed = changed.assess_account(key, &tried.margin, Marks::Cautious, None)?;
            refusal = short_of_margin(
                order,
                tried.rests > 0,
                &before,
                &after,
                require_initial_margin(&assessed.account).err(),
            );
        }
        Ok(Preview {
            filled: tried.filled,
            quote: tried.quote,
            fee: tried.fee,
            makers: tried.makers,
            best,
            worst,
            rests: tried.rests,
            rests_at: tried.rests_at,
            dropped: tried.dropped,
            lacks: tried.lacks.filter(|_| tried.dropped > 0),
            before,
            after,
            refusal,
        })
    }

    /// The account that the order is for: the one named, or a fresh one that was given money by it.
    fn trader(&self, view: &View, key: &Pubkey, order: &OrderInput) -> Result<(Pubkey, MarginAccount), Problem> {
        let margin = *self.margin(key)?;
        let Some(Isolated { number, collateral }) = order.isolated else { return Ok((*key, margin)) };
        if self.withdrawable(view, key, &margin)? < collateral {
            return Err(Problem::of(BallastError::InsufficientSettled));
        }
        let mut fresh: MarginAccount = bytemuck::Zeroable::zeroed();
        (fresh.version, fresh.number, fresh.collateral) = (margin.version, number, collateral);
        (fresh.exchange, fresh.owner) = (margin.exchange, margin.owner);
        Ok((addresses::margin_account(&margin.exchange, &margin.owner, number), fresh))
    }

    /// Places the order on copies.
    fn attempt(
        &self,
        view: &View,
        key: &Pubkey,
        margin: MarginAccount,
        order: &OrderInput,
    ) -> Result<Attempt, Problem> {
        let entry = open(view, order.market)?.entry;
        let (mut market, mut book, mut ranks) = (entry.market, entry.book.clone(), entry.ranks.clone());
        let venue = &mut Venue::open(&mut market, book.data_mut(), ranks.data_mut())?;
        let tried = place(venue, margin, key, order, self.now)?;
        Ok(Attempt { tried, market, book, ranks })
    }

    /// Everything that the program's own desk says about the order but for the margin at its end, which takes the account's
    /// other markets: prices, sizes, states, limits, what the book says.
    fn refused_at_once(&self, key: &Pubkey, mut margin: MarginAccount, order: &OrderInput) -> Result<(), Problem> {
        let view = self.view()?;
        let entry = open(&view, order.market)?.entry;
        let (mut market, mut book, mut ranks) = (entry.market, entry.book.clone(), entry.ranks.clone());
        let venue = &mut Venue::open(&mut market, book.data_mut(), ranks.data_mut())?;
        let none = Others::new(&[], entry.market.exchange)?;
        let mut desk = ballast::logic::Desk::open(venue, &mut margin, key, &none, false, self.now)?;
        desk.place(&order.to_args()?, false)?;
        Ok(())
    }

    /// Best and worst price among the first `lots` that the order meets.
    fn reach(&self, order: &OrderInput, lots: u64) -> Result<(Option<u64>, Option<u64>), Problem> {
        let makers = side_of(order).opposite();
        let levels = self.levels(order.market, u32::MAX, 1)?;
        let levels = if makers == Side::Long { levels.bids } else { levels.asks };
        let (mut left, mut best, mut worst) = (lots, None, None);
        for level in levels {
            if left == 0 {
                break;
            }
            best = best.or(Some(level.price));
            worst = Some(level.price);
            left = left.saturating_sub(level.lots);
        }
        Ok((best, worst))
    }

    /// Whether an order that may open would be taken: what a preview says, without all that it says besides.
    fn fits(&self, key: &Pubkey, order: &OrderInput) -> Result<bool, Problem> {
        let view = self.view()?;
        let (key, margin) = self.trader(&view, key, order)?;
        if self.refused_at_once(&key, margin, order).is_err() {
            return Ok(false);
        }
        let attempt = self.attempt(&view, &key, margin, order)?;
        let assessed = attempt.view(self)?.assess_account(&key, &attempt.tried.margin, Marks::Cautious, None)?;
        Ok(require_initial_margin(&assessed.account).is_ok())
    }

    /// What of the order would be traded at once, whatever the account can carry.
    fn filled(&self, key: &Pubkey, order: &OrderInput) -> Result<u64, Problem> {
        let view = self.view()?;
        let (key, margin) = self.trader(&view, key, order)?;
        Ok(self.attempt(&view, &key, margin, order)?.tried.filled)
    }

    pub(crate) fn max_lots(&self, key: &Pubkey, order: &OrderInput) -> Result<u64, Problem> {
        let view = self.view()?;
        let params = &open(&view, order.market)?.market.params;
        let (mut low, mut high) = (0, params.max_position_lots.min(MAX_LOTS));
        let fits = |lots: u64| self.fits(key, &OrderInput { lots, ..order.clone() }).unwrap_or(false);
        if order.reduce_only && order.isolated.is_some() {
            return Ok(0);
        }
        if order.reduce_only {
            let held = view.position(key, order.market)?.map_or(0, |state| state.position.0);
            return Ok(reducible(side_of(order), held).0);
        }
        if order.kind == OrderKind::ImmediateOrCancel {
            // It may say any number of lots: only those that the book has for it are traded.
            high = self.filled(key, &OrderInput { lots: high, ..order.clone() })?;
        }
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if fits(middle) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        Ok(low)
    }
}

fn side_of(order: &OrderInput) -> Side {
    if order.buys { Side::Long } else { Side::Short }
}

/// What `place_order` does, in its order, without its checks of margin.
fn place(
    venue: &mut Venue,
    mut margin: MarginAccount,
    key: &Pubkey,
    order: &OrderInput,
    now: i64,
) -> Result<Tried, Problem> {
    if matches!(order.kind, OrderKind::PostOnly | OrderKind::PostOnlySlide) {
        return post(venue, margin, key, order, now);
    }
    let slot = margin.slot_index_or_new(venue.market.index)?;
    touch(venue, &mut margin, slot, key)?;
    let side = side_of(order);
    let mut wanted = order.lots;
    if order.reduce_only {
        wanted = wanted.min(reducible(side, margin.slots[slot].lots).0);
    }
    let mut tried = Tried::nothing(margin, 0);
    let (mut complete, mut decremented) = (true, 0);
    let references = venue.market.terms(now)?.references;
    let standing = order.peg.map_or(order.price, |offset| stands_at(side, references, offset));
    if wanted > 0 {
        let cause = Cause::Taker;
        let self_trade = ballast::SelfTradeMode::from(order.self_trade).into();
        let (limit, max_makers) = (Price(standing), order.makers());
        let terms = Take { side, lots: Lots(wanted), limit, self_trade, max_makers, cause, client_id: 0 };
        let matched = take(venue, &mut tried.margin, slot, key, &terms, now)?;
        settle_slot(venue.market, &mut tried.margin, slot, key)?;
        (tried.filled, tried.quote, tried.makers) = (matched.lots.0, matched.quote, matched.makers);
        let rate = rates(venue.market, &tried.margin)?.taker_ppm;
        let charged = fees::charge(matched.quote, rate);
        tried.fee = charged.map_err(|error| Problem::local("Risk", error.to_string()))?;
        decremented = matched.decremented.0;
        complete = matches!(matched.stopped, Stopped::Price | Stopped::Empty | Stopped::Band);
        tried.lacks = Some(match matched.stopped {
            Stopped::MakerLimit => Lack::Makers,
            Stopped::Price | Stopped::Empty | Stopped::Band => Lack::Orders,
            Stopped::SelfTrade | Stopped::Filled => Lack::Own,
        });
    }
    let left = wanted.saturating_sub(tried.filled).saturating_sub(decremented);
    let to_rest =
        if order.reduce_only { left.min(room_to_reduce(venue, &tried.margin, slot, key, side)?) } else { left };
    if order.kind == OrderKind::Limit && complete && to_rest >= venue.market.params.min_lots && to_rest > 0 {
        rest(venue, &mut tried.margin, slot, key, order, to_rest)?;
        (tried.rests, tried.rests_at) = (to_rest, Some(standing));
    }
    tried.dropped = left + decremented - tried.rests;
    if left == tried.rests {
        tried.lacks = Some(Lack::Own);
    } else if order.kind == OrderKind::Limit && complete {
        tried.lacks = Some(Lack::Rest);
    }
    Ok(tried)
}

/// Lets the program's own desk put an order on the book that does not match, and looks where it stands. One that is
/// refused changes nothing; why is said elsewhere.
fn post(
    venue: &mut Venue,
    mut margin: MarginAccount,
    key: &Pubkey,
    order: &OrderInput,
    now: i64,
) -> Result<Tried, Problem> {
    let before = margin;
    let none = Others::new(&[], venue.market.exchange)?;
    let placed =
        ballast::logic::Desk::open(venue, &mut margin, key, &none, false, now)?.place(&order.to_args()?, false);
    let mut tried = Tried::nothing(before, order.lots);
    if placed.is_err() {
        return Ok(tried);
    }
    let seat = margin.slot_index(venue.market.index).map_or(0, |slot| margin.slots[slot].seat);
    let failed = |error: ballast_book::BookError| Problem::local("Book", error.to_string());
    let newest = venue.book.view().seat_orders(seat).map_err(failed)?.next();
    let references = venue.market.terms(now)?.references;
    let stands = newest.map(|order| order.peg.map_or(order.price.0, |at| stands_at(order.side, references, at)));
    // One that only reduces may be smaller than it was asked to be.
    let rests = newest.map_or(0, |order| order.lots.0);
    (tried.margin, tried.rests, tried.rests_at, tried.dropped) = (margin, rests, stands, order.lots - rests);
    tried.lacks = Some(Lack::Rest);
    Ok(tried)
}

/// What of the position the account's resting orders of a side leave to reduce.
fn room_to_reduce(
    venue: &Venue,
    margin: &MarginAccount,
    slot: usize,
    key: &Pubkey,
    side: Side,
) -> Result<u64, Problem> {
    let slot = &margin.slots[slot];
    let failed = |error: ballast_book::BookError| Problem::local("Book", error.to_string());
    let rests = match slot.seat {
        0 => 0,
        seat => venue.book.seat(seat, &key.to_bytes()).map_err(failed)?.lots(side).0,
    };
    Ok(reducible(side, slot.lots).0.saturating_sub(rests))
}

fn rest(
    venue: &mut Venue,
    margin: &mut MarginAccount,
    slot: usize,
    key: &Pubkey,
    order: &OrderInput,
    lots: u64,
) -> Result<(), Problem> {
    let failed = |error: ballast_book::BookError| Problem::local("Book", error.to_string());
    if margin.slots[slot].seat == 0 {
        let seat = venue.book.open_seat(key.to_bytes(), margin.owner.to_bytes()).map_err(failed)?;
        margin.slots[slot].seat = seat;
    }
    let new = NewOrder {
        side: side_of(order),
        price: Price(order.price),
        peg: order.peg,
        lots: Lots(lots),
        seat: margin.slots[slot].seat,
        client_id: 0,
        expires_at: order.expires_at,
        reduce_only: order.reduce_only,
    };
    venue.book.rest(new).map(drop).map_err(failed)
}

fn standing(view: &View, key: &Pubkey, margin: &MarginAccount, market: u16) -> Result<Standing, Problem> {
    let assessment = view.assess_account(key, margin, Marks::Current, Some(market))?;
    let account = &assessment.account;
    let position = view.position_of(key, margin, market)?.unwrap_or_default();
    let notional = (0u16..).zip(&margin.slots).try_fold(0u64, |sum, (_, slot)| {
        let Some(index) = slot.market() else { return Ok(sum) };
        let held = view.assess_account(key, margin, Marks::Current, Some(index))?.primary.notional;
        Ok::<_, Problem>(sum.saturating_add(held))
    })?;
    Ok(Standing {
        lots: position.position.0,
        basis: position.basis.0,
        notional,
        equity: account.equity.0,
        initial_equity: account.initial_equity.0,
        initial: account.initial,
        maintenance: account.maintenance,
        margin_ratio_bps: Some(account.margin_ratio_bps()).filter(|_| account.maintenance != 0),
        liquidation_price: view.liquidation_price(key, margin, market)?.map(|price| price.0),
        bankruptcy_price: assessment.bankruptcy_price(position.position).ok(),
        stage: stage_name(account.stage()).to_owned(),
    })
}

/// Margin, after the program's own rule: an order that only reduces may leave an account below initial margin, as long as nothing of
/// it rests, the account is solvent and its margin above maintenance has not become less.
fn short_of_margin(
    order: &OrderInput,
    rests: bool,
    before: &Standing,
    after: &Standing,
    margin: Option<anchor_lang::error::Error>,
) -> Option<Problem> {
    let excess = |standing: &Standing| i128::from(standing.equity) - i128::from(standing.maintenance);
    let improved = order.reduce_only && !rests && excess(after) >= excess(before) && after.equity >= 0;
    margin.filter(|_| !improved).map(Problem::from)
}
