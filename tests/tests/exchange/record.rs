//! What the program records is whole whatever happens to the log, and nobody else can record anything.

use anchor_lang::Event as _;
use ballast_client::{
    addresses::PROGRAM_ID,
    ballast::{BatchArgs, OrderArgs, events::Deposited, record::TAG},
    events::{Event, parse_logs},
    instructions::{self, limit_order, market_order},
    units::{Lots, Price, Side},
};
use ballast_tests::harness::{BTC, DOLLAR, Expect, Lite, MarketSpec, Outcome, Receipt, Trader, World};
use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;
use solana_signer::Signer;

const PRICE: u64 = 10 * DOLLAR;
const TICK: u64 = 100;

/// Somebody whose `orders` asks of a lot rest from the price on, and somebody with money.
fn makers_and_taker(chain: Lite, orders: u64) -> (World, Trader, Trader) {
    let spec = MarketSpec { blocks: 8_192, ..MarketSpec::btc() };
    let mut world = World::on(chain, &[spec.with(|params| params.max_orders_per_account = 512)]);
    let (maker, taker) = (world.trader(1_000_000 * DOLLAR), world.trader(1_000_000 * DOLLAR));
    for at in 0..orders {
        world.rest(maker, BTC, Side::Short, 1, PRICE + at * TICK);
    }
    (world, maker, taker)
}

/// How many makers each trade met.
fn fills(events: &[Event]) -> Vec<usize> {
    let traded = events.iter().filter_map(|event| match event {
        Event::Traded(traded) => Some(traded.fills.len()),
        _ => None,
    });
    traded.collect()
}

fn records(receipt: &Receipt) -> usize {
    receipt.invocations.iter().filter(|ran| ran.data.starts_with(&TAG)).count()
}

#[test]
fn a_log_that_is_full_loses_events_and_the_record_does_not() {
    let (mut world, _, taker) = makers_and_taker(Lite::new().with_log_bytes(1_000), 60);
    let receipt = world.buy(taker, BTC, 60, PRICE + 60 * TICK).succeeds();
    let logged = parse_logs(&receipt.logs);
    assert!(logged.truncated && fills(&logged.events).is_empty(), "the log has no room for the trade");
    // The harness has rebuilt the accounts' histories from the same events.
    assert_eq!(fills(&receipt.events()), [60]);
}

#[test]
fn more_events_than_one_call_holds_are_recorded_by_several() {
    let (mut world, _, taker) = makers_and_taker(Lite::new(), 400);
    let orders = (1..=8).map(|batch| OrderArgs {
        max_makers: 50,
        ..limit_order(Side::Long, Price(PRICE + (batch * 50 - 1) * TICK), Lots(50))
    });
    let receipt = world.batch(taker, BTC, BatchArgs { orders: orders.collect(), ..BatchArgs::default() }).succeeds();
    assert_eq!(fills(&receipt.events()), [50; 8]);
    assert!(records(&receipt) > 1);
    let recorded = receipt.invocations.iter().filter(|ran| ran.data.starts_with(&TAG));
    assert!(recorded.map(|ran| ran.data.len()).sum::<usize>() > 10_240, "one call would do");
}

#[test]
fn a_record_that_somebody_sends_says_nothing() {
    let (mut world, _, taker) = makers_and_taker(Lite::new(), 0);
    let event = Deposited { account: world.margin(taker), amount: 5, collateral: 5 }.data();
    let length = u16::try_from(event.len()).unwrap().to_le_bytes();
    let data = [&TAG[..], &length, &event].concat();
    let forged = Instruction { program_id: PROGRAM_ID, accounts: vec![], data: data.clone() };
    let receipt = world.send(&[forged], &[]).succeeds();
    assert_eq!((receipt.events().len(), records(&receipt)), (0, 1));
    // With accounts it is an instruction that the program does not know.
    let payer = world.payer.pubkey();
    let accounts = vec![AccountMeta::new(payer, true)];
    world.send(&[Instruction { program_id: PROGRAM_ID, accounts, data }], &[]).fails();
}

#[test]
fn nothing_is_done_that_could_not_be_recorded() {
    let (mut world, _, taker) = makers_and_taker(Lite::new(), 1);
    let (owner, margin, keys) = (world.owner(taker), world.margin(taker), world.market_keys(BTC));
    let order = market_order(Side::Long, Price(PRICE), Lots(1));
    let buy = instructions::place_order(&owner.pubkey(), &margin, &keys, order, &[]);
    let own = buy.accounts.iter().position(|meta| meta.pubkey == PROGRAM_ID).expect("the program is named");
    let with = |world: &mut World, key: Option<Pubkey>| -> Outcome {
        let mut changed = buy.clone();
        match key {
            Some(key) => changed.accounts[own].pubkey = key,
            None => drop(changed.accounts.remove(own)),
        }
        world.send(&[changed], &[&owner])
    };
    let refusal = with(&mut world, Some(solana_sdk_ids::system_program::ID)).expect_err("another program");
    assert_eq!(refusal.name(), "InvalidProgramId");
    assert_eq!(with(&mut world, None).expect_err("no program").name(), "AccountNotEnoughKeys");
    with(&mut world, Some(PROGRAM_ID)).succeeds();
}
