//! Those whom keepers live from: small accounts with high leverage that come back with new money, and in the last market one
//! too large for what its book and its insurance budget can bear in a crash.

use anyhow::{Context, Result};
use ballast_client::accounts;
use ballast_localnet::{
    bulk::Job,
    stage::{Stage, open_account},
};
use ballast_units::Side;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use crate::life::{Market, take};

/// Gamblers in each market.
const GAMBLERS: u8 = 4;
/// What each brings at a time, in atoms.
const STAKE: u64 = 600_000_000;
/// Their leverage.
const LEVERAGE: u64 = 28;
/// What the large one brings, in atoms, and his leverage.
const LARGE: (u64, u64) = (40_000_000_000, 20);
/// SOL of each, in lamports.
const LAMPORTS: u64 = 100_000_000_000;

/// One of them.
struct Gambler {
    key: Keypair,
    margin: Pubkey,
    market: usize,
    side: Side,
    stake: u64,
    leverage: u64,
}

/// All of them, taking turns.
pub struct Gamblers {
    all: Vec<Gambler>,
    turn: usize,
}

impl Gamblers {
    /// Opens their accounts.
    pub fn open(stage: &Stage) -> Result<Self> {
        let mut all = Vec::new();
        let markets = stage.deployment.markets.len();
        for (market, letter) in (0..markets).zip(b'a'..) {
            for number in 0..GAMBLERS {
                let mut seed = *b"ballast-localnet: demo gambler..";
                (seed[30], seed[31]) = (letter, b'0' + number);
                let key = Keypair::new_from_array(seed);
                let side = if number % 2 == 0 { Side::Long } else { Side::Short };
                let large = market + 1 == markets && number == 0;
                let (stake, leverage) = if large { LARGE } else { (STAKE, LEVERAGE) };
                let (margin, job) = open_account(&stage.deployment, &stage.faucet, &key, 0, LAMPORTS, stake)?;
                stage.bulk.run_all(&[job])?;
                all.push(Gambler { key, margin, market, side, stake, leverage });
            }
        }
        Ok(Gamblers { all, turn: 0 })
    }

    /// One of them looks at his account; without a position he tops it up and takes one. A refusal is his own affair.
    pub fn second(&mut self, stage: &Stage, market: impl Fn(usize) -> Market) -> Result<()> {
        let gambler = &self.all[self.turn % self.all.len()];
        self.turn += 1;
        let account = stage.localnet.account(&gambler.margin).context("a gambler's account is gone")?;
        let account = accounts::margin_account(&account.data)?;
        if account.slots.iter().any(|slot| slot.market().is_some() && !slot.is_empty()) {
            return Ok(());
        }
        let owner = gambler.key.pubkey();
        let mut instructions = Vec::new();
        let missing = gambler.stake.saturating_sub(account.collateral);
        if missing > 0 {
            let source = stage.faucet.mint_to(&owner, missing)?;
            let keys = &stage.deployment.keys;
            instructions.push(ballast_client::instructions::deposit(&owner, keys, &gambler.margin, &source, missing));
        }
        let value = gambler.stake * gambler.leverage;
        instructions.push(take(&owner, &gambler.margin, &market(gambler.market), gambler.side, value));
        stage.bulk.send(&Job { what: "gamble".into(), instructions, signers: vec![&gambler.key] })?;
        Ok(())
    }
}
