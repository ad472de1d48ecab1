//! What people who mean ill do: sound instructions with one thing changed.

use ballast_book::{OrderId, TriggerId};
use ballast_client::{
    ballast::{BatchArgs, OrderRef, error::BallastError, state::VERSION_AT},
    instructions,
    units::{Lots, Price, Side},
};
use ballast_tests::harness::{Chain, Expect, Outcome};
use bytemuck::Zeroable;
use solana_account::Account;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::Run;

impl Run {
    /// A sound instruction of any kind, and who signs it.
    fn sound(&mut self) -> (Instruction, Option<Keypair>) {
        let (trader, other, market) = (self.trader(), self.trader(), self.market());
        let (owner, margin, wallet) = (self.world.owner(trader), self.world.margin(trader), self.world.wallet(trader));
        let (keys, at) = (self.world.keys, self.world.market_keys(market));
        let key = owner.pubkey();
        let amount = self.dice.next() >> self.dice.below(64);
        let signed = |instruction| (instruction, Some(owner.insecure_clone()));
        match self.dice.below(28) {
            0 => {
                let others = self.world.others(trader, Some(market));
                let order = self.order(market);
                signed(instructions::place_order(&key, &margin, &at, order, &others))
            }
            1 => {
                let others = self.world.others(trader, None);
                signed(instructions::withdraw(&key, &keys, &margin, &wallet, amount, &others))
            }
            2 => signed(instructions::deposit(&key, &keys, &margin, &wallet, amount % 1_000_000)),
            3 => signed(instructions::cancel_all(&key, &margin, &at, None, 10)),
            4 => {
                let takeover = self.world.takeover_of(trader, other, market);
                signed(instructions::takeover(&keys, &takeover, Lots(amount)))
            }
            5 => (instructions::settle_seat(&self.world.tend(trader, other, market)), None),
            6 => (instructions::rerank(&self.world.tend(trader, other, market)), None),
            7 => (instructions::liquidate(&self.world.tend(trader, other, market)), None),
            8 => (instructions::deleverage(&keys, &self.world.tend(trader, other, market), u32::MAX), None),
            9 => (instructions::cover_bad_debt(&keys, &self.world.tend(trader, other, market)), None),
            16 => {
                let others = self.world.others(trader, Some(market));
                let orders = vec![self.order(market), self.order(market)];
                let batch = BatchArgs { orders, skip_crossing: true, ..BatchArgs::default() };
                signed(instructions::batch_orders(&key, &margin, &at, batch, &others))
            }
            17 => {
                let others = self.world.others(trader, Some(market));
                let (target, order) = (OrderRef::Client(1), self.order(market));
                signed(instructions::replace_order(&key, &margin, &at, target, order, true, &others))
            }
            18 => (instructions::cancel_unfunded(&self.world.tend(trader, other, market)), None),
            10 => signed(instructions::withdraw_fees(&key, &keys, &at.market, &wallet)),
            11 => (instructions::sweep_insurance_fees(&keys, &at), None),
            12 => (instructions::execute_trigger(&self.world.tend(trader, other, market), TriggerId(amount)), None),
            13 => {
                let id = self.triggers.last().map_or(TriggerId(amount), |(.., id)| *id);
                (instructions::ratchet_trigger(&at, id), None)
            }
            14 => (instructions::execute_ladder(&self.world.tend(trader, other, market)), None),
            15 => {
                let stop = instructions::stop_loss(Side::Long, Price(amount), None);
                signed(instructions::place_triggers(&key, &margin, &at, stop, Some(stop)))
            }
            19 => {
                let others = self.world.others(trader, None);
                let to = self.world.margin(other);
                signed(instructions::transfer_collateral(&key, &keys.exchange, &margin, &to, amount, &others))
            }
            20 => {
                let state = self.world.owner_account(trader).unwrap_or_else(Zeroable::zeroed);
                let margins = [margin, self.world.margin(other)];
                let own = self.world.owner_key(trader);
                (instructions::roll_volume(&keys.exchange, &own, &state, &margins[..1 + self.dice.index(2)]), None)
            }
            21 => signed(instructions::claim_referral(&key, &keys.exchange, &margin)),
            22 => {
                let referrer = self.world.owner_key(other);
                signed(instructions::open_trader(&key, &key, &keys.exchange, Some(referrer)))
            }
            23 => signed(instructions::set_fee_schedule(&key, &keys.exchange, [amount, u64::MAX, 0, 0], 4_000)),
            24 => (instructions::migrate_margin_account(&margin), None),
            25 => (instructions::migrate_market(&at.market, &at.ranks), None),
            26 => {
                let payer = self.world.payer.pubkey();
                (instructions::migrate_book(&payer, &at.market, &at.book, self.dice.next() as u32), None)
            }
            _ => signed(instructions::fund_insurance(&key, &keys, &wallet, amount % 1_000_000)),
        }
    }

    /// Sends a sound instruction with something changed.
    pub fn forge(&mut self) -> Outcome {
        let (mut forged, mut signer) = self.sound();
        let stranger = self.trader();
        match self.dice.below(6) {
            0 => {
                // Somebody else's account, market, book or vault in place of the right one.
                let at = self.dice.index(forged.accounts.len());
                let watched: Vec<_> = self.world.watched().collect();
                let impostor = self.dice.pick(&watched);
                if !forged.accounts[at].is_signer {
                    forged.accounts[at].pubkey = impostor;
                }
            }
            1 => {
                // The same account twice.
                let (from, to) = (self.dice.index(forged.accounts.len()), self.dice.index(forged.accounts.len()));
                if !forged.accounts[to].is_signer {
                    forged.accounts[to].pubkey = forged.accounts[from].pubkey;
                }
            }
            2 => {
                // Not all that is needed.
                let keep = self.dice.index(forged.accounts.len());
                forged.accounts.truncate(keep);
            }
            3 => {
                // Signed by a stranger.
                let owner = self.world.owner(stranger);
                for meta in forged.accounts.iter_mut().filter(|meta| meta.is_signer) {
                    meta.pubkey = owner.pubkey();
                }
                signer = signer.map(|_| owner);
            }
            4 => {
                // Other arguments: any bytes behind the instruction's name.
                for at in 8..forged.data.len() {
                    if self.dice.chance(30) {
                        forged.data[at] = self.dice.next().to_le_bytes()[0];
                    }
                }
            }
            _ => {
                // More accounts than needed: the instruction's own markets once more.
                let again = forged.accounts.clone();
                forged.accounts.extend(again.into_iter().filter(|meta| !meta.is_signer));
            }
        }
        let needed = forged.accounts.iter().any(|meta| meta.is_signer);
        let signers: Vec<_> = signer.iter().filter(|_| needed).collect();
        self.world.send(&[forged], &signers)
    }

    /// Somebody's account is found in the version before: refused until anyone has migrated it, and then what it was.
    pub fn outdate(&mut self) -> Outcome {
        let (trader, market) = (self.trader(), self.market());
        let key = self.world.margin(trader);
        let mut account = Account::from(self.world.chain.account(&key).expect("it is open"));
        account.data[VERSION_AT] -= 1;
        self.world.chain.put_account(key, account);
        let audited = std::mem::replace(&mut self.world.audited, false);
        let (owner, keys) = (self.world.owner(trader), self.world.market_keys(market));
        let cancel = instructions::cancel_all(&owner.pubkey(), &key, &keys, None, 1);
        let refused = self.world.send(&[cancel], &[&owner]);
        self.reached.note(&refused);
        refused.fails_with(BallastError::AccountOutdated);
        let migrate = instructions::migrate_margin_account(&key);
        self.world.audited = audited;
        self.world.send(&[migrate], &[])
    }

    /// Cancels orders that are long gone, of others, or made up.
    pub fn replay(&mut self) -> Outcome {
        let (trader, market) = (self.trader(), self.market());
        let id = match self.orders.len() {
            0 => OrderId(u128::from(self.dice.next()) << 64 | u128::from(self.dice.next())),
            length => self.orders[self.dice.index(length)].2,
        };
        let id = if self.dice.chance(30) { OrderId(id.0 ^ (1 << self.dice.below(128))) } else { id };
        self.world.cancel(trader, market, id)
    }

    /// Trades with oneself through two accounts at the edge of the band, and has everything settled for the bounties.
    pub fn collude(&mut self) -> Outcome {
        let (ann, bob, kit, market) = (self.trader(), self.trader(), self.trader(), self.market());
        let mark = self.world.market(market).mark().0;
        let (price, lots) = (mark * self.dice.between(91, 109) / 100 / 100 * 100, self.dice.between(1, 300));
        let ask = instructions::limit_order(Side::Short, Price(price), Lots(lots));
        let outcome = self.world.place(ann, market, ask);
        self.reached.note(&outcome);
        let outcome = self.world.buy(bob, market, lots, price);
        self.reached.note(&outcome);
        self.world.settle(kit, ann, market)
    }
}
