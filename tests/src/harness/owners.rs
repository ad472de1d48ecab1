//! What concerns owners as a whole: fee tiers and referrals.

use ballast_client::{accounts, addresses, ballast::state::Trader as Owner, instructions};
use solana_account::ReadableAccount;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::{
    chain::{Chain, Outcome},
    traders::Trader,
    world::World,
};

impl<C: Chain> World<C> {
    /// Sets the volumes of fee tiers, in atoms, and the referrers' share.
    pub fn set_fee_schedule(&mut self, volumes: [u64; 4], share_bps: u16) -> Outcome {
        let (admin, exchange) = (self.admin.insecure_clone(), self.keys.exchange);
        let set = instructions::set_fee_schedule(&admin.pubkey(), &exchange, volumes, share_bps);
        self.send(&[set], &[&admin])
    }

    /// The trader account of an account's owner.
    pub fn owner_key(&self, trader: Trader) -> Pubkey {
        addresses::trader(&self.keys.exchange, &self.owner(trader).pubkey())
    }

    /// Opens the trader account of an account's owner.
    pub fn open_trader(&mut self, trader: Trader, referrer: Option<Pubkey>) -> Outcome {
        let (owner, payer, exchange) = (self.owner(trader), self.payer.pubkey(), self.keys.exchange);
        self.watch(self.owner_key(trader));
        let open = instructions::open_trader(&payer, &owner.pubkey(), &exchange, referrer);
        self.send(&[open], &[&owner])
    }

    /// The trader account of an account's owner; `None` before it is opened.
    pub fn owner_account(&mut self, trader: Trader) -> Option<Owner> {
        let key = self.owner_key(trader);
        let account = self.chain.account(&key)?;
        accounts::trader(account.data()).ok()
    }

    /// Rolls the volume of accounts of one owner, the first one's.
    ///
    /// # Panics
    /// If the owner has no trader account.
    pub fn roll_volume(&mut self, margins: &[Trader]) -> Outcome {
        let first = *margins.first().expect("an account");
        let state = self.owner_account(first).expect("it was opened");
        let keys: Vec<_> = margins.iter().map(|margin| self.margin(*margin)).collect();
        let roll = instructions::roll_volume(&self.keys.exchange, &self.owner_key(first), &state, &keys);
        self.send(&[roll], &[])
    }

    /// Credits what an account's owner has earned as a referrer to the account.
    pub fn claim_referral(&mut self, trader: Trader) -> Outcome {
        let (owner, exchange, margin) = (self.owner(trader), self.keys.exchange, self.margin(trader));
        self.send(&[instructions::claim_referral(&owner.pubkey(), &exchange, &margin)], &[&owner])
    }
}
