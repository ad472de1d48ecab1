//! What is the keeper's own: SOL for fees, a margin account, collateral.

use ballast_client::{addresses, ballast::state::MarginAccount, rpc as reading};
use solana_keypair::Keypair;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_signer::Signer;
use spl_associated_token_account_interface::address::get_associated_token_address;

use super::{Report, chain::Found};
use crate::config::{Config, Role};

/// SOL below which nothing can be done: as the running keeper complains of.
const FEW_LAMPORTS: u64 = 500_000;
/// SOL that lasts for a day of ordinary work.
const ENOUGH_LAMPORTS: u64 = 50_000_000;
/// Atoms of a dollar.
const DOLLAR: f64 = 1_000_000.0;

/// Balance, margin account and collateral.
pub(super) async fn examine(
    report: &mut Report,
    config: &Config,
    rpc: &RpcClient,
    key: &Keypair,
    found: Option<&Found>,
) {
    let lamports = match rpc.get_balance_with_commitment(&key.pubkey(), config.commitment).await {
        Ok(answer) => answer.value,
        Err(error) => return report.wrong("balance", format!("cannot be read: {error}"), "look at the node"),
    };
    let Some(found) = found else {
        balance(report, config, lamports, 0);
        return report.skip(&["account"], "there is no exchange to look at");
    };
    let exchange = found.snapshot.keys.exchange;
    let margin = addresses::margin_account(&exchange, &key.pubkey(), config.margin_number);
    let account = found.snapshot.account(&margin);
    let rent = match account {
        Some(_) => 0,
        None => rpc.get_minimum_balance_for_rent_exemption(8 + size_of::<MarginAccount>()).await.unwrap_or(0),
    };
    balance(report, config, lamports, rent);
    let collateral = account.map_or(0, |account| account.collateral);
    let dollars = |atoms: u64| atoms as f64 / DOLLAR;
    match account {
        None => report.good("account", format!("{margin} will be opened, for {rent} lamports of rent")),
        Some(account) if account.progress().bankrupt_since != 0 => report.wrong(
            "account",
            format!("{margin} is bankrupt: rewards go into it and it takes nothing over"),
            "take another with --margin-number",
        ),
        Some(_) => report.good("account", format!("{margin} has ${:.2}", dollars(collateral))),
    }
    let missing = config.deposit.saturating_sub(collateral);
    if missing > 0 {
        let source = get_associated_token_address(&key.pubkey(), &found.snapshot.exchange.quote_mint);
        let has =
            rpc.get_account_with_commitment(&source, config.commitment).await.ok().and_then(|answer| answer.value);
        let has = has.as_ref().and_then(reading::token_amount).unwrap_or(0);
        let says =
            format!("--deposit wants ${:.2} more; token account {source} has ${:.2}", dollars(missing), dollars(has));
        if has < missing {
            report.wrong("deposit", says, "send tokens there, or lower --deposit");
        } else {
            report.good("deposit", says);
        }
    }
    if config.has(Role::Liquidator) && config.takeover.enabled && collateral == 0 && config.deposit == 0 {
        let says = "positions are to be taken over, and the margin account has no collateral for any";
        report.warn("takeover", says, "say --deposit, or deposit otherwise");
    }
}

fn balance(report: &mut Report, config: &Config, lamports: u64, rent: u64) {
    let says = format!("{:.6} SOL", lamports as f64 / 1e9);
    let needed = FEW_LAMPORTS + rent;
    if lamports < needed && !config.dry_run {
        let mend = format!("send SOL to the key: {:.4} at least", needed as f64 / 1e9);
        report.wrong("balance", says, mend);
    } else if lamports < ENOUGH_LAMPORTS && !config.dry_run {
        report.warn("balance", says, "enough to start with; top it up, and alert on balance_lamports");
    } else {
        report.good("balance", says);
    }
}
