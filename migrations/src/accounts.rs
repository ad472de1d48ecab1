//! Accounts that an older version of the program wrote: found by their version byte alone, so that a cluster does not send
//! a million accounts, and migrated in an order that the program asks for: margin accounts and markets, then books.

use ballast_client::{
    accounts::{self, Kind},
    addresses::PROGRAM_ID,
    instructions,
};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

use crate::{
    plan::{Action, Step},
    roles::Roles,
};

/// Margin accounts in one transaction.
pub const BATCH: usize = 12;
/// Blocks of a book in one transaction: well within its compute.
pub const BLOCKS: u32 = 2_000;
/// Calls in one transaction of a book's: each may grow the account by 10 kilobytes.
pub const CALLS: usize = 4;
/// Where a market's account names its exchange, book and ranking index.
const MARKET_KEYS: [usize; 3] = [16, 48, 80];

/// Accounts of older versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outdated {
    /// Margin accounts.
    pub margin_accounts: Vec<Pubkey>,
    /// Markets with their ranking indexes.
    pub markets: Vec<(Pubkey, Pubkey)>,
    /// Markets with their books, which are older.
    pub books: Vec<(Pubkey, Pubkey)>,
}

impl Outdated {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Outdated::default()
    }
}

/// The first bytes of the accounts of a kind, and the version that they have been since.
pub fn filter(kind: Kind, version: u8) -> Vec<u8> {
    let mut bytes = kind.magic().to_vec();
    bytes.push(version);
    bytes
}

/// Book and ranking index of a market's account, of whatever version: they stand before anything that has changed.
pub fn slabs(market: &[u8]) -> Option<(Pubkey, Pubkey)> {
    let key = |at: usize| Pubkey::try_from(market.get(at..at + 32)?).ok();
    (accounts::kind(market) == Some(Kind::Market)).then_some(())?;
    Some((key(MARKET_KEYS[1])?, key(MARKET_KEYS[2])?))
}

/// What is migrated.
#[derive(Clone, Debug)]
pub enum MigrateStep {
    /// Margin accounts, some at a time.
    MarginAccounts(Vec<Pubkey>),
    /// A book of a market, until it is done.
    Book {
        /// The market.
        market: Pubkey,
        /// Its book.
        book: Pubkey,
    },
}

/// The steps that bring all accounts up to date.
pub fn plan(outdated: &Outdated) -> Vec<Step> {
    let mut steps = Vec::new();
    let step = |what: String, action| Step { what, details: Vec::new(), rent: 0, action };
    let accounts = &outdated.margin_accounts;
    if !accounts.is_empty() {
        let what = format!("migrate {} margin accounts", accounts.len());
        steps.push(step(what, Action::Migrate(MigrateStep::MarginAccounts(accounts.clone()))));
    }
    for (market, ranks) in &outdated.markets {
        let migrate = instructions::migrate_market(market, ranks);
        steps.push(Step::send(format!("migrate market {market}"), 0, vec![migrate], vec![]));
    }
    for (market, book) in &outdated.books {
        let action = Action::Migrate(MigrateStep::Book { market: *market, book: *book });
        steps.push(step(format!("migrate book {book}"), action));
    }
    steps
}

/// The transactions of a batch of margin accounts.
pub fn margin_accounts(accounts: &[Pubkey]) -> Vec<Instruction> {
    accounts.iter().map(instructions::migrate_margin_account).collect()
}

/// One transaction of a book's migration.
pub fn book(roles: &Roles, market: &Pubkey, book: &Pubkey) -> Vec<Instruction> {
    vec![instructions::migrate_book(&roles.payer, market, book, BLOCKS); CALLS]
}

/// Whether an account of the program is up to date.
pub fn is_current(owner: &Pubkey, data: &[u8]) -> bool {
    *owner == PROGRAM_ID && accounts::kind(data).is_some_and(|kind| accounts::version(data) == Some(kind.version()))
}
