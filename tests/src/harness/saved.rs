//! A world's accounts on disk, and a world that goes on from there: how accounts that an older program wrote come into
//! the tests of a newer one.

use std::{
    fs, io,
    io::{Read, Write},
    path::Path,
};

use ballast_client::{
    addresses::{ExchangeKeys, MarketKeys},
    ballast::state::OracleKind,
};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde_json::{Value, json};
use solana_account::Account;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::{
    chain::Chain,
    fresh::skip_known_keys,
    oracle::Oracle,
    traders::TraderEntry,
    world::{Realm, World},
};

/// Bytes of an account's record before its data: address, owner, lamports, length.
const RECORD: usize = 32 + 32 + 8 + 8;

/// The accounts of a world, and who is who among them.
#[derive(Clone, Debug)]
pub struct Saved {
    /// Every account with its address.
    pub accounts: Vec<(Pubkey, Account)>,
    /// Time, roles, markets and traders; keys as the seeds that they are made from.
    pub cast: Value,
}

impl Saved {
    /// Everything that `world` consists of.
    pub fn of<C: Chain>(world: &mut World<C>) -> Saved {
        let mut keys: Vec<Pubkey> = world.watched().collect();
        keys.extend([world.mint, world.payer.pubkey()]);
        keys.extend(world.oracles.iter().map(|oracle| oracle.account));
        let found = keys.into_iter().filter_map(|key| Some((key, Account::from(world.chain.account(&key)?))));
        let accounts = found.collect();
        let markets = world.markets.iter().zip(&world.oracles).map(|(keys, oracle)| {
            json!({
                "index": keys.index,
                "market": keys.market.to_string(),
                "book": keys.book.to_string(),
                "ranks": keys.ranks.to_string(),
                "oracle": oracle.account.to_string(),
                "oracle_kind": oracle.kind as u8,
                "feed": Pubkey::from(oracle.feed).to_string(),
                "lot_exponent": oracle.lot_exponent,
                "price": oracle.price,
            })
        });
        let traders = world.realm.traders.iter().map(|trader| {
            json!({ "owner": seed(&trader.owner), "number": trader.number, "tokens": trader.tokens.to_string(),
                "margin": trader.margin.to_string() })
        });
        let cast = json!({
            "now": world.now,
            "mint": world.mint.to_string(),
            "payer": seed(&world.payer),
            "exchange": world.keys.exchange.to_string(),
            "admin": seed(&world.admin),
            "guardian": seed(&world.guardian),
            "markets": markets.collect::<Vec<_>>(),
            "traders": traders.collect::<Vec<_>>(),
        });
        Saved { accounts, cast }
    }

    /// Writes `accounts.gz` and `cast.json`.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn write(&self, directory: &Path) -> io::Result<()> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        for (key, account) in &self.accounts {
            packed.write_all(key.as_ref())?;
            packed.write_all(account.owner.as_ref())?;
            packed.write_all(&account.lamports.to_le_bytes())?;
            packed.write_all(&(account.data.len() as u64).to_le_bytes())?;
            packed.write_all(&account.data)?;
        }
        fs::write(directory.join("accounts.gz"), packed.finish()?)?;
        fs::write(directory.join("cast.json"), format!("{:#}\n", self.cast))
    }

    /// Reads what [`write`](Self::write) wrote.
    ///
    /// # Panics
    /// When the files are not such.
    pub fn read(directory: &Path) -> Saved {
        let packed = fs::read(directory.join("accounts.gz")).expect("the fixture is in the checkout");
        let mut bytes = Vec::new();
        GzDecoder::new(packed.as_slice()).read_to_end(&mut bytes).expect("it is compressed");
        let mut accounts = Vec::new();
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (record, after) = rest.split_at(RECORD);
            let key = |at: usize| Pubkey::try_from(&record[at..at + 32]).expect("32 bytes");
            let number = |at: usize| u64::from_le_bytes(record[at..at + 8].try_into().expect("8 bytes"));
            let (data, after) = after.split_at(usize::try_from(number(72)).expect("a length"));
            let account = Account { lamports: number(64), data: data.to_vec(), owner: key(32), ..Account::default() };
            accounts.push((key(0), Account { rent_epoch: u64::MAX, ..account }));
            rest = after;
        }
        let cast = fs::read_to_string(directory.join("cast.json")).expect("the fixture is in the checkout");
        Saved { accounts, cast: serde_json::from_str(&cast).expect("it is JSON") }
    }

    /// Puts the accounts on a chain, with its clock as it was. Nothing is audited: older accounts cannot be read yet.
    ///
    /// # Panics
    /// When the description is malformed.
    pub fn restore<C: Chain>(&self, mut chain: C) -> World<C> {
        skip_known_keys();
        for (key, account) in &self.accounts {
            chain.put_account(*key, account.clone());
        }
        let now = self.cast["now"].as_i64().expect("a time");
        chain.set_time(now);
        let realm = Realm {
            admin: keypair(&self.cast["admin"]),
            guardian: keypair(&self.cast["guardian"]),
            keys: ExchangeKeys::new(pubkey(&self.cast["exchange"])),
            markets: each(&self.cast["markets"], market),
            oracles: each(&self.cast["markets"], oracle),
            traders: each(&self.cast["traders"], trader),
        };
        let known: Vec<Pubkey> = self.accounts.iter().map(|(key, _)| *key).filter(|key| realm.knows(key)).collect();
        World::resume(chain, keypair(&self.cast["payer"]), pubkey(&self.cast["mint"]), now, realm, &known)
    }
}

impl Realm {
    /// Whether an account is the exchange's or one of its traders'.
    fn knows(&self, key: &Pubkey) -> bool {
        let keys = [self.keys.exchange, self.keys.vault, self.keys.insurance];
        keys.contains(key)
            || self.markets.iter().any(|market| [market.market, market.book, market.ranks].contains(key))
            || self.traders.iter().any(|trader| [trader.margin, trader.tokens].contains(key))
    }
}

/// The seed of a test's key: worth nothing anywhere.
fn seed(key: &Keypair) -> String {
    Pubkey::from(*key.secret_bytes()).to_string()
}

fn keypair(value: &Value) -> Keypair {
    Keypair::new_from_array(pubkey(value).to_bytes())
}

fn pubkey(value: &Value) -> Pubkey {
    value.as_str().and_then(|text| text.parse().ok()).expect("an address")
}

fn number<N: TryFrom<u64>>(value: &Value) -> N {
    value.as_u64().and_then(|number| N::try_from(number).ok()).expect("a number in range")
}

fn each<T>(list: &Value, read: impl Fn(&Value) -> T) -> Vec<T> {
    list.as_array().expect("a list").iter().map(read).collect()
}

fn market(value: &Value) -> MarketKeys {
    MarketKeys {
        index: number(&value["index"]),
        market: pubkey(&value["market"]),
        book: pubkey(&value["book"]),
        ranks: pubkey(&value["ranks"]),
    }
}

fn oracle(value: &Value) -> Oracle {
    Oracle {
        kind: OracleKind::from_code(number(&value["oracle_kind"])).expect("an adapter"),
        account: pubkey(&value["oracle"]),
        feed: pubkey(&value["feed"]).to_bytes(),
        lot_exponent: number(&value["lot_exponent"]),
        price: number(&value["price"]),
    }
}

fn trader(value: &Value) -> TraderEntry {
    TraderEntry {
        owner: keypair(&value["owner"]),
        number: number(&value["number"]),
        tokens: pubkey(&value["tokens"]),
        margin: pubkey(&value["margin"]),
    }
}
