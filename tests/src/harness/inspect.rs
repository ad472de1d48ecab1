//! Looking at the exchange: accounts as they are, and what they hold and are worth now.

use ballast_book::Book;
use ballast_client::{
    accounts,
    ballast::{
        logic::{Assessment, Marks},
        state::{Exchange, MarginAccount, Market, SLAB_PREFIX, Slot},
    },
};
use ballast_risk::health::{PositionState, Stage};
use bytemuck::Zeroable;
use solana_account::{Account, ReadableAccount};
use solana_program_pack::Pack;
use solana_pubkey::Pubkey;
use spl_token_interface::state::Account as TokenAccount;

use super::{chain::Chain, traders::Trader, world::World};

impl<C: Chain> World<C> {
    /// A market's account.
    pub fn market(&mut self, market: u16) -> Market {
        let key = self.market_keys(market).market;
        let account = self.chain.account(&key).expect("the market exists");
        accounts::market(account.data()).expect("it is a market")
    }

    /// The exchange's account.
    pub fn exchange(&mut self) -> Exchange {
        let account = self.chain.account(&self.keys.exchange.clone()).expect("the exchange exists");
        accounts::exchange(account.data()).expect("it is an exchange")
    }

    /// A trader's margin account, as of its last touch.
    pub fn margin_account(&mut self, trader: Trader) -> MarginAccount {
        let key = self.margin(trader);
        let account = self.chain.account(&key).expect("the margin account exists");
        accounts::margin_account(account.data()).expect("it is a margin account")
    }

    /// A trader's slot in a market, as of its last touch; all zero when there is none.
    pub fn slot(&mut self, trader: Trader, market: u16) -> Slot {
        let account = self.margin_account(trader);
        account.slot_index(market).map_or_else(Slot::zeroed, |at| account.slots[at])
    }

    /// Sets the fee of a trader's resting orders as no instruction does yet; negative for a rebate. Holds until it next
    /// rests an order.
    pub fn set_maker_fee(&mut self, trader: Trader, market: u16, ppm: i16) {
        let (seat, key) = (self.slot(trader, market).seat, self.market_keys(market).book);
        let mut account = Account::from(self.chain.account(&key).expect("the book exists"));
        let mut book = Book::load(&mut account.data[SLAB_PREFIX..]).expect("it is a book");
        book.set_maker_fee(seat, ppm).expect("the trader has a seat");
        self.chain.put_account(key, account);
    }

    /// What a trader has in a market now, waiting fills, funding and deleveraging included.
    pub fn holding(&mut self, trader: Trader, market: u16) -> PositionState {
        let key = self.margin(trader);
        let snapshot = self.snapshot();
        let view = snapshot.view().expect("the slabs are sound");
        view.position(&key, market).expect("the position can be read").unwrap_or_default()
    }

    /// A trader's position now, positive long.
    pub fn position(&mut self, trader: Trader, market: u16) -> i64 {
        self.holding(trader, market).position.0
    }

    /// A trader's whole account now, at the mark.
    pub fn assess(&mut self, trader: Trader) -> Assessment {
        self.assess_at(trader, Marks::Current)
    }

    /// A trader's whole account now, at the marks named.
    pub fn assess_at(&mut self, trader: Trader, marks: Marks) -> Assessment {
        let key = self.margin(trader);
        self.snapshot().assess(&key, marks).expect("the account can be assessed")
    }

    /// A trader's equity now, in atoms.
    pub fn equity(&mut self, trader: Trader) -> i64 {
        self.assess(trader).account.equity.0
    }

    /// The stage of a trader's account, as liquidation sees it.
    pub fn stage(&mut self, trader: Trader) -> Stage {
        self.assess_at(trader, Marks::Confirmed).account.stage()
    }

    /// The position's bankruptcy price, as liquidation sees it.
    pub fn bankruptcy_price(&mut self, trader: Trader, market: u16) -> i64 {
        let key = self.margin(trader);
        let snapshot = self.snapshot();
        let view = snapshot.view().expect("the slabs are sound");
        let price = view.bankruptcy_price(&key, market, Marks::Confirmed).expect("it can be assessed");
        price.expect("there is a position")
    }

    /// Settled collateral, in atoms.
    pub fn collateral(&mut self, trader: Trader) -> u64 {
        self.margin_account(trader).collateral
    }

    /// Tokens in a token account, in atoms.
    pub fn tokens(&mut self, account: &Pubkey) -> u64 {
        let account = self.chain.account(account).expect("the token account exists");
        TokenAccount::unpack(account.data()).expect("it is a token account").amount
    }

    /// Tokens in the owner's wallet, in atoms.
    pub fn wallet_tokens(&mut self, trader: Trader) -> u64 {
        let wallet = self.wallet(trader);
        self.tokens(&wallet)
    }

    /// Tokens in the collateral vault, in atoms.
    pub fn vault_tokens(&mut self) -> u64 {
        let vault = self.keys.vault;
        self.tokens(&vault)
    }

    /// Tokens in the insurance vault, in atoms.
    pub fn insurance_tokens(&mut self) -> u64 {
        let insurance = self.keys.insurance;
        self.tokens(&insurance)
    }
}
