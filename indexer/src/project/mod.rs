//! From events to the derived tables: one event at a time, in the chain's order, from the events alone. So building the
//! tables again gives the same ones, and whatever is rolled back can be built anew.

mod lines;

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Value as Json, json};
use solana_pubkey::Pubkey;

use crate::{
    api::{Markets, stream::News},
    candles::{self, Candle, INTERVALS},
    db::{Connection, DbError, Value},
    items::{Head, Side, Trade},
    position::{Id, Tx},
    read,
    source::Logged,
};

const ENTRY: &str = "INSERT INTO entries (subject, list, tx, event, part, body) VALUES ($1, $2, $3, $4, $5, $6)";
const TRADE: &str = "INSERT INTO trades (market, tx, event, part, time, price, lots, taker_side, maker, taker, forced)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const POSITION: &str = "INSERT INTO positions (account, market, tx, event, basis) VALUES ($1, $2, $3, $4, $5)";
const RESTING: &str = "INSERT INTO resting (market, order_id, tx, event, step, lots) VALUES ($1, $2, $3, $4, $5, $6)";
const SEAT: &str = "INSERT INTO seats (market, seat, tx, event, account) VALUES ($1, $2, $3, $4, $5)";
/// Rows that wait before they are written.
const FULL: usize = 2_000;
/// Candles, orders and positions kept in memory, of each so many.
const MANY: usize = 10_000;

/// The transaction that an event is of.
#[derive(Clone, Debug)]
pub struct At {
    /// Its place.
    pub tx: Tx,
    /// Its signature.
    pub signature: String,
    /// Its unix time.
    pub time: i64,
}

/// Builds the derived tables.
pub struct Projector {
    exchange: String,
    markets: Markets,
    /// Who sits in a market's seat, as far as it was looked up.
    seats: HashMap<(u16, u32), String>,
    /// What the insurance vault holds by its events.
    insurance: Option<i128>,
    /// The basis of accounts' positions in markets, as far as it was looked up.
    bases: HashMap<(String, u16), i64>,
    /// Lots that rest of a market's orders, as far as they were looked up.
    resting: HashMap<(u16, u128), u64>,
    /// Candles as they are, and whether they have changed since they were written.
    candles: HashMap<(u16, i64, i64), (Candle, bool)>,
    entries: Vec<Vec<Value>>,
    trades: Vec<Vec<Value>>,
    seated: Vec<Vec<Value>>,
    positions: Vec<Vec<Value>>,
    rested: Vec<Vec<Value>>,
    /// What to tell, if anybody listens.
    news: Option<Vec<News>>,
}

/// Writes lines of one event.
struct Pen<'a> {
    projector: &'a mut Projector,
    db: &'a mut dyn Connection,
    at: &'a At,
    event: i64,
    /// Lines so far, by subject: its history is all of its lists, so they are counted together.
    parts: HashMap<String, i64>,
    /// Changes of what rests so far.
    steps: i64,
}

impl Projector {
    /// Of an exchange.
    pub fn new(exchange: &Pubkey) -> Projector {
        Projector {
            exchange: exchange.to_string(),
            markets: Markets::new(exchange),
            seats: HashMap::new(),
            insurance: None,
            bases: HashMap::new(),
            resting: HashMap::new(),
            candles: HashMap::new(),
            entries: Vec::new(),
            trades: Vec::new(),
            seated: Vec::new(),
            positions: Vec::new(),
            rested: Vec::new(),
            news: None,
        }
    }

    /// The addresses of the exchange's markets.
    pub fn markets(&self) -> &Markets {
        &self.markets
    }

    /// Forgets everything that is not written: what was read before may be rolled back or undone.
    pub fn forget(&mut self) {
        self.seats.clear();
        self.insurance = None;
        self.bases.clear();
        self.resting.clear();
        self.candles.clear();
        for rows in [&mut self.entries, &mut self.trades, &mut self.seated, &mut self.positions, &mut self.rested] {
            rows.clear();
        }
        self.news = None;
    }

    /// Collects news from here on.
    pub fn listen(&mut self) {
        self.news = Some(Vec::new());
    }

    /// The news since [`Projector::listen`].
    pub fn news(&mut self) -> Vec<News> {
        self.news.take().unwrap_or_default()
    }

    /// Adds what one event says.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn add(&mut self, db: &mut dyn Connection, at: &At, logged: &Logged) -> Result<(), DbError> {
        if let Some(event) = logged.typed() {
            let mut pen = Pen { projector: self, db, at, event: logged.event, parts: HashMap::new(), steps: 0 };
            pen.write(&event)?;
        }
        if self.entries.len() + self.trades.len() > FULL {
            self.flush(db)?;
        }
        Ok(())
    }

    /// Writes what waits. Must be called before the transaction is committed.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn flush(&mut self, db: &mut dyn Connection) -> Result<(), DbError> {
        let waiting = [
            (ENTRY, &mut self.entries),
            (TRADE, &mut self.trades),
            (SEAT, &mut self.seated),
            (POSITION, &mut self.positions),
            (RESTING, &mut self.rested),
        ];
        for (sql, rows) in waiting {
            if !rows.is_empty() {
                db.execute_each(sql, rows)?;
                rows.clear();
            }
        }
        let mut changed = Vec::new();
        for ((market, seconds, _), (candle, dirty)) in &mut self.candles {
            if std::mem::take(dirty) {
                changed.push(candle.row(*market, *seconds));
                if let Some(news) = &mut self.news {
                    let address = self.markets.address(*market);
                    news.push(News::candle(*market, &address, *seconds, &candle.item()));
                }
            }
        }
        if !changed.is_empty() {
            db.execute_each(candles::UPSERT, &changed)?;
        }
        // Only now, when what they know is written.
        if self.candles.len() > MANY {
            self.candles.clear();
        }
        if self.bases.len() > MANY {
            self.bases.clear();
        }
        if self.resting.len() > MANY {
            self.resting.clear();
        }
        Ok(())
    }

    /// Adds a trade to a market's candles.
    fn candle(
        &mut self,
        db: &mut dyn Connection,
        market: u16,
        time: i64,
        price: u64,
        lots: u64,
    ) -> Result<(), DbError> {
        for seconds in INTERVALS {
            let begin = candles::begin(time, seconds);
            let key = (market, seconds, begin);
            if let Some((candle, dirty)) = self.candles.get_mut(&key) {
                candle.add(price, lots);
                *dirty = true;
                continue;
            }
            let sql =
                format!("SELECT {} FROM candles WHERE market = $1 AND seconds = $2 AND time = $3", candles::COLUMNS);
            let candle = match db.one(&sql, &[market.into(), seconds.into(), begin.into()])? {
                None => Candle::new(begin, price, lots),
                Some(row) => {
                    let mut candle = Candle::read(&row)?;
                    candle.add(price, lots);
                    candle
                }
            };
            self.candles.insert(key, (candle, true));
        }
        Ok(())
    }

    /// Builds the candles again in which there are trades from `tx` on, from the trades before. Called before those are
    /// deleted.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn mend_candles(&mut self, db: &mut dyn Connection, tx: Tx) -> Result<(), DbError> {
        self.forget();
        let touched = db.query("SELECT DISTINCT market, time FROM trades WHERE tx >= $1", &[tx.0.into()])?;
        let mut spans = std::collections::BTreeSet::new();
        for row in &touched {
            for seconds in INTERVALS {
                spans.insert((row.int(0)?, seconds, candles::begin(row.int(1)?, seconds)));
            }
        }
        for (market, seconds, begin) in spans {
            let place: Vec<Value> = vec![market.into(), seconds.into(), begin.into()];
            db.execute("DELETE FROM candles WHERE market = $1 AND seconds = $2 AND time = $3", &place)?;
            let left = db.query(
                "SELECT price, lots FROM trades WHERE market = $1 AND time >= $2 AND time < $3 AND tx < $4
                ORDER BY tx, event, part",
                &[market.into(), begin.into(), (begin + seconds).into(), tx.0.into()],
            )?;
            let mut candle: Option<Candle> = None;
            for row in &left {
                let number = |at: usize| row.text(at)?.parse().map_err(|_| DbError::Column(at, "a number"));
                let (price, lots) = (number(0)?, number(1)?);
                match &mut candle {
                    None => candle = Some(Candle::new(begin, price, lots)),
                    Some(candle) => candle.add(price, lots),
                }
            }
            if let Some(candle) = candle {
                let market = u16::try_from(market).map_err(|_| DbError::Column(0, "a market"))?;
                db.execute(candles::UPSERT, &candle.row(market, seconds))?;
            }
        }
        Ok(())
    }
}

impl Pen<'_> {
    fn id(&self, part: i64) -> Id {
        Id { tx: self.at.tx, event: self.event, part }
    }

    fn head(&self, part: i64) -> Head {
        let (signature, id) = (self.at.signature.clone(), self.id(part));
        Head { id: id.to_string(), signature, slot: self.at.tx.slot(), time: self.at.time }
    }

    /// Adds a line to a list of a market, an account or the exchange.
    fn entry(&mut self, subject: &str, list: &str, body: &impl Serialize) {
        let part = self.part(subject);
        let body = json!(body).to_string();
        let (tx, event) = (self.at.tx.0, self.event);
        let row = vec![subject.into(), list.into(), tx.into(), event.into(), part.into(), body.into()];
        self.projector.entries.push(row);
    }

    fn part(&mut self, subject: &str) -> i64 {
        let part = self.parts.entry(subject.to_string()).or_insert(-1);
        *part += 1;
        *part
    }

    /// Adds a line to a list of an account, and tells those who listen.
    fn account(&mut self, account: &str, list: &str, body: &impl Serialize) {
        self.entry(account, list, body);
        if self.projector.news.is_some() {
            let part = self.parts.get(account).copied().unwrap_or_default();
            if let Ok(line) = read::line(&self.head(part), &json!(body).to_string()) {
                let news = News::account(account, &Json::Object(line));
                self.projector.news.get_or_insert_default().push(news);
            }
        }
    }

    fn market(&self, index: u16) -> String {
        self.projector.markets.address(index)
    }

    /// Notes who sits in a seat.
    fn sit(&mut self, market: u16, seat: u32, account: &str) -> Result<(), DbError> {
        if self.seat(market, seat)?.as_deref() != Some(account) {
            let (tx, event) = (self.at.tx.0, self.event);
            self.projector.seated.push(vec![market.into(), seat.into(), tx.into(), event.into(), account.into()]);
            self.projector.seats.insert((market, seat), account.to_string());
        }
        Ok(())
    }

    /// Who sits in a seat: whoever placed the last order from it, for a seat changes hands only when empty.
    fn seat(&mut self, market: u16, seat: u32) -> Result<Option<String>, DbError> {
        if let Some(account) = self.projector.seats.get(&(market, seat)) {
            return Ok(Some(account.clone()));
        }
        let sql = "SELECT account FROM seats WHERE market = $1 AND seat = $2 ORDER BY tx DESC, event DESC LIMIT 1";
        let Some(row) = self.db.one(sql, &[market.into(), seat.into()])? else { return Ok(None) };
        let account = row.text(0)?.to_string();
        self.projector.seats.insert((market, seat), account.clone());
        Ok(Some(account))
    }

    /// The basis of an account's position in a market before this event; `None` where the indexed history does not tell.
    fn basis(&mut self, account: &str, market: u16) -> Result<Option<i64>, DbError> {
        let key = (account.to_string(), market);
        if let Some(basis) = self.projector.bases.get(&key) {
            return Ok(Some(*basis));
        }
        let sql = "SELECT basis FROM positions WHERE account = $1 AND market = $2 ORDER BY tx DESC, event DESC LIMIT 1";
        let row = self.db.one(sql, &[account.into(), market.into()])?;
        row.map(|row| row.text(0)?.parse().map_err(|_| DbError::Column(0, "a number"))).transpose()
    }

    /// Notes an account's basis in a market.
    fn set_basis(&mut self, account: &str, market: u16, basis: i64) {
        let (tx, event) = (self.at.tx.0, self.event);
        let row = vec![account.into(), market.into(), tx.into(), event.into(), basis.to_string().into()];
        self.projector.positions.push(row);
        self.projector.bases.insert((account.to_string(), market), basis);
    }

    /// Notes how many lots of an order rest.
    fn set_resting(&mut self, market: u16, order_id: u128, lots: u64) {
        let (tx, event, step) = (self.at.tx.0, self.event, self.steps);
        self.steps += 1;
        let (id, rests) = (order_id.to_string().into(), lots.to_string().into());
        self.projector.rested.push(vec![market.into(), id, tx.into(), event.into(), step.into(), rests]);
        self.projector.resting.insert((market, order_id), lots);
    }

    /// Takes lots off a resting order. How many are left; `None` where nothing rested, as far as the indexed history tells.
    fn take_off(&mut self, market: u16, order_id: u128, lots: u64) -> Result<Option<u64>, DbError> {
        let rests = match self.projector.resting.get(&(market, order_id)) {
            Some(rests) => *rests,
            None => {
                let sql = "SELECT lots FROM resting WHERE market = $1 AND order_id = $2
                    ORDER BY tx DESC, event DESC, step DESC LIMIT 1";
                let row = self.db.one(sql, &[market.into(), order_id.to_string().into()])?;
                let Some(row) = row else { return Ok(None) };
                row.text(0)?.parse().map_err(|_| DbError::Column(0, "a number"))?
            }
        };
        if rests == 0 {
            return Ok(None);
        }
        let left = rests.saturating_sub(lots);
        self.set_resting(market, order_id, left);
        Ok(Some(left))
    }

    /// Adds to insurance, or draws from it; returns what it holds then.
    fn insure(&mut self, amount: i128) -> Result<i128, DbError> {
        let held = match self.projector.insurance {
            Some(held) => held,
            None => {
                self.projector.flush(self.db)?;
                let sql = "SELECT body FROM entries WHERE subject = $1 AND list = 'insurance'
                    ORDER BY tx DESC, event DESC, part DESC LIMIT 1";
                let row = self.db.one(sql, &[self.projector.exchange.as_str().into()])?;
                let body: Option<Json> = row.and_then(|row| serde_json::from_str(row.text(0).ok()?).ok());
                body.and_then(|body| body["balance"].as_str()?.parse().ok()).unwrap_or(0)
            }
        };
        let held = held.saturating_add(amount);
        self.projector.insurance = Some(held);
        Ok(held)
    }

    fn trade(&mut self, market: u16, price: u64, lots: u64, trade: &Trade) -> Result<(), DbError> {
        let subject = self.market(market);
        let part = self.part(&subject);
        self.projector.trades.push(vec![
            market.into(),
            self.at.tx.0.into(),
            self.event.into(),
            part.into(),
            self.at.time.into(),
            trade.price.as_str().into(),
            trade.lots.as_str().into(),
            trade.taker_side.name().into(),
            trade.maker.clone().into(),
            trade.taker.as_str().into(),
            trade.forced.into(),
        ]);
        if self.projector.news.is_some() {
            let item = crate::items::Item { head: self.head(part), body: trade.clone() };
            let news = News::trade(market, &subject, &json!(item));
            self.projector.news.get_or_insert_default().push(news);
        }
        self.projector.candle(self.db, market, self.at.time, price, lots)
    }

    /// Ids of the deleveragings of a side since the account's position in the market last changed.
    fn deleveragings(&mut self, account: &str, market: u16, reduced: Side) -> Result<Vec<String>, DbError> {
        self.projector.flush(self.db)?;
        let sql = "SELECT tx, event FROM positions WHERE account = $1 AND market = $2
            ORDER BY tx DESC, event DESC LIMIT 1";
        let last = self.db.one(sql, &[account.into(), market.into()])?;
        let since = match &last {
            Some(row) => (row.int(0)?, row.int(1)?),
            None => (0, 0),
        };
        let sql = "SELECT tx, event, body FROM entries WHERE subject = $1 AND list = 'deleveragings'
            AND (tx, event) > ($2, $3) ORDER BY tx, event LIMIT 100";
        let rows = self.db.query(sql, &[self.market(market).into(), since.0.into(), since.1.into()])?;
        let mut ids = Vec::new();
        for row in &rows {
            let body: Json = serde_json::from_str(row.text(2)?).unwrap_or_default();
            if body["reduced"] == reduced.name() {
                ids.push(Id { tx: Tx(row.int(0)?), event: row.int(1)?, part: 0 }.to_string());
            }
        }
        Ok(ids)
    }
}
