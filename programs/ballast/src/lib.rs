//! Ballast: a perpetual-futures exchange whose deleveraging anyone can check.
//!
//! The program is an adapter. Margin, liquidation and money are decided in `ballast-risk`, matching in `ballast-book`,
//! ranking and lazy deleveraging in `ballast-rank`; here accounts are checked and loaded, those crates are called, and
//! what happened is reported. Every forced reduction follows from chain state alone: who is reduced, in which order, by
//! how much and at what price is computed here, and the caller only says on whose turn it is.

use anchor_lang::prelude::*;
#[allow(unused_imports)]
use ballast_sbpf_builtins as _;

#[cfg(all(target_os = "solana", feature = "entrypoint"))]
mod chain;
pub mod error;
pub mod events;
pub mod instructions;
pub mod logic;
pub mod oracle;
pub mod record;
pub mod state;

// Anchor's macro looks for every instruction's accounts at the root; handlers come along under the same names.
use events::LadderRung;
#[allow(ambiguous_glob_reexports)]
pub use instructions::*;
use state::MarketParams;

declare_id!("5WqfobdNy1Pn5RtYcSeoJpAngepb32PTv1LBKinXq5KH");

/// Instructions of the exchange.
#[program]
pub mod ballast {
    use super::*;

    /// Founds an exchange, with the creator as its admin.
    pub fn initialize_exchange(ctx: Context<InitializeExchange>, guardian: Pubkey) -> Result<()> {
        instructions::initialize_exchange(ctx, guardian)
    }

    /// Offers the admin role.
    pub fn propose_admin(ctx: Context<GovernExchange>, next: Pubkey) -> Result<()> {
        instructions::propose_admin(ctx, next)
    }

    /// Accepts the admin role.
    pub fn accept_admin(ctx: Context<GovernExchange>) -> Result<()> {
        instructions::accept_admin(ctx)
    }

    /// Stops or resumes deposits and withdrawals.
    pub fn set_pause(ctx: Context<GovernExchange>, deposits: bool, withdrawals: bool) -> Result<()> {
        instructions::set_pause(ctx, deposits, withdrawals)
    }

    /// Sets the volumes of fee tiers and the referrers' share.
    pub fn set_fee_schedule(ctx: Context<GovernExchange>, volumes: [u64; 4], referral_share_bps: u16) -> Result<()> {
        instructions::set_fee_schedule(ctx, volumes, referral_share_bps)
    }

    /// Gives tokens to insurance.
    pub fn fund_insurance(ctx: Context<FundInsurance>, amount: u64) -> Result<()> {
        instructions::fund_insurance(ctx, amount)
    }

    /// Creates a market.
    pub fn create_market(ctx: Context<CreateMarket>, identity: MarketIdentity, params: MarketParams) -> Result<()> {
        instructions::create_market(ctx, identity, params)
    }

    /// Replaces a market's parameters.
    pub fn update_market(ctx: Context<GovernMarket>, params: MarketParams) -> Result<()> {
        instructions::update_market(ctx, params)
    }

    /// Changes what may be done in a market.
    pub fn set_market_status(ctx: Context<GovernMarket>, status: u8) -> Result<()> {
        instructions::set_market_status(ctx, status)
    }

    /// Reads the oracle into a market.
    pub fn refresh_market(ctx: Context<RefreshMarket>) -> Result<()> {
        instructions::refresh_market(ctx)
    }

    /// Opens a margin account.
    pub fn open_margin_account<'info>(ctx: Context<'info, OpenMarginAccount<'info>>, number: u16) -> Result<()> {
        instructions::open_margin_account(ctx, number)
    }

    /// Closes an empty margin account.
    pub fn close_margin_account(ctx: Context<CloseMarginAccount>) -> Result<()> {
        instructions::close_margin_account(ctx)
    }

    /// Names who may trade for an account.
    pub fn set_delegate(ctx: Context<OwnMarginAccount>, delegate: Pubkey) -> Result<()> {
        instructions::set_delegate(ctx, delegate)
    }

    /// Deposits collateral.
    pub fn deposit(ctx: Context<Deposit>, amount: u64) -> Result<()> {
        instructions::deposit(ctx, amount)
    }

    /// Withdraws settled collateral.
    pub fn withdraw<'info>(ctx: Context<'info, Withdraw<'info>>, amount: u64) -> Result<()> {
        instructions::withdraw(ctx, amount)
    }

    /// Moves settled collateral between two accounts of one owner.
    pub fn transfer_collateral<'info>(ctx: Context<'info, TransferCollateral<'info>>, amount: u64) -> Result<()> {
        instructions::transfer_collateral(ctx, amount)
    }

    /// Places an order.
    pub fn place_order<'info>(ctx: Context<'info, PlaceOrder<'info>>, order: OrderArgs) -> Result<()> {
        instructions::place_order(ctx, order)
    }

    /// Cancels one order.
    pub fn cancel_order(ctx: Context<CancelOrders>, order_id: u128) -> Result<()> {
        instructions::cancel_order(ctx, order_id)
    }

    /// Cancels orders: bids (0), asks (1) or all (2).
    pub fn cancel_all(ctx: Context<CancelOrders>, side: u8, limit: u32) -> Result<()> {
        instructions::cancel_all(ctx, side, limit)
    }

    /// Removes expired orders and orders beyond the band: bids (0) or asks (1).
    pub fn prune_orders(ctx: Context<PruneOrders>, side: u8, limit: u32) -> Result<()> {
        instructions::prune_orders(ctx, side, limit)
    }

    /// Removes expired orders anywhere in the book.
    pub fn prune_expired(ctx: Context<PruneOrders>, order_ids: Vec<u128>) -> Result<()> {
        instructions::prune_expired(ctx, order_ids)
    }

    /// Puts an order in the place of another.
    pub fn replace_order<'info>(
        ctx: Context<'info, PlaceOrder<'info>>,
        target: OrderRef,
        order: OrderArgs,
        even_if_gone: bool,
    ) -> Result<()> {
        instructions::replace_order(ctx, target, order, even_if_gone)
    }

    /// Cancels and places many orders at once.
    pub fn batch_orders<'info>(ctx: Context<'info, PlaceOrder<'info>>, batch: BatchArgs) -> Result<()> {
        instructions::batch_orders(ctx, batch)
    }

    /// Cancels the newest order with a client id.
    pub fn cancel_by_client_id(ctx: Context<CancelOrders>, client_id: u64) -> Result<()> {
        instructions::cancel_by_client_id(ctx, client_id)
    }

    /// Cancels orders that their account cannot fund.
    pub fn cancel_unfunded<'info>(ctx: Context<'info, TendPosition<'info>>) -> Result<()> {
        instructions::cancel_unfunded(ctx)
    }

    /// Gives a book room for more orders.
    pub fn grow_book(ctx: Context<GrowBook>) -> Result<()> {
        instructions::grow_book(ctx)
    }

    /// Settles anyone's seat, deleveraging, funding and realised profit and loss in a market.
    pub fn settle_seat<'info>(ctx: Context<'info, TendPosition<'info>>) -> Result<()> {
        instructions::settle_seat(ctx)
    }

    /// Brings anyone's place in the ranking index up to date.
    pub fn rerank<'info>(ctx: Context<'info, TendPosition<'info>>) -> Result<()> {
        instructions::rerank(ctx)
    }

    /// Cancels the orders of an account below maintenance and reduces its position on the book.
    pub fn liquidate<'info>(ctx: Context<'info, TendPosition<'info>>) -> Result<()> {
        instructions::liquidate(ctx)
    }

    /// Takes lots of an account over at a discount.
    pub fn takeover<'info>(ctx: Context<'info, Takeover<'info>>, max_lots: u64) -> Result<()> {
        instructions::takeover(ctx, max_lots)
    }

    /// Closes a bankrupt position against the other side of the market.
    pub fn deleverage<'info>(ctx: Context<'info, ResolveBankruptcy<'info>>, max_cells: u32) -> Result<()> {
        instructions::deleverage(ctx, max_cells)
    }

    /// Lets insurance pay what an account without positions still owes.
    pub fn cover_bad_debt<'info>(ctx: Context<'info, ResolveBankruptcy<'info>>) -> Result<()> {
        instructions::cover_bad_debt(ctx)
    }

    /// Moves a market's insurance fees into the insurance vault.
    pub fn sweep_insurance_fees(ctx: Context<SweepInsuranceFees>) -> Result<()> {
        instructions::sweep_insurance_fees(ctx)
    }

    /// Pays a market's trading fees out to the admin's choice.
    pub fn withdraw_fees(ctx: Context<WithdrawFees>) -> Result<()> {
        instructions::withdraw_fees(ctx)
    }

    /// Places a trigger, or a pair of which one cancels the other; with the order that opens what they protect, a bracket.
    pub fn place_triggers(
        ctx: Context<SetTriggers>,
        first: TriggerArgs,
        second: Option<TriggerArgs>,
        entry: Option<BracketEntry>,
    ) -> Result<()> {
        instructions::place_triggers(ctx, first, second, entry)
    }

    /// Gives a trigger new terms.
    pub fn edit_trigger(ctx: Context<SetTriggers>, trigger: u64, terms: TriggerTerms) -> Result<()> {
        instructions::edit_trigger(ctx, trigger, terms)
    }

    /// Cancels one trigger.
    pub fn cancel_trigger(ctx: Context<CancelOrders>, trigger: u64) -> Result<()> {
        instructions::cancel_trigger(ctx, trigger)
    }

    /// Cancels all triggers of the account in a market.
    pub fn cancel_all_triggers(ctx: Context<CancelOrders>) -> Result<()> {
        instructions::cancel_all_triggers(ctx)
    }

    /// Executes anyone's trigger that is due.
    pub fn execute_trigger<'info>(ctx: Context<'info, TendPosition<'info>>, trigger: u64) -> Result<()> {
        instructions::execute_trigger(ctx, trigger)
    }

    /// Lets anyone's trailing stop follow the mark.
    pub fn ratchet_trigger(ctx: Context<RatchetTrigger>, trigger: u64) -> Result<()> {
        instructions::ratchet_trigger(ctx, trigger)
    }

    /// Sets the account's deleveraging ladder.
    pub fn set_ladder(ctx: Context<OwnMarginAccount>, rungs: Vec<LadderRung>, slippage_bps: u16) -> Result<()> {
        instructions::set_ladder(ctx, rungs, slippage_bps)
    }

    /// Carries out the rung of anyone's ladder that is due.
    pub fn execute_ladder<'info>(ctx: Context<'info, TendPosition<'info>>) -> Result<()> {
        instructions::execute_ladder(ctx)
    }

    /// Opens an owner's trader account.
    pub fn open_trader(ctx: Context<OpenTrader>) -> Result<()> {
        instructions::open_trader(ctx)
    }

    /// Rolls the volume of an owner's margin accounts into their fee tier. By anyone.
    pub fn roll_volume<'info>(ctx: Context<'info, RollVolume<'info>>) -> Result<()> {
        instructions::roll_volume(ctx)
    }

    /// Credits a referrer's earnings to one of their margin accounts.
    pub fn claim_referral(ctx: Context<ClaimReferral>) -> Result<()> {
        instructions::claim_referral(ctx)
    }

    /// Brings a margin account of an older version up to date.
    pub fn migrate_margin_account(ctx: Context<MigrateMarginAccount>) -> Result<()> {
        instructions::migrate_margin_account(ctx)
    }

    /// Brings a market of an older version up to date.
    pub fn migrate_market(ctx: Context<MigrateMarket>) -> Result<()> {
        instructions::migrate_market(ctx)
    }

    /// Brings up to `limit` blocks of a book of an older version up to date.
    pub fn migrate_book(ctx: Context<MigrateBook>, limit: u32) -> Result<()> {
        instructions::migrate_book(ctx, limit)
    }
}
