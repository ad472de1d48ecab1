//! Follows the cluster: asks what is new, puts it in order, fetches it, has it written, and mends what the cluster drops.
//!
//! A node lists the program's transactions newest first. What is final is asked for from the last final transaction on and
//! never looked at again. What is only confirmed is written too, so that pages are current, and compared with the list at
//! every pass, until it is final or gone. Nothing depends on notifications: they only say that it is time to look.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use solana_pubkey::Pubkey;
use tokio::{
    sync::broadcast,
    task::{block_in_place, yield_now},
    time::sleep,
};

use crate::{
    api::{Markets, stream::News},
    board::Board,
    db::DbError,
    metrics::Metrics,
    position::{MAX_RANK, Tx},
    source::{Finality, Listed, Source, SourceError, decode},
    write::{Anchor, Indexed, Writer, is_displaced},
};

/// Transactions in a list.
const PAGE: usize = 1_000;
/// Pages that are kept while going back; older ones are asked for again on the way forward.
const KEPT: usize = 16;
/// Transactions that are written at once, rounded up to whole slots.
const BATCH: usize = 256;
/// Lines after which those who listen get time to read; what waits for them is bounded (see [`crate::api::stream::BACKLOG`]).
const BREATHER: usize = 512;
/// How often a node is tried whether it refuses to list when it is behind.
const TRY_EVERY: Duration = Duration::from_secs(60);
/// Slots that no node is ahead of what it just said: half a year.
const FAR_AHEAD: u64 = 40_000_000;
/// How long slow listeners may hold up a batch.
const HOLD_UP: Duration = Duration::from_secs(1);

/// Why a pass did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The source has no answer now.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The database refuses.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl FollowError {
    /// Whether trying again is pointless.
    pub fn is_final(&self) -> bool {
        matches!(self, FollowError::Db(error) if is_displaced(error))
    }

    /// What kind of trouble it is, for `/health`, which anybody may read: words of nodes and databases name addresses and
    /// more, and stay in the log.
    pub fn category(&self) -> &'static str {
        match self {
            FollowError::Source(SourceError::Node(_) | SourceError::Behind(_)) => "the node does not answer or refuses",
            FollowError::Source(SourceError::Torn(_)) => "the node's answers do not fit each other",
            FollowError::Source(SourceError::Newer) => "the program is newer than the indexer",
            FollowError::Source(SourceError::Lacking(_)) => "the node lacks history that the tables need",
            FollowError::Db(_) => "the database cannot be reached or refuses",
        }
    }
}

/// Follows one exchange.
pub struct Follower<S> {
    source: Arc<S>,
    writer: Writer,
    exchange: Pubkey,
    markets: Markets,
    board: Arc<Board>,
    metrics: Arc<Metrics>,
    news: broadcast::Sender<News>,
    /// Transactions fetched at once.
    fetchers: usize,
    /// Goes on although the node has forgotten what follows the tables.
    accept_gap: bool,
    /// Whether the node is known to know the last final transaction.
    anchored: bool,
    /// Whether the node refuses to list when it is behind, and when it was tried.
    heeds: Option<(Instant, bool)>,
}

/// What a follower works with.
pub struct Parts<S> {
    /// Where transactions come from.
    pub source: Arc<S>,
    /// Who writes them.
    pub writer: Writer,
    /// Of which exchange.
    pub exchange: Pubkey,
    /// Where to report.
    pub board: Arc<Board>,
    /// What to count.
    pub metrics: Arc<Metrics>,
    /// Whom to tell.
    pub news: broadcast::Sender<News>,
    /// Transactions fetched at once.
    pub fetchers: usize,
    /// Goes on although the node has forgotten what follows the tables.
    pub accept_gap: bool,
}

/// Where a page of a list begins: before one transaction, with another one, which the page before has shown already. A node
/// that lacks them, because it is behind, cannot pretend that history ends there.
#[derive(Clone)]
struct Seam {
    before: String,
    shown: String,
}

/// The pages between the newest transaction and the anchor.
struct Walk {
    /// Where each page begins, newest first; the first at the newest transaction.
    begins: Vec<Option<Seam>>,
    /// The last pages themselves, by their number.
    kept: VecDeque<(usize, Vec<Listed>)>,
    /// Whether there was something newer than what counts.
    more: bool,
    /// Slot of the newest transaction in the list.
    newest: Option<u64>,
}

impl<S: Source> Follower<S> {
    /// A follower.
    pub fn new(parts: Parts<S>) -> Follower<S> {
        let Parts { source, writer, exchange, board, metrics, news, fetchers, accept_gap } = parts;
        let markets = Markets::new(&exchange);
        let (anchored, heeds) = (false, None);
        Follower { source, writer, exchange, markets, board, metrics, news, fetchers, accept_gap, anchored, heeds }
    }

    /// Where it reports.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// What it counts.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Brings the tables to what the node says now, at this finality. Returns whether the node had something newer that
    /// does not count yet.
    ///
    /// # Errors
    /// When something stopped it; what was written before is consistent, and the next pass goes on from there.
    pub async fn pass(&mut self, finality: Finality) -> Result<bool, FollowError> {
        let ceiling = self.source.slot(finality).await?;
        self.board.hear(ceiling);
        let anchor = block_in_place(|| self.writer.anchor())?;
        let walk = self.walk(finality, ceiling, &anchor).await?;
        if walk.begins.len() > 1 {
            self.anchored = false;
        }
        self.check_anchor(&anchor).await?;

        let mut stored = block_in_place(|| self.writer.provisional())?;
        let mut unseen = match finality {
            Finality::Finalized => stored.range(..=ceiling).map(|(slot, all)| (*slot, all.clone())).collect(),
            // What a confirmed list lacks is not dropped for good.
            Finality::Confirmed => BTreeMap::new(),
        };
        let mut batch: Vec<(u64, Vec<Listed>)> = Vec::new();
        let mut open: Option<(u64, Vec<Listed>)> = None;
        for page in (0..walk.begins.len()).rev() {
            let listed = self.page(&walk, page, finality, ceiling, &anchor).await?;
            for entry in listed.into_iter().rev() {
                match &mut open {
                    Some((slot, group)) if *slot == entry.slot => group.push(entry),
                    _ => {
                        let slot = entry.slot;
                        if let Some(group) = open.replace((slot, vec![entry])) {
                            self.check_denied(&mut unseen, group.0, &group.1).await?;
                            self.take(group, &mut stored, &mut batch, finality).await?;
                        }
                    }
                }
            }
        }
        if let Some(group) = open {
            self.check_denied(&mut unseen, group.0, &group.1).await?;
            self.take(group, &mut stored, &mut batch, finality).await?;
        }
        self.write(&mut batch, finality).await?;
        self.check_denied(&mut unseen, ceiling, &[]).await?;
        // What is left is newer than everything in the list. A confirmed list may be of a node that is behind.
        let gone = stored.keys().next().copied().filter(|slot| finality == Finality::Finalized && *slot <= ceiling);
        if let Some(slot) = gone {
            self.roll_back(slot)?;
        }
        let reached = match finality {
            Finality::Confirmed => ceiling,
            Finality::Finalized => self.proven(ceiling, walk.newest).await,
        };
        block_in_place(|| match finality {
            Finality::Finalized => self.writer.finalize(reached),
            Finality::Confirmed => self.writer.add(&[], ceiling, None, false).map(|_| ()),
        })?;
        self.report(finality, reached);
        Ok(walk.more)
    }

    /// Up to where a list shows all that is final. Of a node that refuses to list when it is behind, that is the slot that was asked
    /// for. Any other one may be behind without a word: then only what it showed proves how far it is.
    async fn proven(&mut self, ceiling: u64, newest: Option<u64>) -> u64 {
        let shown = newest.unwrap_or(0).min(ceiling);
        if shown == ceiling {
            return ceiling;
        }
        let heeds = match self.heeds {
            Some((at, heeds)) if at.elapsed() < TRY_EVERY => heeds,
            _ => {
                let ahead = ceiling.saturating_add(FAR_AHEAD);
                let answer = self.source.signatures(Finality::Finalized, None, None, 1, ahead).await;
                let heeds = matches!(answer, Err(SourceError::Behind(_)));
                self.heeds = Some((Instant::now(), heeds));
                heeds
            }
        };
        if heeds { ceiling } else { shown }
    }

    /// Goes back from the newest transaction to the anchor.
    async fn walk(&self, finality: Finality, ceiling: u64, anchor: &Anchor) -> Result<Walk, FollowError> {
        let mut walk = Walk { begins: Vec::new(), kept: VecDeque::new(), more: false, newest: None };
        let mut begin: Option<Seam> = None;
        loop {
            let page = self.list(begin.as_ref(), finality, ceiling, anchor).await?;
            self.board.hear(0);
            let next = match &page[..] {
                [] => break,
                [.., before, shown] if page.len() + usize::from(begin.is_some()) >= PAGE => {
                    let older = page.iter().all(|entry| entry.slot > anchor.final_slot);
                    older.then(|| Seam { before: before.signature.clone(), shown: shown.signature.clone() })
                }
                _ => None,
            };
            walk.newest = walk.newest.or(page.first().map(|entry| entry.slot));
            walk.more |= page.iter().any(|entry| entry.slot > ceiling);
            walk.kept.push_back((walk.begins.len(), relevant(page, ceiling, anchor)));
            if walk.kept.len() > KEPT {
                walk.kept.pop_front();
            }
            walk.begins.push(std::mem::replace(&mut begin, next));
            if begin.is_none() {
                break;
            }
            if walk.begins.len().is_multiple_of(50) {
                tracing::info!(transactions = walk.begins.len() * PAGE, "going back through history");
            }
        }
        Ok(walk)
    }

    /// One page of the list, newest first.
    async fn list(
        &self,
        begin: Option<&Seam>,
        finality: Finality,
        ceiling: u64,
        anchor: &Anchor,
    ) -> Result<Vec<Listed>, FollowError> {
        let before = begin.map(|begin| begin.before.as_str());
        let mut page = self.source.signatures(finality, before, anchor.signature.as_deref(), PAGE, ceiling).await?;
        if let Some(begin) = begin {
            if page.first().is_none_or(|entry| entry.signature != begin.shown) {
                return Err(torn_history().into());
            }
            page.remove(0);
        }
        Ok(page)
    }

    /// A page of the walk, newest first.
    async fn page(
        &self,
        walk: &Walk,
        number: usize,
        finality: Finality,
        ceiling: u64,
        anchor: &Anchor,
    ) -> Result<Vec<Listed>, FollowError> {
        if let Some((_, page)) = walk.kept.iter().find(|(kept, _)| *kept == number) {
            return Ok(page.clone());
        }
        let page = self.list(walk.begins[number].as_ref(), finality, ceiling, anchor).await?;
        let end = walk.begins.get(number + 1).and_then(Option::as_ref);
        // The same page again, or what follows would be out of order.
        if page.last().map(|entry| &entry.signature) != end.map(|end| &end.shown) {
            return Err(torn_history().into());
        }
        Ok(relevant(page, ceiling, anchor))
    }

    /// That the node still knows where the tables end: otherwise what follows may not be all.
    async fn check_anchor(&mut self, anchor: &Anchor) -> Result<(), FollowError> {
        let Some(signature) = anchor.signature.as_deref().filter(|_| !self.anchored && !self.accept_gap) else {
            return Ok(());
        };
        if self.source.transaction(signature, Finality::Finalized).await?.is_none() {
            let what = format!(
                "the node does not know {signature}, the last final transaction of these tables: it has forgotten \
                 that time, or is of another chain. Ask a node that remembers, index into a new database, or accept \
                 the gap with --accept-gap"
            );
            return Err(SourceError::Lacking(what).into());
        }
        self.anchored = true;
        Ok(())
    }

    /// That a list which has come to `slot` (with `group` in it) does not lack what the node itself calls final. `unseen`
    /// holds what the tables have and the list has not shown yet.
    async fn check_denied(
        &self,
        unseen: &mut BTreeMap<u64, Vec<String>>,
        slot: u64,
        group: &[Listed],
    ) -> Result<(), FollowError> {
        let later = unseen.split_off(&(slot + 1));
        for (at, signatures) in std::mem::replace(unseen, later) {
            for signature in signatures {
                if at == slot && group.iter().any(|listed| listed.signature == signature) {
                    continue;
                }
                let known = self.source.transaction(&signature, Finality::Finalized).await?;
                match known.map(|fetched| fetched.slot) {
                    Some(known) if known == at => {
                        let what = format!("{signature}, of slot {at}, is final and not in the list");
                        return Err(SourceError::Torn(what).into());
                    }
                    // It landed again: the list has to show it there.
                    Some(known) if known > slot => unseen.entry(known).or_default().push(signature),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Compares a slot of the list with the tables; what differs is rolled back there, what is new goes into the batch.
    async fn take(
        &mut self,
        (slot, group): (u64, Vec<Listed>),
        stored: &mut BTreeMap<u64, Vec<String>>,
        batch: &mut Vec<(u64, Vec<Listed>)>,
        finality: Finality,
    ) -> Result<(), FollowError> {
        if let Some((first, signatures)) = stored.first_key_value() {
            if *first == slot && self.agree(signatures, slot, &group, finality).await? {
                stored.pop_first();
                return Ok(());
            }
            let from = slot.min(*first);
            stored.clear();
            self.roll_back(from)?;
        }
        batch.push((slot, group));
        if batch.iter().map(|(_, group)| group.len()).sum::<usize>() >= BATCH {
            self.write(batch, finality).await?;
        }
        Ok(())
    }

    /// Whether a slot's transactions in the tables are those of the list. What becomes final has to be in the block's order
    /// too: a leader may have made two blocks of the same transactions.
    async fn agree(
        &self,
        signatures: &[String],
        slot: u64,
        group: &[Listed],
        finality: Finality,
    ) -> Result<bool, FollowError> {
        if !same(signatures, group) || finality == Finality::Confirmed {
            return Ok(same(signatures, group));
        }
        let ordered = self.ordered(slot, group.to_vec(), finality).await?;
        Ok(ordered.iter().map(|listed| &listed.signature).eq(signatures))
    }

    fn roll_back(&mut self, slot: u64) -> Result<(), FollowError> {
        tracing::warn!(slot, "the cluster has dropped what was written from this slot on: taking it back");
        block_in_place(|| self.writer.roll_back(slot))?;
        self.metrics.rollbacks.inc();
        // Nobody listening is fine.
        let _ = self.news.send(News::rollback(slot));
        Ok(())
    }

    /// Fetches a batch and has it written.
    async fn write(&mut self, batch: &mut Vec<(u64, Vec<Listed>)>, finality: Finality) -> Result<(), FollowError> {
        let Some((slot, _)) = batch.last() else { return Ok(()) };
        let slot = *slot;
        let mut placed = Vec::new();
        for (slot, group) in std::mem::take(batch) {
            for (rank, listed) in self.ordered(slot, group, finality).await?.into_iter().enumerate() {
                if rank > MAX_RANK {
                    return Err(SourceError::Lacking(format!("slot {slot} has too many transactions")).into());
                }
                placed.push((Tx::new(slot, rank), listed));
            }
        }
        let fetching = stream::iter(placed).map(|(tx, listed)| self.fetch(tx, listed, finality));
        let fetched: Vec<Result<Indexed, FollowError>> = fetching.buffered(self.fetchers).collect().await;
        let transactions = fetched.into_iter().collect::<Result<Vec<_>, _>>()?;
        let tell = self.news.receiver_count() > 0;
        let final_slot = (finality == Finality::Finalized).then_some(slot);
        let (written, news) = block_in_place(|| self.writer.add(&transactions, slot, final_slot, tell))?;
        self.tell(news).await;
        self.metrics.events.inc_by(written.events);
        self.metrics.unknown.inc_by(written.unknown);
        self.metrics.transactions.inc_by(u64::try_from(transactions.len()).unwrap_or_default());
        self.report(finality, slot);
        Ok(())
    }

    /// Tells those who listen, no faster than they read, as long as that does not hold up the tables.
    async fn tell(&self, news: Vec<News>) {
        let began = Instant::now();
        for (number, news) in news.into_iter().enumerate() {
            if number % BREATHER == BREATHER - 1 {
                yield_now().await;
                while self.news.len() > BREATHER && began.elapsed() < HOLD_UP {
                    sleep(Duration::from_millis(1)).await;
                }
            }
            let _ = self.news.send(news);
        }
    }

    /// A slot's transactions in the order of its block. Nodes list them in no order that is promised, so the block is asked
    /// where there are several and the list has no places.
    async fn ordered(&self, slot: u64, mut group: Vec<Listed>, finality: Finality) -> Result<Vec<Listed>, FollowError> {
        if group.len() < 2 {
            return Ok(group);
        }
        if group.iter().all(|listed| listed.index.is_some()) {
            group.sort_by_key(|listed| listed.index);
            return Ok(group);
        }
        let block = self.source.block(slot, finality).await?;
        let places: BTreeMap<&str, usize> = block.iter().map(String::as_str).zip(0..).collect();
        let place = |listed: &Listed| places.get(listed.signature.as_str()).copied();
        if let Some(stray) = group.iter().find(|listed| place(listed).is_none()) {
            let what = format!("{} is listed in slot {slot}, and not in its block", stray.signature);
            return Err(SourceError::Torn(what).into());
        }
        group.sort_by_key(place);
        Ok(group)
    }

    async fn fetch(&self, tx: Tx, listed: Listed, finality: Finality) -> Result<Indexed, FollowError> {
        let Listed { signature, slot, failed, time, .. } = listed;
        // What a failed transaction logged did not take place.
        if failed {
            return Ok(Indexed { tx, signature, time, failed, events: Vec::new() });
        }
        let fetched = self.source.transaction(&signature, finality).await?;
        let torn = |what: &str| SourceError::Torn(format!("{signature}, listed in slot {slot}, {what}"));
        let fetched = fetched.ok_or_else(|| torn("is not there"))?;
        if fetched.slot != slot {
            return Err(torn(&format!("is in slot {}", fetched.slot)).into());
        }
        let events = decode(&fetched, &self.exchange, &self.markets)?;
        Ok(Indexed { tx, signature, time: fetched.time.or(time), failed, events })
    }

    fn report(&self, finality: Finality, slot: u64) {
        self.board.hear(slot);
        let slot = i64::try_from(slot).unwrap_or(i64::MAX);
        if finality == Finality::Finalized {
            self.metrics.final_slot.set(slot.max(self.metrics.final_slot.get()));
        }
        self.metrics.slot.set(slot.max(self.metrics.slot.get()));
        self.metrics.chain_slot.set(i64::try_from(self.board.chain_slot()).unwrap_or(i64::MAX));
    }
}

/// What of a page counts: newer than the anchor's slot, not newer than the ceiling.
fn relevant(page: Vec<Listed>, ceiling: u64, anchor: &Anchor) -> Vec<Listed> {
    page.into_iter().filter(|entry| entry.slot > anchor.final_slot && entry.slot <= ceiling).collect()
}

fn torn_history() -> SourceError {
    SourceError::Torn("history changed while it was read".to_string())
}

fn same(signatures: &[String], group: &[Listed]) -> bool {
    signatures.len() == group.len() && group.iter().all(|listed| signatures.contains(&listed.signature))
}
