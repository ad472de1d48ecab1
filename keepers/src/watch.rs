//! Which accounts to look at: those that a price may have touched, those in trouble, those that changed, and in between
//! all others in turn.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    time::{Duration, Instant},
};

use ballast_book::Pending;
use ballast_client::{
    ballast::{
        logic::Marks,
        state::{Market, Slot},
    },
    view::{View, ViewError},
};
use ballast_risk::health::Stage;
use solana_pubkey::Pubkey;

use crate::{
    decide::edge::{Prices, Queues, room},
    task::{STAGES, stage_index},
};

/// Fills that wait in a seat.
#[derive(Clone, Copy, Debug)]
struct Fills {
    pending: Pending,
    since: Instant,
}

/// What is known of all accounts between looks at them.
#[derive(Default)]
pub struct Watch {
    queues: Queues,
    stages: HashMap<Pubkey, Stage>,
    counts: [i64; STAGES.len()],
    /// Accounts below maintenance margin, with their margin ratios when they were last looked at, in basis points.
    hot: HashMap<Pubkey, i64>,
    /// Accounts below initial margin, and not below maintenance.
    restricted: HashSet<Pubkey>,
    unassessable: HashSet<Pubkey>,
    /// By market, then account.
    fills: HashMap<u16, HashMap<Pubkey, Fills>>,
    /// Deleveragings of each market so far.
    deleverages: HashMap<u16, u64>,
    /// Accounts to look at in turn.
    round: Vec<Pubkey>,
}

/// What one look at an account found.
struct Look {
    stage: Stage,
    ratio_bps: i64,
    room: u64,
    markets: Vec<u16>,
}

impl Watch {
    /// A market's account as it is now. Returns the accounts that it may have taken below maintenance margin, nearest to the
    /// edge first.
    pub fn market_changed(&mut self, market: &Market) -> Vec<Pubkey> {
        let prices = Prices::of(market.mark_state(), market.funding_index());
        let mut due = self.queues.advance(market.index, prices);
        let before = self.deleverages.insert(market.index, market.deleverages);
        if before.is_some_and(|before| before != market.deleverages) {
            // Anyone on the other side may have been reduced.
            due.extend(self.queues.take_all(market.index));
            self.round.clear();
        }
        due
    }

    /// A market's book as it is now. Returns the accounts whose waiting fills changed.
    pub fn book_changed(&mut self, view: &View, index: u16, now: Instant) -> Result<Vec<Pubkey>, ViewError> {
        let known = self.fills.entry(index).or_default();
        let mut waiting = HashMap::new();
        let mut changed = Vec::new();
        for (_, seat) in view.market(index)?.book.seats() {
            let pending = seat.pending();
            if pending == Pending::default() {
                continue;
            }
            let key = Pubkey::new_from_array(seat.account);
            let since = match known.remove(&key) {
                Some(before) if before.pending == pending => before.since,
                Some(before) => {
                    changed.push(key);
                    before.since
                }
                None => {
                    changed.push(key);
                    now
                }
            };
            waiting.insert(key, Fills { pending, since });
        }
        // What is left was folded.
        changed.extend(known.keys());
        *known = waiting;
        Ok(changed)
    }

    /// For how long fills have waited in the account's seat.
    pub fn fills_wait(&self, market: u16, key: &Pubkey, now: Instant) -> Option<Duration> {
        let fills = self.fills.get(&market)?.get(key)?;
        Some(now.saturating_duration_since(fills.since))
    }

    /// Accounts whose fills have waited for so long: market and account.
    pub fn fills_older_than(&self, age: Duration, now: Instant) -> Vec<(u16, Pubkey)> {
        let old = |fills: &Fills| now.saturating_duration_since(fills.since) >= age;
        let of_market = |(index, seats): (&u16, &HashMap<Pubkey, Fills>)| {
            let index = *index;
            let keys: Vec<_> = seats.iter().filter(|(_, fills)| old(fills)).map(|(key, _)| (index, *key)).collect();
            keys
        };
        self.fills.iter().flat_map(of_market).collect()
    }

    /// Looks at an account and puts it to where it belongs.
    pub fn look(&mut self, view: &View, key: &Pubkey) {
        let Some(account) = view.snapshot().account(key) else {
            self.forget(key);
            return;
        };
        match look(view, key, &account.slots) {
            Ok(Look { stage, ratio_bps, room, markets }) => {
                self.set_stage(key, Some(stage));
                self.unassessable.remove(key);
                self.queues.put(*key, &markets, room);
                if stage >= Stage::Partial {
                    self.hot.insert(*key, ratio_bps);
                } else {
                    self.hot.remove(key);
                }
                if stage == Stage::Restricted {
                    self.restricted.insert(*key);
                } else {
                    self.restricted.remove(key);
                }
            }
            Err(error) => {
                // Until the next price, at which it is due whatever it is.
                tracing::debug!(account = %key, %error, "the account cannot be assessed");
                let markets: Vec<u16> = account.slots.iter().filter_map(Slot::market).collect();
                self.queues.put(*key, &markets, 0);
                self.unassessable.insert(*key);
                self.hot.remove(key);
                self.restricted.remove(key);
            }
        }
    }

    /// Whether an account has ever been looked at.
    pub fn knows(&self, key: &Pubkey) -> bool {
        self.stages.contains_key(key) || self.unassessable.contains(key)
    }

    /// Forgets an account that is gone.
    pub fn forget(&mut self, key: &Pubkey) {
        self.set_stage(key, None);
        self.queues.remove(key);
        self.hot.remove(key);
        self.restricted.remove(key);
        self.unassessable.remove(key);
    }

    fn set_stage(&mut self, key: &Pubkey, stage: Option<Stage>) {
        let before = match (self.stages.entry(*key), stage) {
            (Entry::Occupied(mut entry), Some(stage)) => Some(entry.insert(stage)),
            (Entry::Occupied(entry), None) => Some(entry.remove()),
            (Entry::Vacant(entry), Some(stage)) => {
                entry.insert(stage);
                None
            }
            (Entry::Vacant(_), None) => None,
        };
        if let Some(before) = before {
            self.counts[stage_index(before)] -= 1;
        }
        if let Some(stage) = stage {
            self.counts[stage_index(stage)] += 1;
        }
    }

    /// Accounts below maintenance margin.
    pub fn hot(&self) -> Vec<Pubkey> {
        self.hot.keys().copied().collect()
    }

    /// Of the accounts below maintenance margin that `free` lets through, up to `limit` with the lowest margin ratios.
    pub fn worst(&self, limit: usize, free: impl Fn(&Pubkey) -> bool) -> Vec<Pubkey> {
        let mut worst: Vec<_> =
            self.hot.iter().filter(|(key, _)| free(key)).map(|(key, ratio)| (*ratio, *key)).collect();
        if worst.len() > limit {
            worst.select_nth_unstable(limit);
            worst.truncate(limit);
        }
        worst.into_iter().map(|(_, key)| key).collect()
    }

    /// Accounts below initial margin, and not below maintenance.
    pub fn restricted(&self) -> Vec<Pubkey> {
        self.restricted.iter().copied().collect()
    }

    /// Whether a further move in a market, in 10^-9, may take any account below maintenance margin.
    pub fn reaches(&self, market: u16, moved: u64) -> bool {
        self.queues.reaches(market, moved)
    }

    /// The next accounts in turn, up to `limit`. A new round begins with `all` when one has ended; it is asked for only
    /// then.
    pub fn next_in_turn(&mut self, limit: usize, all: impl FnOnce() -> Vec<Pubkey>) -> Vec<Pubkey> {
        if self.round.is_empty() {
            self.round = all();
        }
        let rest = self.round.len().saturating_sub(limit);
        self.round.split_off(rest)
    }

    /// Forgets accounts that `exists` denies.
    pub fn retain(&mut self, exists: impl Fn(&Pubkey) -> bool) {
        let gone: Vec<_> = self.stages.keys().filter(|key| !exists(key)).copied().collect();
        for key in gone {
            self.forget(&key);
        }
    }

    /// How many accounts are at each stage, and how many cannot be assessed now.
    pub fn counts(&self) -> ([i64; STAGES.len()], usize) {
        (self.counts, self.unassessable.len())
    }
}

/// An account at the marks that liquidation uses: its stage, and how far prices may move before it is below maintenance
/// margin.
fn look(view: &View, key: &Pubkey, slots: &[Slot]) -> Result<Look, ViewError> {
    let exposure = view.exposure(key, Marks::Confirmed)?;
    let markets: Vec<u16> = slots.iter().filter_map(Slot::market).collect();
    let mut rate = 0;
    for index in &markets {
        let tiers = view.market(*index)?.market.params.tiers();
        rate = rate.max(tiers.iter().map(|tier| tier.maintenance_bps).max().unwrap_or(0));
    }
    let account = &exposure.assessment.account;
    let maintenance = i64::try_from(account.maintenance).unwrap_or(i64::MAX);
    let slack = account.equity.0.saturating_sub(maintenance);
    let (stage, ratio_bps) = (account.stage(), account.margin_ratio_bps());
    Ok(Look { stage, ratio_bps, room: room(slack, exposure.gross, rate), markets })
}
