//! Steps, and how they are shown.

use std::fmt;

use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

use crate::{
    accounts::{self, MigrateStep},
    cluster::Found,
    config::ExchangeConfig,
    exchange,
    program::{self, ProgramStep},
    roles::{Role, Roles},
    tables::{self, TableStep},
};

/// Lamports of a SOL.
const SOL: f64 = 1e9;

/// One step. Steps are carried out in order, and each is safe to repeat with a new plan.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it does, in words.
    pub what: String,
    /// What it changes, line by line.
    pub details: Vec<String>,
    /// Lamports that it locks as rent.
    pub rent: u64,
    /// How.
    pub action: Action,
}

/// How a step is carried out.
#[derive(Clone, Debug)]
pub enum Action {
    /// One transaction.
    Send {
        /// Its instructions.
        instructions: Vec<Instruction>,
        /// Who signs, beside the payer.
        signers: Vec<Role>,
    },
    /// Many: the program's bytes.
    Program(ProgramStep),
    /// Several: the lookup table.
    Table(TableStep),
    /// Several: accounts of an older version.
    Migrate(MigrateStep),
}

impl Step {
    /// A step of one transaction.
    pub fn send(what: impl Into<String>, rent: u64, instructions: Vec<Instruction>, signers: Vec<Role>) -> Step {
        Step { what: what.into(), details: Vec::new(), rent, action: Action::Send { instructions, signers } }
    }
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The admin's key is not the exchange's admin.
    #[error("the admin of exchange {exchange} is {found}; the key that was given is {given}")]
    Admin {
        /// The exchange.
        exchange: Pubkey,
        /// Its admin.
        found: Pubkey,
        /// The key.
        given: Pubkey,
    },
    /// The exchange has to be founded by its creator.
    #[error("there is no exchange of {creator}, and only that key can found it; the admin's key is {admin}")]
    Creator {
        /// As configured.
        creator: Pubkey,
        /// The key.
        admin: Pubkey,
    },
    /// A new exchange needs a mint.
    #[error("the exchange is to be founded, but the configuration does not say its quote_mint")]
    NoMint,
    /// The mint cannot be changed.
    #[error("the exchange's collateral is {found} for good; the configuration says {wanted}")]
    Mint {
        /// On chain.
        found: Pubkey,
        /// In the configuration.
        wanted: Pubkey,
    },
    /// What identifies a market cannot be changed.
    #[error("market {index}: its {field} is {found} for good; the configuration says {wanted}")]
    Identity {
        /// The market.
        index: u16,
        /// What.
        field: &'static str,
        /// On chain.
        found: String,
        /// In the configuration.
        wanted: String,
    },
    /// A market's parameters are out of bounds.
    #[error("market {0}: the program's bounds do not allow its parameters ({1})")]
    Bounds(String, String),
    /// The fee schedule is out of bounds.
    #[error("the fee schedule: {0}")]
    Fees(&'static str),
    /// Two markets of the configuration have the same symbol.
    #[error("two markets are called {0}")]
    SameSymbol(String),
    /// The place of a new slab is taken.
    #[error("account {0}, where the {1} of market {2} belongs, is of another size or owner")]
    Slab(Pubkey, &'static str, u16),
    /// The insurance vault cannot be topped up.
    #[error("insurance is to get {wanted} atoms, but {source_account} has {found}")]
    InsuranceFunds {
        /// What is missing in the vault.
        wanted: u64,
        /// The payer's associated token account.
        source_account: Pubkey,
        /// What it has.
        found: u64,
    },
    /// The program cannot be upgraded.
    #[error(transparent)]
    Program(#[from] program::ProgramError),
    /// The table cannot hold it all.
    #[error("a lookup table holds 256 addresses; the exchange has {0}")]
    TableFull(usize),
    /// A lookup table of the state file is another's.
    #[error("lookup table {0} belongs to {1}, not to the admin")]
    TableAuthority(Pubkey, String),
}

/// What is to be done.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// In this order.
    pub steps: Vec<Step>,
    /// What differs and is left alone, with the reason.
    pub notes: Vec<String>,
}

impl Plan {
    /// From what a cluster has to what it should have. `code` is the compiled program, if it is to be deployed.
    ///
    /// # Errors
    /// See [`PlanError`].
    pub fn new(config: &ExchangeConfig, found: &Found, roles: &Roles, code: Option<&[u8]>) -> Result<Plan, PlanError> {
        let mut plan = Plan::default();
        if let Some(code) = code {
            plan.steps.extend(program::plan(found, roles, code)?);
        }
        if !found.outdated.is_empty() {
            plan.steps.extend(accounts::plan(&found.outdated));
            plan.notes.push("what else there is to do shows when all accounts are of the present version".into());
            return Ok(plan);
        }
        exchange::plan(config, found, roles, &mut plan)?;
        if config.lookup_table {
            plan.steps.extend(tables::plan(config, found, roles)?);
        }
        Ok(plan)
    }

    /// Whether the cluster is as it should be.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Lamports locked as rent by all steps.
    pub fn rent(&self) -> u64 {
        self.steps.iter().map(|step| step.rent).sum()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in (1..).zip(&self.steps) {
            write!(f, "{number:>3}. {}", step.what)?;
            if step.rent > 0 {
                write!(f, "  [rent {}]", sol(step.rent))?;
            }
            writeln!(f)?;
            for detail in &step.details {
                writeln!(f, "       {detail}")?;
            }
        }
        for note in &self.notes {
            writeln!(f, "  note: {note}")?;
        }
        match self.steps.len() {
            0 => write!(f, "Nothing to do: the cluster is as the configuration says."),
            1 => write!(f, "1 step, {} of rent", sol(self.rent())),
            steps => write!(f, "{steps} steps, {} of rent", sol(self.rent())),
        }
    }
}

/// Lamports for people.
pub fn sol(lamports: u64) -> String {
    format!("{:.6} SOL", lamports as f64 / SOL)
}
