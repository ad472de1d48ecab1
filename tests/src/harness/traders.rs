//! Traders: an owner's key, a wallet of tokens, a margin account.

use ballast_client::{addresses, instructions};
use solana_keypair::Keypair;
use solana_program_pack::Pack;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use spl_token_interface::state::Account as TokenAccount;

use super::{
    chain::{Chain, Outcome},
    expect::Expect,
    fresh::fresh_keypair,
    params::DOLLAR,
    world::World,
};

/// What a new trader's wallet holds beside the deposit.
const POCKET_MONEY: u64 = 10_000_000 * DOLLAR;

/// A margin account with its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Trader(pub(super) usize);

pub(super) struct TraderEntry {
    pub owner: Keypair,
    pub number: u16,
    pub tokens: Pubkey,
    pub margin: Pubkey,
}

impl Clone for TraderEntry {
    fn clone(&self) -> Self {
        TraderEntry { owner: self.owner.insecure_clone(), ..*self }
    }
}

impl<C: Chain> World<C> {
    /// A new owner with a margin account that holds `deposit` atoms; nothing is deposited when that is zero.
    pub fn trader(&mut self, deposit: u64) -> Trader {
        self.open_account(fresh_keypair(), 0, deposit)
    }

    /// Another margin account of the same owner.
    pub fn another_account(&mut self, trader: Trader, deposit: u64) -> Trader {
        let owner = self.owner(trader);
        let number = self.traders.iter().filter(|entry| entry.owner.pubkey() == owner.pubkey()).count();
        self.open_account(owner, u16::try_from(number).expect("a few accounts"), deposit)
    }

    fn open_account(&mut self, owner: Keypair, number: u16, deposit: u64) -> Trader {
        let (payer, key) = (self.payer.pubkey(), owner.pubkey());
        let margin = addresses::margin_account(&self.keys.exchange, &key, number);
        let tokens = self.create_tokens(&key, POCKET_MONEY.saturating_add(deposit));
        let mut all = vec![instructions::open_margin_account(&payer, &key, &self.keys.exchange, number)];
        if deposit > 0 {
            all.push(instructions::deposit(&key, &self.keys, &margin, &tokens, deposit));
        }
        self.watch(margin);
        self.watch(tokens);
        self.send(&all, &[&owner]).succeeds();
        self.traders.push(TraderEntry { owner, number, tokens, margin });
        Trader(self.traders.len() - 1)
    }

    /// A token account of the quote mint with an amount in it.
    pub fn create_tokens(&mut self, owner: &Pubkey, amount: u64) -> Pubkey {
        self.create_tokens_of(self.mint, owner, amount)
    }

    /// A token account of any mint that the payer has the authority of.
    pub fn create_tokens_of(&mut self, mint: Pubkey, owner: &Pubkey, amount: u64) -> Pubkey {
        let (payer, program, account) = (self.payer.pubkey(), spl_token_interface::ID, fresh_keypair());
        let create = solana_system_interface::instruction::create_account(
            &payer,
            &account.pubkey(),
            self.chain.rent(TokenAccount::LEN),
            TokenAccount::LEN as u64,
            &program,
        );
        let initialize =
            spl_token_interface::instruction::initialize_account3(&program, &account.pubkey(), &mint, owner);
        let fill = spl_token_interface::instruction::mint_to(&program, &mint, &account.pubkey(), &payer, &[], amount);
        let all = [create, initialize.expect("the token program"), fill.expect("the token program")];
        self.send(&all, &[&account]).succeeds();
        account.pubkey()
    }

    /// The owner's key.
    pub fn owner(&self, trader: Trader) -> Keypair {
        self.traders[trader.0].owner.insecure_clone()
    }

    /// The account's number under its owner.
    pub fn number(&self, trader: Trader) -> u16 {
        self.traders[trader.0].number
    }

    /// The margin account.
    pub fn margin(&self, trader: Trader) -> Pubkey {
        self.traders[trader.0].margin
    }

    /// The owner's wallet of tokens.
    pub fn wallet(&self, trader: Trader) -> Pubkey {
        self.traders[trader.0].tokens
    }

    /// All traders so far.
    pub fn traders(&self) -> impl Iterator<Item = Trader> + use<C> {
        (0..self.traders.len()).map(Trader)
    }

    /// Deposits from the owner's wallet.
    pub fn deposit(&mut self, trader: Trader, amount: u64) -> Outcome {
        let owner = self.owner(trader);
        let deposit =
            instructions::deposit(&owner.pubkey(), &self.keys, &self.margin(trader), &self.wallet(trader), amount);
        self.send(&[deposit], &[&owner])
    }

    /// Withdraws to the owner's wallet.
    pub fn withdraw(&mut self, trader: Trader, amount: u64) -> Outcome {
        let owner = self.owner(trader);
        let others = self.others(trader, None);
        let withdraw = instructions::withdraw(
            &owner.pubkey(),
            &self.keys,
            &self.margin(trader),
            &self.wallet(trader),
            amount,
            &others,
        );
        self.send(&[withdraw], &[&owner])
    }

    /// Names a delegate.
    pub fn set_delegate(&mut self, trader: Trader, delegate: &Pubkey) -> Outcome {
        let owner = self.owner(trader);
        let name = instructions::set_delegate(&owner.pubkey(), &self.margin(trader), delegate);
        self.send(&[name], &[&owner])
    }

    /// Closes the margin account; the payer gets the rent.
    pub fn close_account(&mut self, trader: Trader) -> Outcome {
        let owner = self.owner(trader);
        let close = instructions::close_margin_account(&owner.pubkey(), &self.margin(trader), &self.payer.pubkey());
        self.send(&[close], &[&owner])
    }

    /// Moves collateral from one account to another; signed by the first one's owner.
    pub fn transfer(&mut self, from: Trader, to: Trader, amount: u64) -> Outcome {
        let owner = self.owner(from);
        let others = self.others(from, None);
        let (exchange, from, to) = (self.keys.exchange, self.margin(from), self.margin(to));
        let transfer = instructions::transfer_collateral(&owner.pubkey(), &exchange, &from, &to, amount, &others);
        self.send(&[transfer], &[&owner])
    }

    /// Gives tokens to insurance, out of thin air.
    pub fn fund_insurance(&mut self, amount: u64) {
        let funder = fresh_keypair();
        let source = self.create_tokens(&funder.pubkey(), amount);
        let fund = instructions::fund_insurance(&funder.pubkey(), &self.keys, &source, amount);
        self.send(&[fund], &[&funder]).succeeds();
    }
}
