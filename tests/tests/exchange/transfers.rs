//! Collateral between an owner's accounts; isolated accounts; accounts in as many markets as there are slots.

use ballast_client::{
    addresses,
    ballast::{error::BallastError, state::MAX_SLOTS},
    instructions::{self, Isolated},
    units::{Lots, Price, Side},
};
use ballast_risk::margin::TIERS;
use ballast_tests::{
    harness::{BTC, Chain, DOLLAR, ETH, Expect, MarketSpec, Trader, World},
    lookup::{self, LOCKS, PACKET},
};
use solana_account::ReadableAccount;
use solana_keypair::Keypair;
use solana_signer::Signer;

const PRICE: u64 = 10 * DOLLAR;

#[test]
fn collateral_moves_between_an_owners_accounts_and_no_token_does() {
    let mut world = World::btc();
    let ann = world.trader(100 * DOLLAR);
    let twin = world.another_account(ann, 5 * DOLLAR);
    let (vault, wallet) = (world.vault_tokens(), world.wallet_tokens(ann));
    world.transfer(ann, twin, 40 * DOLLAR).succeeds();
    assert_eq!((world.collateral(ann), world.collateral(twin)), (60 * DOLLAR, 45 * DOLLAR));
    assert_eq!((world.vault_tokens(), world.wallet_tokens(ann)), (vault, wallet));
    world.transfer(twin, ann, 45 * DOLLAR).succeeds();
    world.close_account(twin).succeeds();
}

#[test]
fn what_could_not_be_withdrawn_is_not_transferred() {
    let mut world = World::new(&[MarketSpec::btc(), MarketSpec::eth()]);
    let (ann, bob) = (world.trader(1_000 * DOLLAR), world.trader(100_000 * DOLLAR));
    let twin = world.another_account(ann, 0);
    world.transfer(ann, twin, 0).fails_with(BallastError::ZeroAmount);
    world.transfer(ann, twin, 1_000 * DOLLAR + 1).fails_with(BallastError::InsufficientSettled);
    world.transfer(ann, ann, DOLLAR).fails_with(BallastError::DuplicateAccount);
    world.trade(BTC, ann, bob, 1_000, PRICE);
    world.trade(ETH, bob, ann, 500, 4 * DOLLAR);
    let free = world.assess(ann).account.free_collateral();
    world.transfer(ann, twin, free + 1).fails_with(BallastError::InsufficientMargin);
    // Not without showing every market, nor on a price that is too old for withdrawing.
    let (owner, exchange) = (world.owner(ann), world.keys.exchange);
    let (from, to) = (world.margin(ann), world.margin(twin));
    let others = world.others(ann, None);
    let blind = instructions::transfer_collateral(&owner.pubkey(), &exchange, &from, &to, DOLLAR, &others[..3]);
    world.send(&[blind], &[&owner]).fails_with(BallastError::MissingMarket);
    world.wait(61);
    world.transfer(ann, twin, DOLLAR).fails_with(BallastError::OracleStale);
    world.advance(1);
    world.transfer(ann, twin, free - DOLLAR).succeeds();
    // A tick that the mark has not reached counts already.
    world.transfer(twin, ann, free - DOLLAR).succeeds();
    world.tick(BTC, 96 * PRICE / 100, 1);
    world.transfer(ann, twin, free - DOLLAR).fails_with(BallastError::InsufficientMargin);
}

#[test]
fn nobody_but_the_owner_of_both_accounts_moves_collateral() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(100 * DOLLAR), world.trader(100 * DOLLAR));
    let twin = world.another_account(ann, 0);
    world.transfer(ann, bob, DOLLAR).fails_with(BallastError::Unauthorized);
    let (exchange, thief, delegate) = (world.keys.exchange, world.owner(bob), Keypair::new());
    let (from, to, own) = (world.margin(ann), world.margin(twin), world.margin(bob));
    let steal = instructions::transfer_collateral(&thief.pubkey(), &exchange, &from, &own, DOLLAR, &[]);
    world.send(&[steal], &[&thief]).fails_with(BallastError::Unauthorized);
    world.set_delegate(ann, &delegate.pubkey()).succeeds();
    let by_delegate = instructions::transfer_collateral(&delegate.pubkey(), &exchange, &from, &to, DOLLAR, &[]);
    world.send(&[by_delegate], &[&delegate]).fails_with(BallastError::Unauthorized);
    // Accounts of two exchanges do not mix.
    let owner = world.owner(ann);
    let first = world.found_another();
    let foreign = addresses::margin_account(&world.keys.exchange, &owner.pubkey(), 0);
    let open = instructions::open_margin_account(&world.payer.pubkey(), &owner.pubkey(), &world.keys.exchange, 0);
    world.watch(foreign);
    world.send(&[open], &[&owner]).succeeds();
    world.realm = first;
    let abroad = instructions::transfer_collateral(&owner.pubkey(), &exchange, &from, &foreign, DOLLAR, &[]);
    world.send(&[abroad], &[&owner]).fails_with(BallastError::WrongAccount);
}

#[test]
fn a_pause_of_deposits_or_withdrawals_stops_transfers() {
    let mut world = World::btc();
    let ann = world.trader(100 * DOLLAR);
    let twin = world.another_account(ann, 0);
    let (guardian, exchange, admin) =
        (world.guardian.insecure_clone(), world.keys.exchange, world.admin.insecure_clone());
    for (deposits, withdrawals) in [(true, false), (false, true)] {
        let pause = instructions::set_pause(&guardian.pubkey(), &exchange, deposits, withdrawals);
        world.send(&[pause], &[&guardian]).succeeds();
        world.transfer(ann, twin, DOLLAR).fails_with(BallastError::Paused);
        let resume = instructions::set_pause(&admin.pubkey(), &exchange, false, false);
        world.send(&[resume], &[&admin]).succeeds();
    }
    world.transfer(ann, twin, DOLLAR).succeeds();
}

#[test]
fn an_isolated_account_is_made_funded_and_used_in_one_transaction() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(1_000 * DOLLAR), world.trader(100_000 * DOLLAR));
    world.ask(bob, BTC, 1_000, PRICE);
    let (owner, exchange, payer, from) =
        (world.owner(ann), world.keys.exchange, world.payer.pubkey(), world.margin(ann));
    let isolated = |amount| Isolated { payer, owner: owner.pubkey(), from, others: &[], number: 7, amount };
    let margin = addresses::margin_account(&exchange, &owner.pubkey(), 7);
    world.watch(margin);
    let order = || instructions::market_order(Side::Long, Price(PRICE), Lots(1_000));
    // Too little for the order: neither the account nor the transfer has happened.
    let market = world.market_keys(BTC);
    let poor = instructions::open_isolated(&exchange, &isolated(400 * DOLLAR), &market, order());
    world.send(&poor, &[&owner]).fails_with(BallastError::InsufficientMargin);
    assert!(world.chain.account(&margin).is_none_or(|account| account.lamports() == 0));
    assert_eq!(world.collateral(ann), 1_000 * DOLLAR);
    let enough = instructions::open_isolated(&exchange, &isolated(600 * DOLLAR), &market, order());
    world.send(&enough, &[&owner]).succeeds();
    let account = *world.snapshot().account(&margin).expect("it is there");
    assert_eq!((account.slots[0].lots, account.collateral), (1_000, 600 * DOLLAR - 3_500_000));
    assert_eq!(world.collateral(ann), 400 * DOLLAR);
}

#[test]
fn the_rent_of_a_closed_account_goes_where_its_owner_says_and_only_once_nothing_is_left() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(1_000 * DOLLAR), world.trader(1_000 * DOLLAR));
    let (owner, margin, heir) = (world.owner(ann), world.margin(ann), solana_pubkey::Pubkey::new_unique());
    world.watch(heir);
    let close = instructions::close_margin_account(&owner.pubkey(), &margin, &heir);
    let refused = |world: &mut World| {
        world.send(std::slice::from_ref(&close), &[&owner]).fails_with(BallastError::NotEmpty);
    };
    refused(&mut world);
    world.trade(BTC, ann, bob, 10, PRICE);
    let settled = world.assess(ann).account.free_collateral();
    world.withdraw(ann, settled).succeeds();
    refused(&mut world);
    world.ask(ann, BTC, 10, PRICE);
    world.buy(bob, BTC, 10, PRICE).succeeds();
    refused(&mut world);
    world.settle(bob, ann, BTC).succeeds();
    let settled = world.collateral(ann);
    refused(&mut world);
    world.withdraw(ann, settled).succeeds();
    let rent = world.chain.account(&margin).expect("the account").lamports();
    world.send(&[close], &[&owner]).succeeds();
    assert_eq!(world.chain.account(&heir).expect("the heir").lamports(), rent);
}

/// Sixteen markets, and a trader with a position in each.
fn everywhere() -> (World, Trader, Trader) {
    let spec = MarketSpec { blocks: 64, cells: 64, ..MarketSpec::btc() };
    let mut world = World::new(&vec![spec; MAX_SLOTS]);
    let (ann, bob) = (world.trader(100_000 * DOLLAR), world.trader(1_000_000 * DOLLAR));
    for market in 0..u16::try_from(MAX_SLOTS).expect("sixteen") {
        world.trade(market, ann, bob, 100, PRICE);
    }
    (world, ann, bob)
}

#[test]
fn a_cross_account_in_sixteen_markets_trades_transfers_and_is_liquidated_in_one_transaction_each() {
    let (mut world, ann, bob) = everywhere();
    let twin = world.another_account(ann, 0);
    let keys: Vec<_> = world.markets.iter().flat_map(|keys| [keys.market, keys.book, keys.ranks]).collect();
    let table = lookup::table(&mut world, keys);
    let (payer, owner) = (world.payer.insecure_clone(), world.owner(ann));
    let (exchange, from, to) = (world.keys.exchange, world.margin(ann), world.margin(twin));
    let check = |what: &str, sent: &lookup::Sent| {
        println!("{what}: {} CU, {} bytes, {} accounts", sent.units, sent.bytes, sent.accounts);
        assert!(sent.bytes <= PACKET && sent.accounts <= LOCKS && sent.units < 200_000, "{what}");
    };

    let others = world.others(ann, None);
    let transfer = instructions::transfer_collateral(&owner.pubkey(), &exchange, &from, &to, DOLLAR, &others);
    check("transfer", &lookup::send(&mut world, transfer, &table, &[&payer, &owner]));
    let others = world.others(ann, Some(15));
    world.ask(bob, 15, 10, PRICE);
    let order = instructions::market_order(Side::Long, Price(PRICE), Lots(10));
    let market = world.market_keys(15);
    let place = instructions::place_order(&owner.pubkey(), &from, &market, order, &others);
    check("take", &lookup::send(&mut world, place, &table, &[&payer, &owner]));
    assert_eq!(world.position(ann, 15), 110);
    let free = world.assess(ann).account.free_collateral();
    world.withdraw(ann, free).succeeds();
    for market in 0..16 {
        world.set_oracle_price(market, 97 * PRICE / 100);
    }
    for _ in 0..4 {
        world.advance(10);
    }
    world.bid(bob, 15, 200, 97 * PRICE / 100);
    let tend = world.tend(bob, ann, 15);
    let liquidate = instructions::liquidate(&tend);
    check("liquidate", &lookup::send(&mut world, liquidate, &table, &[&payer]));
    assert!(world.position(ann, 15) < 110);
}

#[test]
fn a_market_may_have_as_many_tiers_as_the_longest_published_table() {
    let mut world = World::btc();
    let rows: [(u64, u32, u32); TIERS] = [
        (0, 40, 500),
        (50_000, 50, 600),
        (250_000, 100, 700),
        (1_000_000, 250, 800),
        (10_000_000, 500, 1_000),
        (20_000_000, 1_000, 2_000),
        (50_000_000, 1_250, 2_500),
        (100_000_000, 1_500, 3_330),
        (200_000_000, 2_500, 5_000),
        (300_000_000, 5_000, 10_000),
    ];
    world
        .update_market(BTC, |params| {
            for (tier, (lower, maintenance_bps, initial_bps)) in params.tiers.iter_mut().zip(rows) {
                (tier.lower, tier.maintenance_bps, tier.initial_bps) = (lower * DOLLAR, maintenance_bps, initial_bps);
            }
        })
        .succeeds();
    let (ann, bob) = (world.trader(10_000_000 * DOLLAR), world.trader(10_000_000 * DOLLAR));
    world.trade(BTC, ann, bob, 500_000, PRICE);
    // $5,000,000: 2.5 % less $16,300, as published.
    assert_eq!(world.assess(ann).account.maintenance, (125_000 - 16_300) * DOLLAR);
}
