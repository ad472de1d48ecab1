//! What a security review found, as attacks that no longer work. Each test fails when its mend is taken out.

use ballast_client::{
    ballast::{OrderArgs, error::BallastError},
    events::Event,
    instructions::{self, post_only_order},
    units::{Lots, Price, Side},
};
use ballast_rank::grid;
use ballast_risk::health::Stage;
use ballast_tests::harness::{BTC, DOLLAR, ETH, Expect, MarketSpec, Receipt, Trader, World};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

const PRICE: u64 = 10 * DOLLAR;
const CENT: u64 = DOLLAR / 100;

/// Ann is long 1,000 lots at $10 with $600, Bob is short; Kit looks on.
fn thin(world: &mut World) -> (Trader, Trader, Trader) {
    let (ann, bob) = (world.trader(600 * DOLLAR), world.trader(1_000_000 * DOLLAR));
    let kit = world.trader(100_000 * DOLLAR);
    world.trade(BTC, ann, bob, 1_000, PRICE);
    (ann, bob, kit)
}

fn names(receipt: &Receipt) -> Vec<&'static str> {
    receipt.events().iter().map(Event::name).collect()
}

#[test]
fn insurance_pays_for_the_lots_that_are_closed_and_the_rest_stays_bankrupt() {
    let mut world = World::btc();
    let (cal, kit) = (world.trader(5_500 * DOLLAR), world.trader(1_000 * DOLLAR));
    for deposit in [30_000, 3_000, 2_000, 1_500, 1_200] {
        let short = world.trader(deposit * DOLLAR);
        world.trade(BTC, cal, short, 2_000, PRICE);
    }
    world.move_price(BTC, 9 * DOLLAR + 20 * CENT);
    world.fund_insurance(1_000 * DOLLAR);
    // The whole position lacks more than insurance has; the caller asks for one cell of five.
    world.deleverage(kit, cal, BTC, 1).succeeds();
    assert_eq!(world.position(cal, BTC), 8_000);
    assert_eq!(world.insurance_tokens(), 800 * DOLLAR, "a fifth of the lots, a fifth of the money");
    assert_eq!(world.stage(cal), Stage::Bankrupt);
    for _ in 0..4 {
        world.deleverage(kit, cal, BTC, 1).succeeds();
    }
    assert_eq!((world.position(cal, BTC), world.equity(cal) / 10_000), (0, 0));
}

#[test]
fn a_single_lots_made_up_entry_price_blocks_nobody_elses_row() {
    let mut world = World::btc_with(|params| params.tick = 1);
    let (ann, bob) = (world.trader(100_000 * DOLLAR), world.trader(100_000 * DOLLAR));
    // The entry price, thousands of times too low, that shares its row with honest ones of ten dollars.
    let honest = grid::bucket(Price(PRICE));
    let rows = u16::try_from(grid::ROWS).expect("a thousand");
    let alias = (1..PRICE).find(|price| grid::bucket(Price(*price)) + rows == honest).expect("such a price");
    // 1,001 lots bought and 1,000 sold wait in the seat and fold as one trade: one lot for next to nothing.
    let (dear, cheap) = {
        let sold = PRICE + 9_990;
        let bought = (1_000 * sold + alias).div_ceil(1_001);
        (sold, bought)
    };
    let basis = 1_001 * cheap - 1_000 * dear;
    assert!(basis < PRICE / 1_000, "{basis}");
    world.bid(ann, BTC, 1_001, cheap);
    world.sell(bob, BTC, 1_001, cheap).succeeds();
    world.ask(ann, BTC, 1_000, dear);
    world.buy(bob, BTC, 1_000, dear).succeeds();
    world.settle(bob, ann, BTC).succeeds();
    assert_eq!((world.position(ann, BTC), world.slot(ann, BTC).basis.unsigned_abs()), (1, basis));
    // The money is Ann's, her place in the index is not where she wanted it.
    let snapshot = world.snapshot();
    let view = snapshot.view().expect("sound slabs");
    let index = &view.market(BTC).expect("the market").ranks;
    for row in index.rows(Side::Long) {
        assert!(row.bucket + rows / 2 > honest, "no row is far below the mark's");
    }
    let (cal, dee) = (world.trader(10_000 * DOLLAR), world.trader(10_000 * DOLLAR));
    world.trade(BTC, cal, dee, 100, PRICE);
    assert_eq!(world.position(cal, BTC), 100);
}

/// `orders` bids of a lot each by `trader`, at the price, each alive for a second.
fn short_lived(world: &mut World, trader: Trader, orders: usize, price: u64) {
    for _ in 0..orders {
        let expires_at = world.now + 1;
        let order = OrderArgs { expires_at, ..post_only_order(Side::Long, Price(price), Lots(1)) };
        world.place(trader, BTC, order).succeeds();
    }
}

#[test]
fn expired_makers_in_front_of_the_book_do_not_make_it_fail() {
    let mut world = World::btc();
    let (ann, bob, kit) = thin(&mut world);
    let price = 9 * DOLLAR + 60 * CENT;
    world.move_price(BTC, price);
    world.bid(bob, BTC, 1_000, price);
    short_lived(&mut world, kit, 32, price + CENT);
    world.advance(2);
    // However often it takes to get past them: at once, and without opening the account to takeovers.
    world.liquidate(kit, ann, BTC).succeeds();
    if world.position(ann, BTC) == 1_000 {
        world.take_over(kit, ann, BTC, 1_000).fails_with(BallastError::NotEligible);
        world.liquidate(kit, ann, BTC).succeeds();
    }
    assert_eq!(world.position(ann, BTC), 800);
}

#[test]
fn tiny_makers_in_front_of_the_book_start_no_cooldown() {
    let mut world = World::btc();
    let (ann, bob, kit) = thin(&mut world);
    let price = 9 * DOLLAR + 60 * CENT;
    world.move_price(BTC, price);
    world.bid(bob, BTC, 1_000, price);
    for _ in 0..32 {
        world.bid(kit, BTC, 1, price + CENT);
    }
    world.liquidate(bob, ann, BTC).succeeds();
    assert_eq!(world.position(ann, BTC), 968);
    world.liquidate(bob, ann, BTC).succeeds();
    assert!(world.position(ann, BTC) <= 800, "the book was there all along");
    world.liquidate(bob, ann, BTC).fails();
}

#[test]
fn tiny_makers_in_front_of_the_book_deleverage_nobody() {
    let mut world = World::btc();
    let (cal, eve) = (world.trader(5_500 * DOLLAR), world.trader(40_000 * DOLLAR));
    let (kit, ann) = (world.trader(1_000 * DOLLAR), world.trader(1_000_000 * DOLLAR));
    world.trade(BTC, cal, eve, 10_000, PRICE);
    world.move_price(BTC, 9 * DOLLAR + 20 * CENT);
    world.fund_insurance(100 * DOLLAR);
    let price = world.bankruptcy_price(cal, BTC).unsigned_abs().next_multiple_of(100);
    for _ in 0..16 {
        world.bid(kit, BTC, 1, price + CENT);
    }
    world.bid(ann, BTC, 10_000, price);
    world.deleverage(kit, cal, BTC, 100).succeeds();
    assert_eq!((world.market(BTC).deleverages, world.insurance_tokens()), (0, 100 * DOLLAR));
    world.deleverage(kit, cal, BTC, 100).succeeds();
    assert_eq!((world.position(cal, BTC), world.position(eve, BTC)), (0, -10_000));
    assert_eq!((world.market(BTC).deleverages, world.insurance_tokens()), (0, 100 * DOLLAR));
}

#[test]
fn a_claim_on_an_empty_pool_backs_other_markets_with_the_haircut_only() {
    let mut world = World::new(&[MarketSpec::btc(), MarketSpec::eth()]);
    let (ann, bob, cal) = (world.trader(600 * DOLLAR), world.trader(100_000 * DOLLAR), world.trader(100_000 * DOLLAR));
    world.trade(BTC, ann, bob, 1_000, PRICE);
    world.move_price(BTC, 11 * DOLLAR);
    world.bid(cal, BTC, 1_000, 11 * DOLLAR);
    world.reduce(ann, BTC, Side::Short, 1_000, 11 * DOLLAR).succeeds();
    let settled = world.collateral(ann);
    world.withdraw(ann, settled).succeeds();
    // A claim of $1,000, which nobody has paid for: it counts as $900, like profit that is not realised.
    assert_eq!((world.slot(ann, BTC).unsettled, world.market(BTC).pool), (1_000_000_000, 0));
    let account = world.assess(ann).account;
    assert_eq!((account.equity.0, account.initial_equity.0), (1_000_000_000, 900_000_000));
    // At 5 % that is $18,000 of ether and no more: fees come out of the claim.
    world.ask(cal, ETH, 10_000, 4 * DOLLAR);
    world.buy(ann, ETH, 4_600, 4 * DOLLAR).fails_with(BallastError::InsufficientMargin);
    world.buy(ann, ETH, 4_400, 4 * DOLLAR).succeeds();
    // Bob's loss fills the pool, and the claim is as good as money.
    world.ask(cal, BTC, 1_000, 11 * DOLLAR);
    world.reduce(bob, BTC, Side::Long, 1_000, 11 * DOLLAR).succeeds();
    assert_eq!(world.market(BTC).pool, 1_000 * DOLLAR);
    world.buy(ann, ETH, 400, 4 * DOLLAR).succeeds();
}

#[test]
fn while_the_mark_is_on_its_way_to_a_tick_nobody_withdraws_or_opens_on_it() {
    for side in Side::BOTH {
        let mut world = World::btc();
        let (ann, bob) = (world.trader(1_500 * DOLLAR), world.trader(100_000 * DOLLAR));
        let (buyer, seller) = if side == Side::Long { (ann, bob) } else { (bob, ann) };
        world.trade(BTC, buyer, seller, 1_000, PRICE);
        let wallet = world.collateral(ann);
        // A dollar less for a long, or more for a short, and the mark follows by half a per cent a second.
        let tick = if side == Side::Long { 94 * PRICE / 100 } else { 106 * PRICE / 100 };
        world.tick(BTC, tick, 1);
        let mark = world.market(BTC).mark().0;
        assert!(mark.abs_diff(PRICE) <= PRICE / 100, "{mark}");
        // At the mark $600 and more would be free, at the tick less than $400 are.
        assert!(world.assess(ann).account.free_collateral() > 600 * DOLLAR);
        world.withdraw(ann, 600 * DOLLAR).fails_with(BallastError::InsufficientMargin);
        let price = mark / 100 * 100;
        world.rest(bob, BTC, side.opposite(), 1_200, price);
        let order = instructions::market_order(side, Price(price), Lots(1_200));
        world.place(ann, BTC, order).fails_with(BallastError::InsufficientMargin);
        let rest =
            post_only_order(side, Price(if side == Side::Long { price - CENT } else { price + CENT }), Lots(1_200));
        world.place(ann, BTC, rest).fails_with(BallastError::InsufficientMargin);
        world.withdraw(ann, 300 * DOLLAR).succeeds();
        assert!(world.collateral(ann) < wallet);
    }
}

#[test]
fn a_fee_that_nobody_could_pay_is_claimed_from_no_pool() {
    let mut world = World::btc();
    let (ann, bob, cal) = (world.trader(510 * DOLLAR), world.trader(100_000 * DOLLAR), world.trader(100_000 * DOLLAR));
    world.trade(BTC, ann, bob, 1_000, PRICE);
    world.move_price(BTC, 11 * DOLLAR);
    let settled = world.collateral(ann);
    world.withdraw(ann, settled).succeeds();
    world.move_price(BTC, 10 * DOLLAR + 20 * CENT);
    assert_eq!(world.stage(ann), Stage::Partial);
    // A profit of a dollar, a fee of three and a half.
    world.bid(cal, BTC, 1_000, PRICE + 1_000);
    world.reduce(ann, BTC, Side::Short, 1_000, PRICE + 1_000).succeeds();
    assert_eq!((world.market(BTC).fee_claims, world.equity(ann)), (1_000_000, 0));
    // Somebody else's loss fills the pool; the exchange has a dollar of it and not more.
    world.settle(ann, cal, BTC).succeeds();
    world.ask(bob, BTC, 1_000, 10 * DOLLAR + 20 * CENT);
    world.buy(cal, BTC, 1_000, 10 * DOLLAR + 20 * CENT).succeeds();
    let lost = world.market(BTC).pool;
    let admin = world.admin.insecure_clone();
    let (keys, market, target) = (world.keys, world.market_keys(BTC).market, world.wallet(cal));
    let receipt =
        world.send(&[instructions::withdraw_fees(&admin.pubkey(), &keys, &market, &target)], &[&admin]).succeeds();
    let from_pool = receipt.events().into_iter().find_map(|event| match event {
        Event::FeesWithdrawn(paid) => Some(paid.from_pool),
        _ => None,
    });
    assert_eq!(from_pool, Some(DOLLAR.min(lost)));
    assert_eq!(world.market(BTC).pool, lost - DOLLAR.min(lost));
}

#[test]
fn a_clock_wound_up_in_one_fall_is_no_use_in_the_next() {
    let mut world = World::btc();
    world.fund_insurance(100_000 * DOLLAR);
    let (ann, _bob, kit) = thin(&mut world);
    let low = 9 * DOLLAR + 52 * CENT;
    world.move_price(BTC, low);
    assert_eq!(world.stage(ann), Stage::Takeover);
    world.liquidate(kit, ann, BTC).succeeds();
    assert!(world.margin_account(ann).progress().takeover_since > 0);
    // It recovers, and nobody touches it. The next fall is another one.
    world.move_price(BTC, PRICE);
    world.advance(1_000);
    world.move_price(BTC, low);
    world.take_over(kit, ann, BTC, 100).succeeds();
    let paid = world.slot(kit, BTC).basis.unsigned_abs() / 100;
    assert_eq!(paid, low - low / 10_000 * 25, "the discount at its start");
}

#[test]
fn a_delay_that_ran_out_in_one_bankruptcy_runs_again_in_the_next() {
    let mut world = World::btc();
    world.fund_insurance(100_000 * DOLLAR);
    let (ann, _bob, kit) = thin(&mut world);
    let low = 9 * DOLLAR + 20 * CENT;
    world.move_price(BTC, low);
    world.deleverage(kit, ann, BTC, 100).succeeds();
    world.move_price(BTC, PRICE);
    world.advance(1_000);
    world.move_price(BTC, low);
    // Notes the bankruptcy anew, and then insurance has its time to find a taker.
    world.deleverage(kit, ann, BTC, 100).succeeds();
    assert_eq!(world.position(ann, BTC), 1_000);
    world.deleverage(kit, ann, BTC, 100).fails_with(BallastError::InsuranceCovers);
    world.advance(20);
    world.deleverage(kit, ann, BTC, 100).succeeds();
    assert_eq!(world.position(ann, BTC), 0);
}

#[test]
fn what_the_admin_and_owners_change_is_reported() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(1_000 * DOLLAR), world.trader(1_000 * DOLLAR));
    world.trade(BTC, ann, bob, 100, PRICE);
    let (admin, next) = (world.admin.insecure_clone(), Keypair::new());
    let (keys, market, target) = (world.keys, world.market_keys(BTC).market, world.wallet(ann));

    let receipt = world.update_market(BTC, |params| params.taker_fee_ppm = 400).succeeds();
    let events = receipt.events();
    let Some(Event::MarketParamsSet(set)) = events.first() else { panic!("{:?}", names(&receipt)) };
    assert_eq!(set.params, world.market(BTC).params);
    let pause = instructions::set_pause(&admin.pubkey(), &keys.exchange, true, false);
    assert_eq!(names(&world.send(&[pause], &[&admin]).succeeds()), ["PauseSet"]);
    let resume = instructions::set_pause(&admin.pubkey(), &keys.exchange, false, false);
    world.send(&[resume], &[&admin]).succeeds();
    let receipt = world.set_delegate(ann, &next.pubkey()).succeeds();
    assert_eq!(names(&receipt), ["DelegateSet"]);
    let fees = world.market(BTC).fees;
    let collect = instructions::withdraw_fees(&admin.pubkey(), &keys, &market, &target);
    let receipt = world.send(&[collect], &[&admin]).succeeds();
    let events = receipt.events();
    assert!(matches!(&events[..], [Event::FeesWithdrawn(paid)] if (paid.from_pool, paid.from_fees) == (0, fees)));
    let propose = instructions::propose_admin(&admin.pubkey(), &keys.exchange, &next.pubkey());
    assert_eq!(names(&world.send(&[propose], &[&admin]).succeeds()), ["AdminProposed"]);
    let accept = instructions::accept_admin(&next.pubkey(), &keys.exchange);
    let receipt = world.send(&[accept], &[&next]).succeeds();
    let events = receipt.events();
    let Some(Event::AdminAccepted(taken)) = events.first() else { panic!("{:?}", names(&receipt)) };
    assert_eq!((taken.before, taken.admin), (admin.pubkey(), next.pubkey()));
    let cal = world.trader(0);
    let rent_to = world.owner(cal).pubkey();
    let receipt = world.close_account(cal).succeeds();
    let events = receipt.events();
    let Some(Event::AccountClosed(closed)) = events.first() else { panic!("{:?}", names(&receipt)) };
    assert_eq!(closed.owner, rent_to);
    assert_ne!(closed.account, Pubkey::default());
}
