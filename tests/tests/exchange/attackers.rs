//! What attackers try: the same account twice, forged slabs and markets, replayed order ids, numbers at the edge of their
//! types, dust, bounties.

use ballast_book::OrderId;
use ballast_client::{
    addresses,
    ballast::{OrderArgs, error::BallastError, state::MarketParams},
    instructions::{self, limit_order, market_order, post_only_order},
    units::{Lots, MAX_LOTS, MAX_PRICE, Price, Side},
};
use ballast_risk::health::Stage;
use ballast_tests::harness::{BTC, Chain, DOLLAR, ETH, Expect, MarketSpec, Trader, World, resting};
use solana_account::{Account, ReadableAccount};
use solana_instruction::AccountMeta;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

const PRICE: u64 = 10 * DOLLAR;
const TICK: u64 = 100;

/// Ann in two markets, with Bob on the other side.
fn cross() -> (World, Trader, Trader) {
    let mut world = World::new(&[MarketSpec::btc(), MarketSpec::eth()]);
    let (ann, bob) = (world.trader(10_000 * DOLLAR), world.trader(100_000 * DOLLAR));
    world.trade(BTC, ann, bob, 100, PRICE);
    world.trade(ETH, ann, bob, 100, 4 * DOLLAR);
    (world, ann, bob)
}

#[test]
fn the_same_account_in_two_roles_is_refused() {
    let (mut world, ann, _bob) = cross();
    world.settle(ann, ann, BTC).fails_with(BallastError::DuplicateAccount);
    world.rerank(ann, ann, BTC).fails_with(BallastError::DuplicateAccount);
    world.liquidate(ann, ann, BTC).fails_with(BallastError::DuplicateAccount);
    world.deleverage(ann, ann, BTC, 10).fails_with(BallastError::DuplicateAccount);
    world.cover_bad_debt(ann, ann, BTC).fails_with(BallastError::DuplicateAccount);
    world.take_over(ann, ann, BTC, 10).fails_with(BallastError::DuplicateAccount);
}

#[test]
fn markets_that_are_shown_must_be_genuine_and_complete() {
    let (mut world, ann, _bob) = cross();
    let (owner, margin, keys) = (world.owner(ann), world.margin(ann), world.market_keys(BTC));
    let others = world.others(ann, Some(BTC));
    let place = |world: &mut World, others: &[AccountMeta]| {
        let order = market_order(Side::Long, Price(PRICE), Lots(1));
        let place = instructions::place_order(&owner.pubkey(), &margin, &keys, order, others);
        world.send(&[place], &[&owner])
    };
    place(&mut world, &others).succeeds();
    place(&mut world, &[]).fails_with(BallastError::MissingMarket);
    let read_only = |key| AccountMeta::new_readonly(key, false);
    let [market, book, ranks] = [others[0].clone(), others[1].clone(), others[2].clone()];
    // Ether's market with Bitcoin's slabs, slabs in each other's place, and the market in place of a slab.
    place(&mut world, &[market.clone(), read_only(keys.book), ranks.clone()]).fails_with(BallastError::WrongAccount);
    place(&mut world, &[market.clone(), book.clone(), read_only(keys.ranks)]).fails_with(BallastError::WrongAccount);
    place(&mut world, &[market.clone(), ranks.clone(), book.clone()]).fails_with(BallastError::WrongAccount);
    place(&mut world, &[book.clone(), market.clone(), ranks.clone()]).fails();
    // A copy of the market's bytes, with a higher mark, that belongs to somebody else.
    let genuine = world.chain.account(&market.pubkey).expect("the market");
    let forged = Pubkey::new_unique();
    let owner_key = Pubkey::new_unique();
    let copy = Account { data: genuine.data().to_vec(), owner: owner_key, ..Account::from(genuine) };
    world.chain.put_account(forged, copy);
    let shown = [read_only(forged), book.clone(), ranks.clone()];
    place(&mut world, &shown).fails_as("AccountOwnedByWrongProgram");
    // More than needed does no harm.
    let twice: Vec<_> = others.iter().chain(&others).cloned().collect();
    place(&mut world, &twice).succeeds();
}

#[test]
fn anothers_exchange_has_a_market_of_the_same_number_and_it_is_not_taken() {
    let (mut world, ann, _bob) = cross();
    let first = world.found_another();
    for spec in [MarketSpec::btc(), MarketSpec::eth()] {
        world.create_market(&spec);
    }
    world.advance(1);
    world.advance(1);
    let foreign = world.market_keys(ETH);
    world.realm = first;
    let (owner, margin, keys) = (world.owner(ann), world.margin(ann), world.market_keys(BTC));
    let shown = [foreign.market, foreign.book, foreign.ranks].map(|key| AccountMeta::new_readonly(key, false));
    let order = market_order(Side::Long, Price(PRICE), Lots(1));
    let place = instructions::place_order(&owner.pubkey(), &margin, &keys, order, &shown);
    world.send(&[place], &[&owner]).fails_with(BallastError::MissingMarket);
}

#[test]
fn a_market_takes_only_fresh_slabs_of_its_own() {
    let mut world = World::btc();
    let (admin, spec) = (world.admin.insecure_clone(), MarketSpec::eth());
    let (exchange, taken) = (world.keys.exchange, world.market_keys(BTC));
    let (book, ranks) = world.create_slabs(&spec);
    let create = |book: &Pubkey, ranks: &Pubkey| {
        instructions::create_market(&admin.pubkey(), &exchange, 1, book, ranks, spec.identity([9; 32]), spec.params)
    };
    world.send(&[create(&taken.book, &ranks)], &[&admin]).fails_with(BallastError::BadSlab);
    world.send(&[create(&book, &taken.ranks)], &[&admin]).fails_with(BallastError::BadSlab);
    world.send(&[create(&ranks, &ranks)], &[&admin]).fails_with(BallastError::DuplicateAccount);
    // Too small for an index.
    world.send(&[create(&ranks, &book)], &[&admin]).fails_with(BallastError::BadSlab);
    let foreign = Pubkey::new_unique();
    let data = vec![0; instructions::book_space(100)];
    let account =
        Account { lamports: DOLLAR * 1_000, data, owner: Pubkey::new_unique(), executable: false, rent_epoch: 0 };
    world.chain.put_account(foreign, account);
    world.send(&[create(&foreign, &ranks)], &[&admin]).fails_with(BallastError::BadSlab);
    for key in [addresses::market(&exchange, 1), book, ranks] {
        world.watch(key);
    }
    world.send(&[create(&book, &ranks)], &[&admin]).succeeds();
    let stranger = Keypair::new();
    let (book, ranks) = world.create_slabs(&spec);
    let rent =
        solana_system_interface::instruction::transfer(&world.payer.pubkey(), &stranger.pubkey(), 10_000_000_000);
    let theirs = instructions::create_market(
        &stranger.pubkey(),
        &exchange,
        2,
        &book,
        &ranks,
        spec.identity([9; 32]),
        spec.params,
    );
    world.send(&[rent, theirs], &[&stranger]).fails_with(BallastError::Unauthorized);
}

#[test]
fn a_margin_account_is_no_market_and_a_market_no_margin_account() {
    let (mut world, ann, bob) = cross();
    let mut tend = world.tend(bob, ann, BTC);
    tend.margin = tend.market.market;
    world.send(&[instructions::settle_seat(&tend)], &[]).fails();
    let mut tend = world.tend(bob, ann, BTC);
    tend.market.market = tend.margin;
    world.send(&[instructions::settle_seat(&tend)], &[]).fails_as("AccountDiscriminatorMismatch");
    let mut tend = world.tend(bob, ann, BTC);
    std::mem::swap(&mut tend.market.book, &mut tend.market.ranks);
    world.send(&[instructions::settle_seat(&tend)], &[]).fails_with(BallastError::WrongAccount);
}

#[test]
fn the_id_of_an_order_that_is_gone_cancels_nothing_even_when_its_place_is_taken_again() {
    let mut world = World::btc();
    let (ann, bob) = (world.trader(1_000 * DOLLAR), world.trader(1_000 * DOLLAR));
    let first = world.bid(ann, BTC, 10, PRICE);
    world.cancel(ann, BTC, first).succeeds();
    let second = world.bid(ann, BTC, 10, PRICE);
    assert_ne!(first, second);
    world.cancel(ann, BTC, first).fails_with(BallastError::OrderNotFound);
    world.cancel(ann, BTC, second).succeeds();
    let third = world.bid(bob, BTC, 10, PRICE);
    world.bid(ann, BTC, 10, PRICE - TICK);
    world.cancel(ann, BTC, second).fails_with(BallastError::OrderNotFound);
    world.cancel(ann, BTC, third).fails_with(BallastError::OrderNotFound);
    // Made-up ids: the seat's own block, no block at all, another price or side.
    for id in [0, 1, u128::MAX, third.0 ^ 1, third.0 ^ (1 << 64), third.0 ^ (1 << 63), third.0 << 1] {
        world.cancel(ann, BTC, OrderId(id)).fails_with(BallastError::OrderNotFound);
    }
}

#[test]
fn numbers_at_the_edge_of_their_types_are_refused() {
    let (mut world, ann, bob) = cross();
    let order = |price, lots| limit_order(Side::Long, Price(price), Lots(lots));
    let edge = [
        order(PRICE, MAX_LOTS),
        order(MAX_PRICE / TICK * TICK, MAX_LOTS),
        order(u64::MAX / TICK * TICK, 1),
        order(PRICE, u64::MAX),
        OrderArgs { expires_at: i64::MIN, ..order(PRICE, 1) },
        OrderArgs { max_makers: u8::MAX, ..order(PRICE, 1) },
    ];
    for order in edge {
        world.place(ann, BTC, order).fails();
    }
    world.place(ann, BTC, OrderArgs { expires_at: i64::MAX, client_id: u64::MAX, ..order(PRICE, 1) }).succeeds();
    world.cancel_all(ann, BTC, None, u32::MAX).succeeds();
    world.deposit(ann, u64::MAX).fails();
    world.withdraw(ann, u64::MAX).fails_with(BallastError::InsufficientSettled);
    world.take_over(bob, ann, BTC, u64::MAX).fails_with(BallastError::NotEligible);
    world.deleverage(bob, ann, BTC, u32::MAX).fails_with(BallastError::NotEligible);
    world
        .update_market(BTC, |params| params.insurance_limit_per_day = u64::MAX)
        .fails_with(BallastError::ParameterOutOfBounds);
    world
        .update_market(BTC, |params| params.max_position_lots = u64::MAX)
        .fails_with(BallastError::ParameterOutOfBounds);
    world.update_market(BTC, |params| params.tiers[1].lower = u64::MAX).fails_with(BallastError::ParameterOutOfBounds);
}

#[test]
fn resting_orders_do_not_outgrow_the_largest_position() {
    let mut world = World::btc_with(|params| params.max_position_lots = 1_000);
    let (ann, bob) = (world.trader(1_000_000 * DOLLAR), world.trader(1_000_000 * DOLLAR));
    world.bid(ann, BTC, 600, PRICE);
    let more = |lots| post_only_order(Side::Long, Price(PRICE), Lots(lots));
    world.place(ann, BTC, more(401)).fails_with(BallastError::TooLarge);
    world.place(ann, BTC, more(400)).succeeds();
    world.sell(bob, BTC, 1_000, PRICE).succeeds();
    world.place(ann, BTC, more(1)).fails_with(BallastError::TooLarge);
    // The other way round there is room for twice as much.
    let asks = |lots| limit_order(Side::Short, Price(PRICE + TICK), Lots(lots));
    world.place(ann, BTC, asks(2_001)).fails_with(BallastError::TooLarge);
    world.place(ann, BTC, asks(2_000)).succeeds();
}

#[test]
fn tokens_of_another_mint_are_not_collateral() {
    let mut world = World::btc();
    let ann = world.trader(DOLLAR);
    let (owner, margin) = (world.owner(ann), world.margin(ann));
    let mint = world.create_mint(6);
    let worthless = world.create_tokens_of(mint, &owner.pubkey(), 1_000 * DOLLAR);
    let keys = world.keys;
    let deposit = instructions::deposit(&owner.pubkey(), &keys, &margin, &worthless, DOLLAR);
    world.send(&[deposit], &[&owner]).fails_as("ConstraintTokenMint");
    let fund = instructions::fund_insurance(&owner.pubkey(), &keys, &worthless, DOLLAR);
    world.send(&[fund], &[&owner]).fails_as("ConstraintTokenMint");
    let withdraw = instructions::withdraw(&owner.pubkey(), &keys, &margin, &worthless, DOLLAR, &[]);
    world.send(&[withdraw], &[&owner]).fails_as("ConstraintTokenMint");
}

#[test]
fn an_exchange_with_a_mint_of_other_decimals_is_not_founded() {
    let mut world = World::btc();
    let (creator, mint) = (Keypair::new(), world.create_mint(9));
    let fund = solana_system_interface::instruction::transfer(&world.payer.pubkey(), &creator.pubkey(), 10_000_000_000);
    let found = instructions::initialize_exchange(&creator.pubkey(), &mint, &creator.pubkey());
    world.send(&[fund, found], &[&creator]).fails_with(BallastError::ParameterOutOfBounds);
}

#[test]
fn the_vault_can_neither_pay_a_deposit_nor_receive_a_withdrawal() {
    let mut world = World::btc();
    let (ann, _bob) = (world.trader(100 * DOLLAR), world.trader(100 * DOLLAR));
    let (owner, margin, keys) = (world.owner(ann), world.margin(ann), world.keys);
    for vault in [keys.vault, keys.insurance] {
        let deposit = instructions::deposit(&owner.pubkey(), &keys, &margin, &vault, DOLLAR);
        world.send(&[deposit], &[&owner]).fails();
    }
    let withdraw = instructions::withdraw(&owner.pubkey(), &keys, &margin, &keys.vault, DOLLAR, &[]);
    world.send(&[withdraw], &[&owner]).fails_as("ConstraintDuplicateMutableAccount");
}

/// What the attackers have, settled or not, in all their accounts.
fn wealth(world: &mut World, attackers: &[Trader]) -> i64 {
    attackers.iter().map(|trader| world.equity(*trader)).sum()
}

#[test]
fn trading_dust_with_oneself_gains_nothing() {
    let mut world =
        World::new(&[MarketSpec { price: 10_003, ..MarketSpec::btc() }.with(|params: &mut MarketParams| {
            (params.tick, params.maker_fee_ppm) = (1, 0);
        })]);
    let (ann, bob) = (world.trader(DOLLAR), world.trader(DOLLAR));
    let before = wealth(&mut world, &[ann, bob]);
    for round in 0..20 {
        let (price, lots) = (10_000 + round % 7, 1 + round % 3);
        let (buyer, seller) = if round % 2 == 0 { (ann, bob) } else { (bob, ann) };
        world.ask(seller, BTC, lots, price);
        world.buy(buyer, BTC, lots, price).succeeds();
        world.settle(buyer, seller, BTC).succeeds();
        assert!(wealth(&mut world, &[ann, bob]) <= before, "round {round}");
    }
    for _ in 0..10 {
        world.deposit(ann, 1).succeeds();
        world.withdraw(ann, 1).succeeds();
    }
    assert!(wealth(&mut world, &[ann, bob]) < before);
}

#[test]
fn trading_with_oneself_for_the_bounty_of_settling_costs_more_than_it_brings() {
    let mut world = World::btc();
    let (ann, bob, kit) = (world.trader(100_000 * DOLLAR), world.trader(100_000 * DOLLAR), world.trader(0));
    let crowd = [ann, bob, kit];
    let mut before = wealth(&mut world, &crowd);
    for lots in [1, 3, 10, 100, 1_000] {
        // There and back, as far apart as orders may rest, so that there is a loss to settle too.
        for (price, seller, buyer) in [(11 * DOLLAR, ann, bob), (PRICE / 20 * 19, bob, ann)] {
            world.ask(seller, BTC, lots, price);
            world.buy(buyer, BTC, lots, price).succeeds();
            world.settle(kit, seller, BTC).succeeds();
        }
        let after = wealth(&mut world, &crowd);
        assert!(after < before, "{lots} lots");
        before = after;
    }
}

#[test]
fn moving_ones_own_position_about_for_the_bounty_of_reranking_costs_more_than_it_brings() {
    let mut world = World::btc();
    // Somebody else has paid fees that could be drawn.
    let (rich, other) = (world.trader(1_000_000 * DOLLAR), world.trader(1_000_000 * DOLLAR));
    world.trade(BTC, rich, other, 50_000, PRICE);
    let (ann, bob, kit) = (world.trader(1_000 * DOLLAR), world.trader(1_000 * DOLLAR), world.trader(0));
    let crowd = [ann, bob, kit];
    let before = wealth(&mut world, &crowd);
    for _ in 0..5 {
        world.ask(bob, BTC, 1, PRICE);
        world.buy(ann, BTC, 1, PRICE).succeeds();
        world.settle(kit, bob, BTC).succeeds();
        for trader in [ann, bob] {
            world.withdraw(trader, 995 * DOLLAR).succeeds();
            world.rerank(kit, trader, BTC).succeeds();
            world.deposit(trader, 995 * DOLLAR).succeeds();
        }
        // And away with the positions, so that the next ones are new.
        world.bid(bob, BTC, 1, PRICE);
        world.sell(ann, BTC, 1, PRICE).succeeds();
        world.settle(kit, bob, BTC).succeeds();
    }
    assert!(wealth(&mut world, &crowd) <= before, "gained {}", wealth(&mut world, &crowd) - before);
}

#[test]
fn cutting_a_deleveraging_into_pieces_earns_no_more_bounties() {
    let mut world = World::btc();
    let (cal, kit) = (world.trader(5_500 * DOLLAR), world.trader(0));
    for deposit in [30_000, 3_000, 2_000, 1_500, 1_200] {
        let short = world.trader(deposit * DOLLAR);
        world.trade(BTC, cal, short, 2_000, PRICE);
    }
    world.move_price(BTC, 9 * DOLLAR);
    for _ in 0..5 {
        world.deleverage(kit, cal, BTC, 1).succeeds();
    }
    assert!(world.collateral(kit) <= 10_000, "one deleveraging, one bounty: {}", world.collateral(kit));
}

#[test]
fn a_transfer_through_prices_at_the_bands_edge_leaves_the_loss_with_the_loser() {
    let mut world = World::btc();
    let (ann, accomplice, bob) =
        (world.trader(600 * DOLLAR), world.trader(1_000_000 * DOLLAR), world.trader(1_000_000 * DOLLAR));
    // Bought at the upper edge of the band: the loss against the mark counts at once.
    world.ask(accomplice, BTC, 1_000, 11 * DOLLAR);
    world.buy(ann, BTC, 1_000, 11 * DOLLAR).fails_with(BallastError::InsufficientMargin);
    world.cancel_all(accomplice, BTC, None, 10).succeeds();
    world.trade(BTC, ann, bob, 1_000, PRICE);
    // And sold at the lower edge: not below maintenance margin afterwards.
    world.bid(accomplice, BTC, 1_000, 9 * DOLLAR);
    world.sell(ann, BTC, 1_000, 9 * DOLLAR).fails_with(BallastError::InsufficientMargin);
    world.sell(ann, BTC, 2_000, 9 * DOLLAR).fails_with(BallastError::InsufficientMargin);
    assert!(wealth(&mut world, &[ann]) > 0);
}

#[test]
fn an_order_that_the_mark_has_left_behind_costs_its_maker_no_more_than_its_margin() {
    let mut world = World::btc();
    // $500 for a bid of a thousand lots at $10: the initial margin of 5 %.
    let (maker, attacker) = (world.trader(500 * DOLLAR), world.trader(1_000_000 * DOLLAR));
    world.bid(maker, BTC, 1_000, PRICE);
    let sell = |world: &mut World, lots| {
        let order = market_order(Side::Short, Price(PRICE / 2), Lots(lots));
        world.place(attacker, BTC, order)
    };
    // Within the band of 10 %, but a loss of 8 %: passed over, and anyone may remove it.
    world.move_price(BTC, PRICE * 92 / 100);
    sell(&mut world, 500).succeeds();
    assert_eq!((world.position(maker, BTC), world.position(attacker, BTC)), (0, 0));
    // A loss of 4 % is its maker's own.
    world.move_price(BTC, PRICE * 96 / 100);
    sell(&mut world, 1_000).succeeds();
    world.settle(attacker, maker, BTC).succeeds();
    assert_eq!(world.position(maker, BTC), 1_000);
    assert!(world.equity(maker) >= 0, "{}", world.equity(maker));
    // Liquidation sells below the mark, where the band is as wide as it was.
    let buyer = world.trader(1_000_000 * DOLLAR);
    world.bid(buyer, BTC, 1_000, PRICE * 87 / 100);
    world.move_price(BTC, PRICE * 955 / 1_000);
    assert_eq!(world.stage(maker), Stage::Takeover);
    let lowest = world.market(BTC).range(Side::Long).expect("a range").0;
    assert_eq!(lowest, Price(PRICE * 955 / 1_000 * 9 / 10));
}

#[test]
fn anybody_removes_an_order_that_the_mark_has_left_behind() {
    let mut world = World::btc();
    let (maker, keeper) = (world.trader(500 * DOLLAR), world.trader(DOLLAR));
    world.bid(maker, BTC, 1_000, PRICE);
    let keys = world.market_keys(BTC);
    let prune = instructions::prune_orders(&keys, Side::Long, 8);
    let owner = world.owner(keeper);
    world.move_price(BTC, PRICE * 96 / 100);
    world.send(std::slice::from_ref(&prune), &[&owner]).fails_with(BallastError::NothingHere);
    world.move_price(BTC, PRICE * 94 / 100);
    world.send(&[prune], &[&owner]).succeeds();
    assert_eq!(resting(&mut world, BTC, Side::Long), []);
}
