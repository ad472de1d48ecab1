//! A tour of the SDK on a local network: found an exchange, open a market, trade, look at the positions, withdraw, audit.
//!
//! ```text
//! cargo run --bin ballast-localnet -- --program <program id>=target/deploy/ballast.so
//! cargo run --package ballast-client --example tour
//! ```
//!
//! Everything but the price would work the same on any cluster: there, a price comes from Pyth, here from the node's
//! `surfnet_setAccount`.

use std::{sync::Arc, time::Duration};

use ballast_client::{
    addresses::{self, ExchangeKeys, MarketKeys},
    audit::audit,
    ballast::{
        MarketIdentity,
        logic::Marks,
        state::{FeeTier, MarginTier, MarketParams, OracleKind},
    },
    instructions as ix,
    oracle_accounts::{PythPrice, RECEIVER_PROGRAM, Verification},
    rpc,
    send::{Priority, SendError, Sender, Signers},
    units::{Lots, Price, Side},
    view::share_ahead_bps,
};
use ballast_risk::{fees::FEE_TIERS, margin::TIERS};
use solana_commitment_config::CommitmentConfig;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::request::RpcRequest;
use solana_signer::Signer;

type Done<T> = Result<T, Box<dyn std::error::Error>>;

const DOLLAR: u64 = 1_000_000;
const FEED: [u8; 32] = [7; 32];
/// One ten-thousandth of a bitcoin at $100,000.
const PRICE: u64 = 10 * DOLLAR;
const BOOK_BLOCKS: u32 = 256;
const RANK_CELLS: u32 = 256;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Done<()> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "http://127.0.0.1:8899".to_string());
    let mut tour = Tour::new(url).await?;
    let mint = tour.mint().await?;
    let keys = tour.found(&mint).await?;
    let market = tour.open_market(&keys).await?;
    tour.tick(&market, PRICE).await?;
    tour.tick(&market, PRICE).await?;

    let (alice, bob) = (Keypair::new(), Keypair::new());
    let alices = tour.open_account(&keys, &mint, &alice).await?;
    let bobs = tour.open_account(&keys, &mint, &bob).await?;
    let offer = ix::post_only_order(Side::Short, Price(PRICE + DOLLAR / 100), Lots(500));
    tour.send(&[ix::place_order(&bob.pubkey(), &bobs, &market, offer, &[])], &[&bob]).await?;
    let buy = ix::market_order(Side::Long, Price(PRICE + DOLLAR / 10), Lots(300));
    tour.send(&[ix::place_order(&alice.pubkey(), &alices, &market, buy, &[])], &[&alice]).await?;
    tour.tick(&market, PRICE + DOLLAR / 10).await?;

    let (snapshot, vaults) = rpc::state(tour.sender.rpc(), &keys.exchange, CommitmentConfig::confirmed()).await?;
    let view = snapshot.view()?;
    for (name, account) in [("alice", &alices), ("bob", &bobs)] {
        let position = view.position(account, 0)?.ok_or("a position")?;
        let assessment = view.assess(account, Marks::Current, Some(0))?;
        let bankruptcy = view.bankruptcy_price(account, 0, Marks::Current)?.ok_or("a bankruptcy price")?;
        println!(
            "{name}: {} lots, equity {} $, margin ratio {} %, bankrupt at {bankruptcy}",
            position.position.0,
            assessment.account.equity.0 / 1_000_000,
            assessment.account.margin_ratio_bps() / 100,
        );
        if let Some(ahead) = view.rank(account, 0)? {
            println!("  {} lights, {} bps of the open interest ahead", ahead.lights(), share_ahead_bps(&ahead));
        }
    }
    println!("{}", audit(&snapshot, &vaults));

    let alice_account = snapshot.account(&alices).ok_or("an account")?;
    let others = ix::others(alice_account, None, &snapshot)?;
    let wallet = tour.wallet(&mint, &alice.pubkey(), 0).await?;
    let too_much = ix::withdraw(&alice.pubkey(), &keys, &alices, &wallet, 10_000 * DOLLAR, &others);
    match tour.send(&[too_much], &[&alice]).await {
        Err(error) => println!("as it should be: {error}"),
        Ok(()) => return Err("withdrew all margin".into()),
    }
    let some = ix::withdraw(&alice.pubkey(), &keys, &alices, &wallet, 1_000 * DOLLAR, &others);
    tour.send(&[some], &[&alice]).await?;
    let tend = ix::Tend { reward: alices, margin: bobs, market, others: Vec::new() };
    tour.send(&[ix::settle_seat(&tend)], &[]).await?;

    let (snapshot, vaults) = rpc::state(tour.sender.rpc(), &keys.exchange, CommitmentConfig::confirmed()).await?;
    let report = audit(&snapshot, &vaults);
    println!("{report}");
    if report.is_clean() { Ok(()) } else { Err("an invariant is violated".into()) }
}

/// What the tour goes with.
struct Tour {
    sender: Sender,
    payer: Keypair,
}

impl Tour {
    async fn new(url: String) -> Done<Tour> {
        let rpc = Arc::new(RpcClient::new_with_commitment(url, CommitmentConfig::confirmed()));
        let payer = Keypair::new();
        rpc.request_airdrop(&payer.pubkey(), 100_000_000_000).await?;
        while rpc.get_balance(&payer.pubkey()).await? == 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let mut sender = Sender::new(rpc);
        sender.config.priority = Priority::Fixed(0);
        Ok(Tour { sender, payer })
    }

    /// Sends, with the payer as the first signer, and tells what happened.
    async fn send(&self, instructions: &[Instruction], signers: Signers<'_>) -> Result<(), SendError> {
        let mut all: Vec<&(dyn Signer + Sync)> = vec![&self.payer];
        all.extend_from_slice(signers);
        let confirmed = self.sender.send(instructions, &all).await?;
        let names: Vec<_> = confirmed.events().events.iter().map(|event| event.name()).collect();
        println!("slot {}: {} units, {names:?}", confirmed.slot, confirmed.units);
        Ok(())
    }

    async fn create(&self, key: &Keypair, space: usize, owner: &Pubkey) -> Done<Instruction> {
        let rent = self.sender.rpc().get_minimum_balance_for_rent_exemption(space).await?;
        let (payer, key) = (self.payer.pubkey(), key.pubkey());
        Ok(solana_system_interface::instruction::create_account(&payer, &key, rent, space as u64, owner))
    }

    /// A mint of dollars whose authority is the payer.
    async fn mint(&self) -> Done<Pubkey> {
        let key = Keypair::new();
        let create = self.create(&key, 82, &spl_token_interface::ID).await?;
        let initialise = spl_token_interface::instruction::initialize_mint2(
            &spl_token_interface::ID,
            &key.pubkey(),
            &self.payer.pubkey(),
            None,
            6,
        )?;
        self.send(&[create, initialise], &[&key]).await?;
        Ok(key.pubkey())
    }

    /// A new token account with some dollars.
    async fn wallet(&self, mint: &Pubkey, owner: &Pubkey, amount: u64) -> Done<Pubkey> {
        let (key, program) = (Keypair::new(), spl_token_interface::ID);
        let account = key.pubkey();
        let create = self.create(&key, 165, &program).await?;
        let initialise = spl_token_interface::instruction::initialize_account3(&program, &account, mint, owner)?;
        let payer = self.payer.pubkey();
        let fill = spl_token_interface::instruction::mint_to(&program, mint, &account, &payer, &[], amount)?;
        self.send(&[create, initialise, fill], &[&key]).await?;
        Ok(account)
    }

    async fn found(&self, mint: &Pubkey) -> Done<ExchangeKeys> {
        let creator = self.payer.pubkey();
        self.send(&[ix::initialize_exchange(&creator, mint, &creator)], &[]).await?;
        Ok(ExchangeKeys::new(addresses::exchange(&creator)))
    }

    async fn open_market(&self, keys: &ExchangeKeys) -> Done<MarketKeys> {
        let (book, ranks) = (Keypair::new(), Keypair::new());
        let rent = |space| self.sender.rpc().get_minimum_balance_for_rent_exemption(space);
        let payer = self.payer.pubkey();
        let mut symbol = [0; 16];
        symbol[..8].copy_from_slice(b"BTC-PERP");
        let identity = MarketIdentity {
            symbol,
            lot_exponent: 4,
            oracle_kind: OracleKind::PythReceiver as u8,
            oracle_program: RECEIVER_PROGRAM,
            oracle_feed: FEED,
        };
        let instructions = [
            ix::create_book(&payer, &book.pubkey(), BOOK_BLOCKS, rent(ix::book_space(BOOK_BLOCKS)).await?),
            ix::create_ranks(&payer, &ranks.pubkey(), RANK_CELLS, rent(ix::ranks_space(RANK_CELLS)).await?),
            ix::create_market(&payer, &keys.exchange, 0, &book.pubkey(), &ranks.pubkey(), identity, params()),
        ];
        self.send(&instructions, &[&book, &ranks]).await?;
        let market = addresses::market(&keys.exchange, 0);
        Ok(MarketKeys { index: 0, market, book: book.pubkey(), ranks: ranks.pubkey() })
    }

    /// The oracle publishes a price, a second after the last, and the market reads it.
    async fn tick(&mut self, market: &MarketKeys, price: u64) -> Done<()> {
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        let rpc = self.sender.rpc();
        let time = rpc.get_block_time(rpc.get_slot().await?).await?;
        // A lot is 10^-4 bitcoin, a price has 8 decimals: 10^6 atoms per lot are 10^4 × 10^8 / 10^6 of its units.
        let mantissa = i64::try_from(price * 1_000_000)?;
        let update = PythPrice::new(FEED, mantissa, 1_000, -8, time, 0);
        let data = update.price_update(&self.payer.pubkey(), Verification::Full);
        let oracle = Pubkey::new_from_array([77; 32]);
        let hex: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
        let account =
            serde_json::json!({ "lamports": 10_000_000u64, "data": hex, "owner": RECEIVER_PROGRAM.to_string() });
        let method = RpcRequest::Custom { method: "surfnet_setAccount" };
        rpc.send::<serde_json::Value>(method, serde_json::json!([oracle.to_string(), account])).await?;
        self.send(&[ix::refresh_market(market, &oracle)], &[]).await?;
        Ok(())
    }

    /// A margin account with $10,000.
    async fn open_account(&self, keys: &ExchangeKeys, mint: &Pubkey, owner: &Keypair) -> Done<Pubkey> {
        let amount = 10_000 * DOLLAR;
        let wallet = self.wallet(mint, &owner.pubkey(), amount).await?;
        let margin = addresses::margin_account(&keys.exchange, &owner.pubkey(), 0);
        let instructions = [
            ix::open_margin_account(&self.payer.pubkey(), &owner.pubkey(), &keys.exchange, 0),
            ix::deposit(&owner.pubkey(), keys, &margin, &wallet, amount),
        ];
        self.send(&instructions, &[owner]).await?;
        Ok(margin)
    }
}

fn params() -> MarketParams {
    let unused = MarginTier { lower: 0, maintenance_bps: 0, initial_bps: 0 };
    let mut tiers = [unused; TIERS];
    tiers[0] = MarginTier { lower: 0, maintenance_bps: 250, initial_bps: 500 };
    MarketParams {
        tick: 100,
        min_lots: 1,
        max_position_lots: 1_000_000,
        max_open_interest_lots: 10_000_000,
        band_bps: 1_000,
        max_orders_per_account: 64,
        tiers,
        profit_haircut_bps: 1_000,
        margin_multiplier_bps: 10_000,
        maker_fee_ppm: 100,
        taker_fee_ppm: 350,
        insurance_fee_share_bps: 2_000,
        settle_bounty: 10_000,
        max_age_open_s: 60,
        max_age_liquidate_s: 120,
        max_age_reduce_s: 3_600,
        max_future_s: 5,
        max_confidence_open_bps: 50,
        max_confidence_liquidate_bps: 100,
        max_confidence_reduce_bps: 500,
        max_deviation_open_bps: 2_000,
        max_deviation_liquidate_bps: 4_000,
        max_deviation_reduce_bps: 8_000,
        mark_cap_ppm_per_second: 5_000,
        mark_max_elapsed_s: 20,
        mark_band_bps: 4_000,
        mark_average_s: 600,
        liquidation_target_bps: 12_000,
        liquidation_max_fraction_bps: 2_000,
        liquidation_cooldown_s: 30,
        liquidation_fee_bps: 50,
        liquidator_share_bps: 5_000,
        deleverage_delay_s: 20,
        takeover_start_bps: 25,
        takeover_ppm_per_second: 100,
        takeover_max_bps: 500,
        funding_clamp_ppb: 5_000_000,
        funding_average_s: 3_600,
        funding_max_elapsed_s: 3_600,
        liquidation_whole_below: 50 * DOLLAR,
        liquidation_max_reward: 100 * DOLLAR,
        funding_impact_quote: 1_000 * DOLLAR,
        insurance_limit_per_day: 1_000_000 * DOLLAR,
        mark_book_quote: 1_000_000_000,
        mark_book_weight_bps: 0,
        mark_book_clamp_bps: 50,
        protection_max_reward: 5 * DOLLAR,
        trigger_fee_bps: 3,
        ladder_fee_bps: 20,
        fee_tiers: [FeeTier { maker_ppm: 0, taker_ppm: 0 }; FEE_TIERS],
    }
}
