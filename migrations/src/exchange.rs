//! Founding an exchange, its insurance and its markets, and bringing parameters up to date. From plain values to steps:
//! the local network and every other cluster are founded by these.

use ballast::{
    MarketIdentity,
    state::{MarketStatus, OracleKind},
};
use ballast_client::{
    addresses::{self, ExchangeKeys, MarketKeys, PROGRAM_ID},
    instructions,
};
use ballast_risk::fees::{MAX_REFERRAL_BPS, are_ordered};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use solana_system_interface::instruction as system;
use spl_associated_token_account_interface::address::get_associated_token_address;

use crate::{
    cluster::Found,
    config::{ExchangeConfig, MarketConfig},
    params::differences,
    plan::{Plan, PlanError, Step},
    roles::{Role, Roles},
};

/// Bytes of a token account.
const TOKEN_ACCOUNT: usize = 165;
/// What the admin keeps for fees, in lamports, beyond the rent that it pays.
const ADMIN_RESERVE: u64 = 10_000_000;

/// The address of the exchange that the configuration means.
pub fn exchange_of(config: &ExchangeConfig, roles: &Roles) -> Pubkey {
    addresses::exchange(&config.creator.unwrap_or(roles.admin))
}

/// The two accounts that a market's creation claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slab {
    /// The order book.
    Book,
    /// The ranking index.
    Ranks,
}

impl Slab {
    fn name(self) -> &'static str {
        match self {
            Slab::Book => "book",
            Slab::Ranks => "ranks",
        }
    }

    /// Bytes of a new one.
    pub fn space(self, market: &MarketConfig) -> usize {
        match self {
            Slab::Book => instructions::book_space(market.book_blocks),
            Slab::Ranks => instructions::ranks_space(market.rank_cells),
        }
    }

    /// Where that of a new market goes: derived from the admin's key, so that nothing has to be remembered between a first
    /// attempt and a second.
    pub fn address(self, exchange: &Pubkey, admin: &Pubkey, index: u16) -> Pubkey {
        Pubkey::create_with_seed(admin, &self.seed(exchange, index), &PROGRAM_ID).expect("a short seed")
    }

    fn seed(self, exchange: &Pubkey, index: u16) -> String {
        // At most 32 bytes: enough of the exchange that an admin of several does not meet himself.
        let exchange: String = exchange.to_string().chars().take(20).collect();
        format!("{} {index} {exchange}", self.name())
    }
}

/// The accounts of a market that this tool has created or will create.
pub fn market_keys(found: &Found, exchange: &Pubkey, admin: &Pubkey, index: u16) -> MarketKeys {
    let market = addresses::market(exchange, index);
    match found.markets.get(usize::from(index)) {
        Some(existing) => MarketKeys::of(market, existing),
        None => MarketKeys {
            index,
            market,
            book: Slab::Book.address(exchange, admin, index),
            ranks: Slab::Ranks.address(exchange, admin, index),
        },
    }
}

/// Adds the steps for the exchange and its markets.
///
/// # Errors
/// See [`PlanError`].
pub fn plan(config: &ExchangeConfig, found: &Found, roles: &Roles, plan: &mut Plan) -> Result<(), PlanError> {
    let keys = ExchangeKeys::new(exchange_of(config, roles));
    check_markets(config)?;
    check_roles(config, found, roles, &keys, plan)?;
    let new_markets = config.markets.iter().skip(found.markets.len());
    plan.steps.extend(pay_admin(found, roles, new_markets.len()));
    let mint = match &found.exchange {
        Some(exchange) => exchange.quote_mint,
        None => {
            let mint = config.quote_mint.ok_or(PlanError::NoMint)?;
            plan.steps.push(found_exchange(config, found, roles, &keys, &mint));
            mint
        }
    };
    plan.steps.extend(set_fees(config, found, roles, &keys)?);
    plan.steps.extend(fund_insurance(config, found, roles, &keys, &mint)?);
    for (index, market) in (0u16..).zip(&config.markets) {
        match found.markets.get(usize::from(index)) {
            Some(existing) => plan.steps.extend(update_market(roles, &keys, market, existing)?),
            None => create_market(found, roles, &keys, index, market, plan)?,
        }
        plan.steps.extend(set_status(found, roles, &keys, index, market));
    }
    for market in found.markets.iter().skip(config.markets.len()) {
        let symbol = symbol_of(&market.symbol);
        plan.notes.push(format!("market {} {symbol} is not in the configuration and is left alone", market.index));
    }
    Ok(())
}

fn check_markets(config: &ExchangeConfig) -> Result<(), PlanError> {
    for (at, market) in config.markets.iter().enumerate() {
        if config.markets[..at].iter().any(|other| other.symbol == market.symbol) {
            return Err(PlanError::SameSymbol(market.symbol.clone()));
        }
        let valid = market.params.validate(-i32::from(market.lot_exponent));
        valid.map_err(|error| PlanError::Bounds(market.symbol.clone(), error.to_string()))?;
    }
    Ok(())
}

fn check_roles(
    config: &ExchangeConfig,
    found: &Found,
    roles: &Roles,
    keys: &ExchangeKeys,
    plan: &mut Plan,
) -> Result<(), PlanError> {
    let Some(exchange) = &found.exchange else {
        let creator = config.creator.unwrap_or(roles.admin);
        return if creator == roles.admin { Ok(()) } else { Err(PlanError::Creator { creator, admin: roles.admin }) };
    };
    if exchange.admin != roles.admin {
        let (found, given) = (exchange.admin, roles.admin);
        return Err(PlanError::Admin { exchange: keys.exchange, found, given });
    }
    if let Some(wanted) = config.quote_mint.filter(|wanted| *wanted != exchange.quote_mint) {
        return Err(PlanError::Mint { found: exchange.quote_mint, wanted });
    }
    if let Some(wanted) = config.guardian.filter(|wanted| *wanted != exchange.guardian) {
        let found = exchange.guardian;
        plan.notes.push(format!("the guardian is {found}, not {wanted}; the program has no way to change it"));
    }
    Ok(())
}

/// The program lets the admin pay for the exchange's and the markets' own accounts.
fn pay_admin(found: &Found, roles: &Roles, new_markets: usize) -> Option<Step> {
    if roles.admin == roles.payer || (found.exchange.is_some() && new_markets == 0) {
        return None;
    }
    let mut needed = ADMIN_RESERVE + exchange_rent(found) * u64::from(found.exchange.is_none());
    for _ in 0..new_markets {
        needed += market_rent(found);
    }
    let missing = needed.checked_sub(found.admin_lamports).filter(|missing| *missing > 0)?;
    let transfer = system::transfer(&roles.payer, &roles.admin, missing);
    let what = format!("pay the admin {} lamports for the accounts that it has to pay for", missing);
    Some(Step::send(what, 0, vec![transfer], vec![]))
}

fn exchange_rent(found: &Found) -> u64 {
    use anchor_lang::Space;
    use ballast_client::ballast::state::Exchange;
    found.rent.of(8 + Exchange::INIT_SPACE) + 2 * found.rent.of(TOKEN_ACCOUNT)
}

fn market_rent(found: &Found) -> u64 {
    found.rent.of(8 + size_of::<ballast::state::Market>())
}

fn found_exchange(config: &ExchangeConfig, found: &Found, roles: &Roles, keys: &ExchangeKeys, mint: &Pubkey) -> Step {
    let guardian = config.guardian.unwrap_or(roles.admin);
    let create = instructions::initialize_exchange(&roles.admin, mint, &guardian);
    let what = format!("found exchange {}", keys.exchange);
    let mut step = Step::send(what, exchange_rent(found), vec![create], vec![Role::Admin]);
    step.details = vec![format!("admin {}", roles.admin), format!("guardian {guardian}"), format!("collateral {mint}")];
    step
}

fn set_fees(
    config: &ExchangeConfig,
    found: &Found,
    roles: &Roles,
    keys: &ExchangeKeys,
) -> Result<Option<Step>, PlanError> {
    let Some(wanted) = config.fees else { return Ok(None) };
    if !are_ordered(&wanted.tier_volumes) {
        return Err(PlanError::Fees("tier_volumes have to ascend, and zeros to be at the end"));
    }
    if u32::from(wanted.referral_share_bps) > MAX_REFERRAL_BPS {
        return Err(PlanError::Fees("referral_share_bps is more than the program lets anybody set"));
    }
    // A new exchange has zeros.
    let (volumes, share) = found
        .exchange
        .as_ref()
        .map_or_else(Default::default, |exchange| (exchange.fee_tier_volumes, exchange.referral_share_bps));
    if (volumes, share) == (wanted.tier_volumes, wanted.referral_share_bps) {
        return Ok(None);
    }
    let set =
        instructions::set_fee_schedule(&roles.admin, &keys.exchange, wanted.tier_volumes, wanted.referral_share_bps);
    let mut step = Step::send("set the fee schedule", 0, vec![set], vec![Role::Admin]);
    step.details = vec![
        format!("tier_volumes  {volumes:?} -> {:?}", wanted.tier_volumes),
        format!("referral_share_bps  {share} -> {}", wanted.referral_share_bps),
    ];
    Ok(Some(step))
}

fn fund_insurance(
    config: &ExchangeConfig,
    found: &Found,
    roles: &Roles,
    keys: &ExchangeKeys,
    mint: &Pubkey,
) -> Result<Option<Step>, PlanError> {
    let wanted = config.insurance.saturating_sub(found.insurance);
    if wanted == 0 {
        return Ok(None);
    }
    let source_account = get_associated_token_address(&roles.payer, mint);
    if found.payer_tokens < wanted {
        return Err(PlanError::InsuranceFunds { wanted, source_account, found: found.payer_tokens });
    }
    let fund = instructions::fund_insurance(&roles.payer, keys, &source_account, wanted);
    let mut step = Step::send("top the insurance vault up", 0, vec![fund], vec![]);
    step.details = vec![format!("{} -> {} atoms", found.insurance, config.insurance)];
    Ok(Some(step))
}

fn create_market(
    found: &Found,
    roles: &Roles,
    keys: &ExchangeKeys,
    index: u16,
    market: &MarketConfig,
    plan: &mut Plan,
) -> Result<(), PlanError> {
    let accounts = market_keys(found, &keys.exchange, &roles.admin, index);
    let (mut rent, mut create) = (0, Vec::new());
    for (slab, address) in [(Slab::Book, accounts.book), (Slab::Ranks, accounts.ranks)] {
        let (lamports, instructions) = create_slab(found, roles, keys, index, market, slab, &address)?;
        rent += lamports;
        create.extend(instructions);
    }
    let symbol = &market.symbol;
    if !create.is_empty() {
        let what = format!("create the accounts of market {index} {symbol}'s book and ranking index");
        plan.steps.push(Step::send(what, rent, create, vec![Role::Admin]));
    }
    let identity = MarketIdentity {
        symbol: market.padded_symbol(),
        lot_exponent: market.lot_exponent,
        oracle_kind: market.oracle_kind as u8,
        oracle_program: market.oracle_program,
        oracle_feed: market.feed_id,
    };
    let (book, ranks) = (&accounts.book, &accounts.ranks);
    let instruction =
        instructions::create_market(&roles.admin, &keys.exchange, index, book, ranks, identity, market.params);
    let what = format!("create market {index} {symbol}");
    plan.steps.push(Step::send(what, market_rent(found), vec![instruction], vec![Role::Admin]));
    Ok(())
}

/// Pays, sizes and hands over the account of a slab; nothing where an earlier attempt has done so. In three instructions,
/// since one lamport from anybody would make creating in one fail for ever.
fn create_slab(
    found: &Found,
    roles: &Roles,
    keys: &ExchangeKeys,
    index: u16,
    market: &MarketConfig,
    slab: Slab,
    address: &Pubkey,
) -> Result<(u64, Vec<Instruction>), PlanError> {
    let space = slab.space(market);
    let needed = found.rent.of(space);
    let mut lamports = 0;
    if let Some(account) = found.slabs.get(address) {
        lamports = account.lamports;
        if account.owner == PROGRAM_ID && account.space == space && lamports >= needed {
            return Ok((0, Vec::new()));
        }
        if account.owner != solana_sdk_ids::system_program::ID {
            return Err(PlanError::Slab(*address, slab.name(), index));
        }
    }
    let mut instructions = Vec::new();
    let missing = needed.saturating_sub(lamports);
    if missing > 0 {
        instructions.push(system::transfer(&roles.payer, address, missing));
    }
    let seed = slab.seed(&keys.exchange, index);
    // `usize` has at most 64 bits wherever this runs.
    instructions.push(system::allocate_with_seed(address, &roles.admin, &seed, space as u64, &PROGRAM_ID));
    Ok((missing, instructions))
}

fn update_market(
    roles: &Roles,
    keys: &ExchangeKeys,
    market: &MarketConfig,
    existing: &ballast::state::Market,
) -> Result<Option<Step>, PlanError> {
    let index = existing.index;
    let same = |field, found: String, wanted: String| {
        if found == wanted { Ok(()) } else { Err(PlanError::Identity { index, field, found, wanted }) }
    };
    same("symbol", symbol_of(&existing.symbol), market.symbol.clone())?;
    same("lot_exponent", existing.lot_exponent.to_string(), market.lot_exponent.to_string())?;
    let kind = OracleKind::from_code(existing.oracle_kind).map(|kind| format!("{kind:?}"));
    same("oracle's format", kind.unwrap_or_default(), format!("{:?}", market.oracle_kind))?;
    same("oracle program", existing.oracle_program.to_string(), market.oracle_program.to_string())?;
    same("oracle feed", hex::encode(existing.oracle_feed), hex::encode(market.feed_id))?;
    let differences = differences(&existing.params, &market.params);
    if differences.is_empty() {
        return Ok(None);
    }
    let address = addresses::market(&keys.exchange, index);
    let update = instructions::update_market(&roles.admin, &keys.exchange, &address, market.params);
    let what = format!("update the parameters of market {index} {}", market.symbol);
    let mut step = Step::send(what, 0, vec![update], vec![Role::Admin]);
    step.details = differences.iter().map(ToString::to_string).collect();
    Ok(Some(step))
}

fn set_status(found: &Found, roles: &Roles, keys: &ExchangeKeys, index: u16, market: &MarketConfig) -> Option<Step> {
    let wanted = market.status?;
    let existing = found.markets.get(usize::from(index));
    let before = existing.map_or(Some(MarketStatus::Active), |market| market.status().ok());
    if before == Some(wanted) {
        return None;
    }
    let address = addresses::market(&keys.exchange, index);
    let set = instructions::set_market_status(&roles.admin, &keys.exchange, &address, wanted);
    let mut step =
        Step::send(format!("set the status of market {index} {}", market.symbol), 0, vec![set], vec![Role::Admin]);
    step.details = vec![format!("status  {before:?} -> {wanted:?}")];
    Some(step)
}

fn symbol_of(padded: &[u8; 16]) -> String {
    String::from_utf8_lossy(padded).trim_end_matches('\0').to_owned()
}
