//! How many instructions a second the program does on one core of this machine, in LiteSVM: placing, cancelling and matching
//! on a book of a thousand orders a side, one instruction a transaction, signatures checked. `cargo xtask bench --throughput`.

use std::time::Instant;

use ballast_client::{
    instructions::{self, market_order, post_only_order},
    units::{Lots, Price, Side},
};
use ballast_tests::harness::{BTC, DOLLAR, Lite, MarketSpec, Receipt, Trader, World, invocations, order_ids, sign};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_message::VersionedMessage;
use solana_signer::Signer;
use solana_transaction::Transaction;

const MARK: u64 = 10 * DOLLAR;
const TICK: u64 = 100;
const ROUNDS: u64 = 2_000;

/// Sends transactions one after the other; prints how many there were in a second, and gives what they logged.
fn measure(world: &mut World, what: &str, transactions: Vec<Transaction>) -> Vec<Receipt> {
    let vm = Lite::vm(&mut world.chain);
    let count = transactions.len();
    let began = Instant::now();
    let messages: Vec<_> = transactions.iter().map(|transaction| transaction.message.clone()).collect();
    let done: Vec<_> =
        transactions.into_iter().map(|transaction| vm.send_transaction(transaction).expect("it succeeds")).collect();
    let seconds = began.elapsed().as_secs_f64();
    println!("{what:<28} {:>8.0} a second ({count} in {seconds:.2} s)", count as f64 / seconds);
    let receipts = messages.into_iter().zip(done).map(|(message, done)| {
        let message = VersionedMessage::Legacy(message);
        let invocations = invocations(&message, message.static_account_keys(), &done.inner_instructions);
        Receipt { logs: done.logs, invocations }
    });
    receipts.collect()
}

fn signed(world: &mut World, instruction: Instruction, owner: &Keypair) -> Transaction {
    let payer = world.payer.insecure_clone();
    let blockhash = Lite::vm(&mut world.chain).latest_blockhash();
    sign(&[instruction], &[&payer, owner], blockhash)
}

fn main() {
    let spec = MarketSpec { blocks: 8_192, ..MarketSpec::btc() };
    let mut world = World::new(&[spec.with(|params| params.max_orders_per_account = 512)]);
    world.audited = false;
    let makers: Vec<Trader> = (0..10).map(|_| world.trader(10_000_000 * DOLLAR)).collect();
    for at in 0..2_000u64 {
        let (side, price) = match at % 2 {
            0 => (Side::Long, MARK - (500 + at) * TICK),
            _ => (Side::Short, MARK + (500 + at) * TICK),
        };
        world.rest(makers[at as usize % 10], BTC, side, 10, price);
    }
    let keys = world.market_keys(BTC);
    let place = |world: &mut World, at: u64, side, order: fn(Side, Price, Lots) -> _, price| {
        let maker = makers[at as usize % 10];
        let (owner, margin) = (world.owner(maker), world.margin(maker));
        let order = ballast_client::ballast::OrderArgs { client_id: at, ..order(side, Price(price), Lots(10)) };
        let place = instructions::place_order(&owner.pubkey(), &margin, &keys, order, &[]);
        signed(world, place, &owner)
    };
    let resting: Vec<_> = (0..ROUNDS)
        .map(|at| place(&mut world, at, Side::Short, post_only_order, MARK + (1 + at % 300) * TICK))
        .collect();
    let placed = measure(&mut world, "post-only orders", resting);
    let cancels: Vec<_> = (0..ROUNDS / 2)
        .map(|at| {
            let id = order_ids(&placed[at as usize])[0];
            let maker = makers[at as usize % 10];
            let (owner, margin) = (world.owner(maker), world.margin(maker));
            signed(&mut world, instructions::cancel_order(&owner.pubkey(), &margin, &keys, id), &owner)
        })
        .collect();
    measure(&mut world, "cancellations", cancels);
    // Each of another client id, so that no two are the same transaction; each takes one resting order of somebody else.
    let taker = world.trader(10_000_000 * DOLLAR);
    let (owner, margin) = (world.owner(taker), world.margin(taker));
    let takes: Vec<_> = (0..ROUNDS / 2)
        .map(|at| {
            let order = market_order(Side::Long, Price(MARK + 400 * TICK), Lots(10));
            let order = ballast_client::ballast::OrderArgs { client_id: at, ..order };
            let take = instructions::place_order(&owner.pubkey(), &margin, &keys, order, &[]);
            signed(&mut world, take, &owner)
        })
        .collect();
    measure(&mut world, "orders that take one maker", takes);
}
